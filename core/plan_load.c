/* The front door: a file or a text becomes a plan, or all that is wrong with it. */
#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/plan_kinds.h"

#define LARGEST (1 << 20)

static void read_all(struct plan_reader *r, const char *text)
{
    config_t config;
    char *ended = xprintf("%s\n", text); /* libconfig 1.5 takes no comment that ends with the file */
    config_init(&config);
    if (config_read_string(&config, ended)) {
        r->root = config_root_setting(&config);
        plan_read_part(r, r->root, &plan_root, r->plan);
        plan_steps_read(r, r->root);
    } else {
        plan_complain(r, MAX(config_error_line(&config), 1), "Syntax error: this line can't be read (%s).", config_error_text(&config));
    }
    config_destroy(&config);
    free(ended);
}

/* `also` sees the plan when its steps have been read, also where other things in it are wrong: all mistakes in one go. */
static struct plan *parse(const char *file, const char *text, struct plan_problems *problems, bool (*also)(const struct plan *, struct plan_problems *))
{
    struct plan *plan = xcalloc(1, sizeof *plan);
    struct plan_reader r = {.plan = plan, .file = file, .problems = problems};
    *problems = (struct plan_problems){0};
    plan->file = arena_strdup(&plan->arena, file);
    plan->text = arena_strdup(&plan->arena, text);
    digest_sha256_hex(plan->hash, text, strlen(text));
    if (strlen(text) > LARGEST)
        plan_complain(&r, 0, "The plan is larger than 1 MiB; is this the right file?");
    else if (plan_layout_check(&r, text) && plan_syntax_check(&r, text))
        read_all(&r, text);
    if (also && plan->nsteps)
        also(plan, problems);
    if (!problems->count)
        return plan;
    plan_free(plan);
    return NULL;
}

struct plan *plan_parse(const char *file, const char *text, struct plan_problems *problems)
{
    return parse(file, text, problems, NULL);
}

/* Only a regular file: a pipe or a device may never end. */
static bool slurp(const char *path, struct buf *text, struct err *err)
{
    char chunk[16384];
    ssize_t n = 0;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(err, "The plan can't be opened: %s.", strerror(errno));
    buf_puts(text, "");
    bool regular = S_ISREG(st.st_mode);
    while (regular && text->len <= LARGEST && (n = read(fd, chunk, sizeof chunk)) > 0)
        buf_add(text, chunk, (size_t)n);
    int why = errno;
    close(fd);
    if (!regular)
        return err_set(err, "The plan isn't a regular file; write it into one.");
    if (n < 0)
        return err_set(err, "The plan can't be read: %s.", strerror(why));
    return true;
}

struct plan *plan_load_also(const char *path, struct plan_problems *problems, bool (*also)(const struct plan *, struct plan_problems *))
{
    struct buf text = {0};
    struct err err = {""};
    struct plan *plan = NULL;
    *problems = (struct plan_problems){0};
    if (!slurp(path, &text, &err))
        plan_problems_add(problems, path, 0, "%s", err.text);
    else if (text.len && strlen(text.text) != text.len)
        plan_problems_add(problems, path, 0, "The plan holds a NUL byte; save it as UTF-8 text.");
    else
        plan = parse(path, text.len ? text.text : "", problems, also);
    buf_free(&text);
    return plan;
}

struct plan *plan_load(const char *path, struct plan_problems *problems)
{
    return plan_load_also(path, problems, NULL);
}
