/* guardian: the parent of the screen's process, that gives the terminal back whatever happens to it.
 *
 * A handler inside the process can't do that after SIGKILL or out-of-memory. Child and guardian share session and
 * process group, so the shell's job control works as if there were one process. */
#ifndef TUI_GUARDIAN_H
#define TUI_GUARDIAN_H

/* Forks; the child ends with screen_main(arg) as its status. The parent waits, forwards TERM and HUP, mirrors stop and
 * continue, and after an abnormal end resets the terminal's modes and says what died. Returns the status for the
 * caller's exit(): the child's, or 128 + signal. Call it before libuv, curses or any thread is started. */
int guardian_run(int (*screen_main)(void *arg), void *arg);

#endif
