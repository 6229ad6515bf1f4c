/* What the panes share: the list of them, ages, masks, short numbers. */
#include "tui/pane.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

extern const struct pane pane_replication, pane_dns, pane_traffic, pane_checks, pane_steps, pane_log, pane_people;

const struct pane *const panes[LAYOUT_PANES + 1] = {
    NULL, &pane_replication, &pane_dns, &pane_traffic, &pane_checks, &pane_steps, &pane_log, &pane_people,
};

unsigned panes_present(const struct plan *plan)
{
    unsigned present = 0;
    for (int i = 1; i <= LAYOUT_PANES; i++)
        if (!panes[i]->present || panes[i]->present(plan))
            present |= LAYOUT_BIT(i);
    return present;
}

bool pane_is_old(int64_t at, int64_t now, int64_t limit)
{
    return at == 0 || now - at > limit;
}

const char *pane_age(int64_t at, int64_t now, char *buf, size_t size)
{
    int64_t ms = MAX(now - at, 0);
    if (at == 0)
        copy_text(buf, size, "never");
    else if (ms < 10000)
        snprintf(buf, size, "%d.%d s", (int)(ms / 1000), (int)(ms / 100 % 10));
    else if (ms < 120000)
        snprintf(buf, size, "%d s", (int)(ms / 1000));
    else if (ms < 2 * 3600000)
        snprintf(buf, size, "%d m", (int)(ms / 60000));
    else
        snprintf(buf, size, "%lld h", (long long)(ms / 3600000));
    return buf;
}

const char *pane_clock(int64_t at, bool with_ms, char *buf, size_t size)
{
    time_t s = (time_t)(at / 1000);
    struct tm tm;
    if (!gmtime_r(&s, &tm))
        memset(&tm, 0, sizeof tm);
    if (with_ms)
        snprintf(buf, size, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(at % 1000));
    else
        snprintf(buf, size, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
    return buf;
}

const char *pane_count(int64_t n, char *buf, size_t size)
{
    if (n < 0)
        copy_text(buf, size, "?");
    else if (n < 10000)
        snprintf(buf, size, "%lld", (long long)n);
    else if (n < 1000000)
        snprintf(buf, size, "%lld %03lld", (long long)(n / 1000), (long long)(n % 1000));
    else if (n < 1000000000)
        snprintf(buf, size, "%lld %03lld %03lld", (long long)(n / 1000000), (long long)(n / 1000 % 1000), (long long)(n % 1000));
    else
        snprintf(buf, size, "%.3g G", (double)n / 1e9);
    return buf;
}

const char *pane_ppm(int64_t ppm, char *buf, size_t size)
{
    if (ppm < 0)
        copy_text(buf, size, "?");
    else if (ppm == 0 || ppm >= 100000)
        snprintf(buf, size, "%lld %%", (long long)((ppm + 5000) / 10000));
    else if (ppm >= 10000)
        snprintf(buf, size, "%.1f %%", (double)ppm / 10000);
    else
        snprintf(buf, size, "%.2f %%", (double)ppm / 10000);
    return buf;
}

const char *pane_private(const struct view *v, enum text_kind kind, const char *value, char *buf, size_t size)
{
    if (v->redact && *value)
        text_redact(buf, size, kind, value);
    else
        text_clean_string(buf, size, value);
    return buf;
}

/* The addresses that a plan names, one after the other; NULL behind the last. */
static const char *plan_address(const struct plan *p, int i)
{
    if (i < SIDES)
        return p->side[i].address ? p->side[i].address : "";
    i -= SIDES;
    if (i < p->dns.nresolvers)
        return p->dns.resolvers[i].address;
    i -= p->dns.nresolvers;
    if (i < p->dns.nrecords * SIDES)
        return p->dns.records[i / SIDES].value[i % SIDES];
    return NULL;
}

/* The length of the longest address of the plan that stands at `text`, as a whole word; 0. */
static size_t address_here(const struct plan *p, const char *text)
{
    size_t best = 0;
    const char *address;
    for (int i = 0; (address = plan_address(p, i)); i++) {
        size_t len = strlen(address);
        char behind = strncmp(text, address, len) == 0 ? text[len] : '0';
        if (len > best && len > 3 && !(behind >= '0' && behind <= '9'))
            best = len;
    }
    return best;
}

const char *pane_sentence(const struct view *v, const char *text, char *buf, size_t size)
{
    if (!v->redact) {
        text_clean_string(buf, size, text);
        return buf;
    }
    size_t n = 0;
    while (*text && n + 1 < size) {
        size_t len = address_here(v->plan, text);
        if (len > 0 && len < 80) {
            char address[80];
            memcpy(address, text, len);
            address[len] = '\0';
            n += text_redact(buf + n, size - n, TEXT_ADDRESS, address);
            text += len;
        } else {
            buf[n++] = *text++;
        }
    }
    buf[n] = '\0';
    return buf;
}

const char *pane_span(int64_t ms, char *buf, size_t size)
{
    if (ms < 60000 && ms % 1000 == 0)
        snprintf(buf, size, "%lld s", (long long)(ms / 1000));
    else
        format_ms(ms, buf, size);
    return buf;
}

/* The second that is now is not over yet, so a curve ends one before it; what is looked at more seldom than each second
 * stays as it was for up to 3 s. */
struct series pane_series(const struct history *h, int64_t now, int count, int64_t *values)
{
    count = MIN(count, MODEL_HISTORY - 1);
    for (int i = 0, since = 99; i < count; i++) {
        int64_t x = history_at(h, now / 1000 - 1, count - 1 - i);
        since = x < 0 ? since + 1 : 0;
        values[i] = x >= 0 ? x : since <= 3 && i > 0 ? values[i - 1] : GRAPH_UNKNOWN;
    }
    return (struct series){.v = values, .size = MAX(count, 1), .count = count};
}

int pane_next_step(const struct view *v)
{
    int step = gate_next_step(v->model, v->plan);
    if (step < 0 || step != v->model->running)
        return step;
    for (int i = step + 1; i < v->plan->nsteps; i++)
        if (v->model->step[i].state != STEP_DONE && v->model->step[i].state != STEP_SKIPPED)
            return i;
    return step;
}

const char *pane_step_glyph(const struct view *v, int step, unsigned *style)
{
    static const struct {
        const char *glyph;
        unsigned style;
    } looks[] = {
        [STEP_NOT_BEGUN] = {"·", ROLE_DIM}, [STEP_RUNNING] = {"▶", ROLE_RUN},   [STEP_DONE] = {"✓", ROLE_OK},
        [STEP_FAILED] = {"✗", ROLE_BAD},    [STEP_SKIPPED] = {"-", ROLE_DIM},   [STEP_UNDONE] = {"↺", ROLE_UNDO},
        [STEP_UNKNOWN] = {"?", ROLE_WARN},
    };
    enum step_state state = v->model->step[step].state;
    *style = looks[state].style;
    return looks[state].glyph;
}

int pane_pair(struct area a, int x, int y, const char *name, unsigned style, const char *value)
{
    if (*name)
        x = area_text(a, x, y, ROLE_DIM, name) + 1;
    return area_text(a, x, y, style, value) + 2;
}

int pane_scroll(struct pane_state *s, int rows, int height)
{
    s->selected = MIN(s->selected, rows - 1);
    if (s->selected >= 0 && s->selected < s->offset)
        s->offset = s->selected;
    if (s->selected >= s->offset + height)
        s->offset = s->selected - height + 1;
    s->offset = MAX(0, MIN(s->offset, rows - height));
    return s->offset;
}
