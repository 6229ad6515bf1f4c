/* pane_replication: the lines of pane 1, each drawn at row y of the area. Nobody but pane_replication*.c includes this. */
#ifndef TUI_PANE_REPLICATION_H
#define TUI_PANE_REPLICATION_H

#include "tui/pane.h"

int pane_replication_lag(struct area a, int x, const struct view *v, const struct model_db *db);       /* in row 0; where it ends */
void pane_replication_sides(struct area a, int y, const struct view *v, const struct model_db *db);    /* who takes writes */
void pane_replication_pooler(struct area a, int y, const struct view *v, const struct model_db *db);
void pane_replication_slot(struct area a, int y, const struct view *v, const struct model_db *db);     /* and the WAL that it keeps */
void pane_replication_writer(struct area a, int y, const struct view *v, const struct model_db *db);   /* where nobody may write */
void pane_replication_trouble(struct area a, int y, const struct view *v, const struct model_db *db);  /* what is wrong, else some figures */
void pane_replication_versions(struct area a, int y, const struct model_db *db);
int pane_replication_way_back(struct area a, int y, const struct view *v, const struct model_db *db);  /* two rows; the one after them */

#endif
