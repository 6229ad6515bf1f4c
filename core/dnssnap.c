/* The records and the file. */
#include "core/dnssnap.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dnswire.h"
#include "core/text.h"

#define FIRST_LINE "# cutover dns snapshot 1"
enum { LARGEST = 16 << 20, MOST_PROBLEMS = 20 };

void dnssnap_add(struct dnssnap *s, const char *name, const char *type, int64_t ttl, const char *value, int line)
{
    if (s->count == s->room) {
        s->room = MAX(64, s->room * 2);
        s->records = xrealloc(s->records, (size_t)s->room * sizeof *s->records);
    }
    s->records[s->count++] = (struct dnssnap_record){arena_strdup(&s->arena, name), arena_strdup(&s->arena, type), arena_strdup(&s->arena, value), ttl, line};
}

void dnssnap_free(struct dnssnap *s)
{
    free(s->records);
    arena_free(&s->arena);
    *s = (struct dnssnap){0};
}

int dnssnap_compare(const struct dnssnap_record *a, const struct dnssnap_record *b, bool value)
{
    int order = strcmp(a->name, b->name);
    order = order ? order : strcmp(a->type, b->type);
    return order || !value ? order : strcmp(a->value, b->value);
}

static int by_line(const void *a, const void *b)
{
    return dnssnap_compare(a, b, true);
}

void dnssnap_sort(struct dnssnap *s)
{
    if (s->count)
        qsort(s->records, (size_t)s->count, sizeof *s->records, by_line);
}

bool dnssnap_serial(const struct dnssnap_record *r, uint32_t *serial)
{
    return strcmp(r->type, "SOA") == 0 && sscanf(r->value, "%*s %*s %" SCNu32, serial) == 1;
}

void dnssnap_write(const struct dnssnap *s, const char *zone, struct buf *out)
{
    uint32_t serial = 0;
    for (int i = 0; i < s->count; i++)
        if (dnswire_same_name(s->records[i].name, zone) && dnssnap_serial(&s->records[i], &serial))
            break;
    buf_printf(out, FIRST_LINE "\n# zone %s, serial %" PRIu32 "\n", zone, serial);
    for (int i = 0; i < s->count; i++)
        buf_printf(out, "%s %s %" PRId64 " %s\n", s->records[i].name, s->records[i].type, s->records[i].ttl, s->records[i].value);
}

/* ---- reading ---- */

struct reading {
    struct dnssnap *snap;
    const char *file;
    struct plan_problems *problems;
    int line;
};

static bool complain(struct reading *r, const char *fmt, ...) PRINTF(2, 3);
static bool complain(struct reading *r, const char *fmt, ...)
{
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    plan_problems_add(r->problems, r->file, r->line, "%s", text);
    return false;
}

static bool slurp(struct reading *r, struct buf *text)
{
    char chunk[16384];
    FILE *f = strcmp(r->file, "-") == 0 ? stdin : fopen(r->file, "r");
    if (!f)
        return complain(r, "The snapshot can't be opened: %s.", strerror(errno));
    buf_puts(text, "");
    for (size_t n; text->len <= LARGEST && (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
        buf_add(text, chunk, n);
    int failed = ferror(f) ? errno : 0;
    if (f != stdin)
        fclose(f);
    if (failed)
        return complain(r, "The snapshot can't be read: %s.", strerror(failed));
    if (text->len > LARGEST)
        return complain(r, "The snapshot is larger than 16 MiB; is this the right file?");
    return strlen(text->text) == text->len || complain(r, "The file holds a byte 0 and is no text; is this the right file?");
}

/* Cuts the next word off; blanks after it are gone. */
static char *take_word(char **rest)
{
    char *word = *rest, *end = word + strcspn(word, " \t");
    *rest = end + strspn(end, " \t");
    *end = '\0';
    return word;
}

static void to_bare_lower(char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++)
        name[i] = (char)tolower((unsigned char)name[i]);
    if (n > 1 && name[n - 1] == '.')
        name[n - 1] = '\0';
}

static bool read_ttl(const char *text, int64_t *ttl)
{
    size_t digits = strspn(text, "0123456789");
    *ttl = digits && digits <= 10 && !text[digits] ? strtoll(text, NULL, 10) : -1;
    return *ttl >= 0 && *ttl <= INT32_MAX;
}

static bool read_record(struct reading *r, char *line)
{
    int64_t ttl;
    if (!text_is_clean(line, strlen(line)))
        return complain(r, "The line holds a character that does not show; take it out, or make the snapshot anew.");
    char *name = take_word(&line), *type = take_word(&line), *seconds = take_word(&line);
    if (!*line)
        return complain(r, "The line is no record; a record is  NAME TYPE TTL VALUE, like  www.shop.test A 20 192.0.2.1.");
    int number = dnswire_type(type);
    if (number < 0)
        return complain(r, "\"%.40s\" is no type of record; write A, AAAA, CNAME, MX, NS, TXT, SRV, CAA or SOA.", type);
    if (!read_ttl(seconds, &ttl))
        return complain(r, "\"%.40s\" is no TTL; write seconds, from 0 to 2147483647.", seconds);
    to_bare_lower(name);
    dnssnap_add(r->snap, name, dnswire_type_name(number), ttl, line, r->line);
    return true;
}

static void read_lines(struct reading *r, char *text)
{
    for (char *next; text && r->problems->count < MOST_PROBLEMS; text = next) {
        next = strchr(text, '\n');
        if (next)
            *next++ = '\0';
        size_t n = strlen(text);
        while (n && (text[n - 1] == '\r' || text[n - 1] == ' '))
            text[--n] = '\0';
        r->line++;
        if (r->line == 1 && strcmp(text, FIRST_LINE) != 0) {
            complain(r, "The file is no snapshot: it does not begin with  " FIRST_LINE ". Make one with: cutover dns snapshot PLAN.");
            return;
        }
        if (*text && *text != '#')
            read_record(r, text);
    }
}

/* Sorted: what stands twice, or disagrees about the TTL of its name and type (RFC 2181 5.2), are neighbours. */
static void check_neighbours(struct reading *r)
{
    for (int i = 1; i < r->snap->count && r->problems->count < MOST_PROBLEMS; i++) {
        const struct dnssnap_record *a = &r->snap->records[i - 1], *b = &r->snap->records[i];
        r->line = MAX(a->line, b->line);
        if (dnssnap_compare(a, b, true) == 0)
            complain(r, "The record of line %d stands here again; take one out.", MIN(a->line, b->line));
        else if (dnssnap_compare(a, b, false) == 0 && a->ttl != b->ttl)
            complain(r, "%.200s %s has another TTL in line %d; the records of one name and type share theirs.", b->name, b->type, MIN(a->line, b->line));
    }
}

bool dnssnap_read(struct dnssnap *s, const char *file, struct plan_problems *problems)
{
    struct reading r = {s, file, problems, 0};
    struct buf text = {0};
    int before = problems->count;
    if (slurp(&r, &text))
        read_lines(&r, text.text);
    buf_free(&text);
    dnssnap_sort(s);
    check_neighbours(&r);
    return problems->count == before;
}
