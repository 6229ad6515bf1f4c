/* users_report: what the users saw, from their log, as KEY=value lines.
 *   users_report FILE [around_ms]
 * The write pause is the longest time in which no write was acknowledged; with `around_ms` (a moment in ms since 1970)
 * only gaps that touch the ten seconds around it count as pause. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIDES 8
#define NEAR 5000

struct sum {
    int64_t acked, failed, unsure, reads_ok, reads_failed, sessions_lost, nodns;
    int64_t first, last, gap, gap_from, pause, pause_from, slowest, slowest_at;
    int64_t by_port[MAX_SIDES], ports[MAX_SIDES];
    int64_t *latency;
    size_t nlatency, cap;
    bool ended;
};

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void keep_latency(struct sum *s, int64_t ms)
{
    if (s->nlatency == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 4096;
        s->latency = realloc(s->latency, s->cap * sizeof *s->latency);
        if (!s->latency)
            abort();
    }
    s->latency[s->nlatency++] = ms;
}

static void count_port(struct sum *s, int64_t db)
{
    for (int i = 0; i < MAX_SIDES; i++)
        if (s->ports[i] == db || s->ports[i] == 0) {
            s->ports[i] = db, s->by_port[i]++;
            return;
        }
}

static void take_gap(struct sum *s, int64_t at, int64_t around)
{
    int64_t gap = s->last ? at - s->last : 0;
    if (gap > s->gap)
        s->gap = gap, s->gap_from = s->last;
    if (gap > s->pause && around && s->last < around + NEAR && at > around - NEAR)
        s->pause = gap, s->pause_from = s->last;
}

static void take_ack(struct sum *s, int64_t at, int64_t ms, int64_t db, int64_t around)
{
    take_gap(s, at, around);
    s->first = s->first ? s->first : at, s->last = at, s->acked++;
    if (ms > s->slowest)
        s->slowest = ms, s->slowest_at = at;
    keep_latency(s, ms);
    count_port(s, db);
}

static void take_line(struct sum *s, const char *line, int64_t around)
{
    int64_t at = 0, a = 0, b = 0, ms = 0, db = 0;
    if (sscanf(line, "ACK %" SCNd64 " %*d %*d %*d %" SCNd64 " %*s %" SCNd64, &at, &ms, &db) == 3)
        take_ack(s, at, ms, db, around);
    else if (sscanf(line, "READ %" SCNd64 " %" SCNd64 " %" SCNd64, &at, &a, &b) == 3)
        s->reads_ok += a, s->reads_failed += b;
    s->failed += strncmp(line, "FAIL ", 5) == 0;
    s->unsure += strncmp(line, "UNSURE ", 7) == 0;
    s->sessions_lost += strncmp(line, "ME ", 3) == 0;
    s->nodns += strncmp(line, "NODNS ", 6) == 0;
    s->ended = s->ended || strncmp(line, "END ", 4) == 0;
}

static int64_t percentile(const struct sum *s, size_t permille)
{
    return s->nlatency ? s->latency[(s->nlatency - 1) * permille / 1000] : 0;
}

static void print(struct sum *s, int64_t around)
{
    if (s->nlatency > 0)
        qsort(s->latency, s->nlatency, sizeof *s->latency, compare);
    printf("acked=%" PRId64 "\nfailed=%" PRId64 "\nunsure=%" PRId64 "\n", s->acked, s->failed, s->unsure);
    printf("reads_ok=%" PRId64 "\nreads_failed=%" PRId64 "\nsessions_lost=%" PRId64 "\n", s->reads_ok, s->reads_failed, s->sessions_lost);
    printf("dns_unanswered=%" PRId64 "\nfirst_ack_ms=%" PRId64 "\nlast_ack_ms=%" PRId64 "\n", s->nodns, s->first, s->last);
    printf("longest_gap_ms=%" PRId64 "\nlongest_gap_from_ms=%" PRId64 "\n", s->gap, s->gap_from);
    if (around)
        printf("write_pause_ms=%" PRId64 "\nwrite_pause_from_ms=%" PRId64 "\n", s->pause, s->pause_from);
    printf("slowest_write_ms=%" PRId64 "\nslowest_write_at_ms=%" PRId64 "\n", s->slowest, s->slowest_at);
    printf("write_p50_ms=%" PRId64 "\nwrite_p99_ms=%" PRId64 "\n", percentile(s, 500), percentile(s, 990));
    for (int i = 0; i < MAX_SIDES && s->ports[i]; i++)
        printf("acked_on_port_%" PRId64 "=%" PRId64 "\n", s->ports[i], s->by_port[i]);
    printf("ended=%d\n", s->ended);
}

int main(int argc, char **argv)
{
    struct sum s = {0};
    char line[256];
    FILE *f = argc >= 2 ? fopen(argv[1], "r") : NULL;
    if (!f) {
        fprintf(stderr, argc >= 2 ? "%s can't be read.\n" : "usage: users_report FILE [around_ms]%s\n", argc >= 2 ? argv[1] : "");
        return 2;
    }
    int64_t around = argc >= 3 ? atoll(argv[2]) : 0;
    while (fgets(line, sizeof line, f))
        take_line(&s, line, around);
    fclose(f);
    print(&s, around);
    free(s.latency);
    return 0;
}
