/* replay: a run's journal in the same cockpit, or one frame of it as text.
 *
 *   cutover replay JOURNAL                                    plays it: space, + - speed, [ ] seek, n next step event, q
 *   cutover replay JOURNAL --at HH:MM:SS[.mmm]|end|#SEQ|#SEQ@MS [--screen WxH] [--ansi|--svg] [--theme NAME] [--ascii]
 *
 * #SEQ is the frame right behind a line of the journal, #SEQ@MS the same line looked at MS later on the clock (ms since
 * 1970): exactly what a live screen showed then. */
#ifndef TUI_REPLAY_H
#define TUI_REPLAY_H

/* argv[0] is "replay". Returns the exit status. */
int replay_main(int argc, char **argv);

#endif
