/* command_acts: what the commands of the list do; private to command*.c. Each takes what stands behind its name on the
 * line of ":" ("" when it came by a key), and the key. */
#ifndef TUI_COMMAND_ACTS_H
#define TUI_COMMAND_ACTS_H

#include "tui/command.h"

typedef void command_act(struct ui *ui, const char *argument, int key);

/* command_run.c: what changes the run; each only opens a question, but for pausing and looking again */
command_act act_run_step, act_undo_step, act_abort_step, act_pause_run, act_skip_step, act_tick, act_decide, act_note,
    act_run_checks, act_take, act_give, act_stop_run, act_arm;
bool act_is_person(const struct ui *ui, int check);         /* only a person can answer it */
bool act_needs_decision(const struct ui *ui, int step);

/* command_look.c: focus, time, the screen itself */
command_act act_focus_number, act_focus_next, act_zoom, act_move, act_details, act_back, act_filter, act_history,
    act_go_to, act_live, act_freeze, act_play, act_set_speed, act_next_event, act_help, act_quit, act_repaint,
    act_suspend, act_redact, act_set_theme, act_set_graph, act_prompt, act_copy_line;

#endif
