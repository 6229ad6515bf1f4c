/* settle_inner: what settle.c and settle_pooler.c share; nobody else includes it. */
#ifndef CORE_SETTLE_INNER_H
#define CORE_SETTLE_INNER_H

#include "core/settle.h"

struct pg;
struct child;
struct flag;

enum { SETTLE_CONNECT_MS = 2000, SETTLE_QUERY_MS = 2000, SETTLE_AGAIN_MS = 50 };

/* One connection and the question that is open on it. */
struct settle_line {
    struct pg *pg;
    enum { QUIET, CONNECTING, ASKING } at;
    int64_t again; /* clock_mono before which nothing is asked: the last try failed */
    char error[300];
};

struct settle_pooler {
    char *name, *database, *file, *target[SIDES];
    struct settle_line admin;
    enum { P_FILE, P_RELOAD, P_HURRY, P_RESUME, P_CLIENTS, P_LOOK, P_CALM, P_DONE } at;
    int64_t began;
    char retry[32];
};

struct settle_unit {
    char *name, *home;
    char place[32]; /* where the way back begins */
    struct settle_line side[SIDES];
    enum { D_HANDS_LOSER, D_CLOSE_LOSER, D_HANDS_WINNER, D_OPEN_WINNER, D_POOLERS, D_REPOINT, D_DISABLE, D_IDLE, D_ENABLE, D_DONE } at;
    bool loser_open; /* the losing side could not be closed; it is tried on while the rest goes its way */
    bool winner_open;
    int64_t began, linking;
    char **repoint;
    struct child *child;
    struct settle_pooler *poolers;
    int npoolers;
};

struct settle_flag {
    struct flag *flag;
    enum { F_SET, F_ASKED, F_DONE } at;
    int64_t again; /* clock_mono before which it is not told */
    bool once_more;
};

struct settle {
    struct task *owner;
    struct settle_unit *units;
    int nunits;
    struct settle_flag *flags;
    int nflags;
    bool strays;
    enum { IDLE, OPENING, WORKING } mode;
    enum side side;
    bool opened;
    bool back;
    char error[400];
};

enum settle_answer { WAITING, GOT, LOST };

/* Asks over an open connection, opening it first when it is not. Called again until it answers. */
enum settle_answer settle_ask(struct settle_line *l, const char *sql);
/* Goes on with every pooler of a database; true when all of them lead to the winner and are not paused. */
bool settle_step_poolers(struct settle *s, struct settle_unit *u);

#endif
