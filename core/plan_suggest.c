/* A misspelt word and the word that was meant. */
#include "core/plan_read.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LONGEST 40

/* Optimal string alignment: like Levenshtein, but two letters that changed places cost one. */
static int differ(const char *a, size_t la, const char *b, size_t lb)
{
    int d[LONGEST + 1][LONGEST + 1];
    for (size_t i = 0; i <= la; i++)
        d[i][0] = (int)i;
    for (size_t j = 0; j <= lb; j++)
        d[0][j] = (int)j;
    for (size_t i = 1; i <= la; i++)
        for (size_t j = 1; j <= lb; j++) {
            int replaced = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            d[i][j] = MIN(replaced, MIN(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = MIN(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[la][lb];
}

const char *plan_suggest(const char *word, const char *words, char *buf, size_t size)
{
    size_t len = strlen(word), best_len = 0;
    const char *best = "";
    int least = len < 2 ? 1 : len <= 4 ? 2 : 3; /* one slip in a short word, two in a long one */
    for (const char *w = words; len <= LONGEST && *(w += strspn(w, " ")); w += strcspn(w, " ")) {
        size_t n = strcspn(w, " ");
        int away = n > LONGEST ? 99 : n == len && strncasecmp(word, w, n) == 0 ? 0 : differ(word, len, w, n);
        if (away < least) {
            least = away;
            best = w;
            best_len = n;
        }
    }
    buf[0] = '\0';
    if (best_len)
        snprintf(buf, size, "; did you mean \"%.*s\"?", (int)best_len, best);
    return buf;
}

const char *plan_hint(const char *word, const char *words, char *buf, size_t size)
{
    if (!plan_suggest(word, words, buf, size)[0])
        copy_text(buf, size, ".");
    return buf;
}
