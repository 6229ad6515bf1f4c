/* command: the one list of what a person can do. Keys, the `:` line with its completion, the help, the footer, README and
 * man page all come from its rows. The keys of the steps come from the plan (bind, letter) and open the same
 * confirmation as `:run`. */
#ifndef TUI_COMMAND_H
#define TUI_COMMAND_H

#include "tui/dialog.h"
#include "tui/ui.h"

enum {
    COMMAND_CHANGES = 1, /* asks the engine to change the run: armed, as operator, not in the past */
    COMMAND_FAST = 2,    /* the same, but works unarmed: the way back is cheaper than the way forward */
    COMMAND_REPLAY = 4,  /* only in a replay */
    COMMAND_LIVE = 8,    /* not in a replay */
    COMMAND_STEP = 16,   /* its argument is a step's key */
    COMMAND_CHECK = 32,  /* its argument is a check's key */
};

struct command {
    const char *name;     /* for ":" */
    const char *keys;     /* names of keys, separated by blanks; "" = only by name */
    unsigned flags;
    const char *label;    /* in the footer; "" = not there */
    int keep;             /* in the footer: the smallest goes first */
    const char *sentence;
    bool (*may)(const struct ui *ui); /* does it do anything now? NULL: always */
    void (*run)(struct ui *ui, const char *argument, int key);
};
extern const struct command commands[];
extern const int ncommands;

/* Finds what a key does here and does it; false when it does nothing. */
bool command_key(struct ui *ui, const struct key *key);
/* A line of `:`: name, then an argument. An unknown name becomes a message. */
void command_line(struct ui *ui, const char *line);
/* Completes a line of `:` as far as it is certain; the candidates, separated by blanks, go to `all`. */
void command_complete(const struct ui *ui, char *line, size_t size, char *all, size_t all_size);
/* Says why a changing command can't be used now; false then. */
bool command_may_change(struct ui *ui, unsigned flags);
const struct command *command_find(const char *name);
/* "j Down": the keys of a row as they are shown, separated by blanks. */
const char *command_keys(const struct command *c, char *buf, size_t size);
void command_draw_footer(struct ui *ui, struct area a);
/* The list as a table, for README and man page. */
void command_print_keys(void);

#endif
