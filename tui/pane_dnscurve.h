/* pane_dnscurve: the lower part of the DNS pane: the share of resolvers that still answer blue's value, as seen until now and as their own
 * expiries foretell it, and in words what is wrong with one. */
#ifndef TUI_PANE_DNSCURVE_H
#define TUI_PANE_DNSCURVE_H

#include "tui/pane.h"

enum { PANE_DNSCURVE_LEAST = 5 }; /* lines that the curve needs */
void pane_dnscurve_draw(struct area a, const struct view *v);
/* "half 0:03  90 % 0:12  all 0:17" from now on; "" when nobody has answered, or when all that is left goes at once. */
const char *pane_dnscurve_eta(const struct view *v, char *buf, size_t size);
/* One line for each resolver with something wrong, worst first, at most a.h of them. Returns how many were drawn. */
int pane_dnscurve_reasons(struct area a, const struct view *v, const int *order, int n);

#endif
