#include "tui/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { ESCAPE_WAIT_US = 25000 };

static struct {
    int fd;
    bool gone, raw;
    struct termios cooked;
    struct buf out; /* what waits, from `sent` on */
    size_t sent;
    char in[4096];
    size_t in_len, in_at;
    int64_t in_us; /* when the last bytes were read */
    bool pasting;
    int64_t writes, bytes;
} t = {.fd = -1};

/* ---- opening ---- */

static int open_terminal(void)
{
    int flags = O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, fd = open("/dev/tty", flags);
    const char *name = fd < 0 ? ttyname(STDIN_FILENO) : NULL;
    return name ? open(name, flags) : fd;
}

bool tty_open(struct err *err)
{
    const char *hint = "the cockpit needs a terminal; without one, cutover run PLAN prints a line per change, and cutover status the state.";
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return err_set(err, "Input or output isn't a terminal: %s", hint);
    t.fd = open_terminal();
    if (t.fd < 0 || tcgetattr(t.fd, &t.cooked) != 0) {
        err_set(err, "The terminal can't be opened (%s): %s", strerror(errno), hint);
        tty_close();
        return false;
    }
    t.gone = t.raw = t.pasting = false;
    t.in_len = t.in_at = 0;
    return true;
}

void tty_close(void)
{
    if (t.fd >= 0)
        close(t.fd);
    t.fd = -1;
    buf_free(&t.out);
    t.sent = 0;
}

int tty_fd(void)
{
    return t.fd;
}

bool tty_size(int *w, int *h)
{
    struct winsize size = {0};
    if (t.fd < 0 || ioctl(t.fd, TIOCGWINSZ, &size) != 0)
        return false;
    *w = size.ws_col ? MIN(size.ws_col, 1000) : 80;
    *h = size.ws_row ? MIN(size.ws_row, 1000) : 24;
    return true;
}

void tty_make_raw(void)
{
    struct termios raw = t.cooked;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | IEXTEN);
    raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL | INLCR | IGNCR | ISTRIP);
    raw.c_oflag &= ~(tcflag_t)OPOST;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(t.fd, TCSANOW, &raw);
}

void tty_make_cooked(void)
{
    tcflush(t.fd, TCIFLUSH);
    tcsetattr(t.fd, TCSANOW, &t.cooked);
    t.in_len = t.in_at = 0;
    t.pasting = false;
}

bool tty_is_raw(void)
{
    struct termios now;
    return tcgetattr(t.fd, &now) == 0 && !(now.c_lflag & ICANON);
}

/* ---- out ---- */

void tty_send(const char *bytes, size_t len)
{
    buf_add(&t.out, bytes, len);
    t.bytes += (int64_t)len;
}

void tty_puts(const char *text)
{
    tty_send(text, strlen(text));
}

bool tty_waits(void)
{
    return t.sent < t.out.len;
}

bool tty_gone(void)
{
    return t.gone;
}

bool tty_flush(void)
{
    while (tty_waits() && !t.gone) {
        ssize_t n = write(t.fd, t.out.text + t.sent, t.out.len - t.sent);
        t.writes++;
        if (n >= 0)
            t.sent += (size_t)n;
        else if (errno == EAGAIN)
            return true;
        else if (errno != EINTR)
            t.gone = true;
    }
    if (!tty_waits())
        t.out.len = t.sent = 0;
    return !t.gone;
}

void tty_flush_within(int ms)
{
    int64_t end = clock_mono() + ms;
    while (tty_flush() && tty_waits() && clock_mono() < end) {
        struct pollfd p = {.fd = t.fd, .events = POLLOUT};
        poll(&p, 1, (int)MAX(end - clock_mono(), 1));
    }
}

void tty_count(int64_t *writes, int64_t *bytes)
{
    *writes = t.writes;
    *bytes = t.bytes;
}

/* ---- in ---- */

static void read_bytes(void)
{
    if (t.in_at > 0) {
        memmove(t.in, t.in + t.in_at, t.in_len - t.in_at);
        t.in_len -= t.in_at;
        t.in_at = 0;
    }
    if (t.in_len == sizeof t.in)
        return;
    ssize_t n = read(t.fd, t.in + t.in_len, sizeof t.in - t.in_len);
    if (n > 0) {
        t.in_len += (size_t)n;
        t.in_us = clock_mono_us();
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        t.gone = true;
}

/* The next code out of the buffer; K_NONE when nothing complete is there. */
static int next_code(bool may_end)
{
    while (t.in_at < t.in_len) {
        int code;
        bool final = may_end && clock_mono_us() - t.in_us >= ESCAPE_WAIT_US;
        size_t n = key_decode(t.in + t.in_at, t.in_len - t.in_at, final, &code);
        if (n == 0)
            return K_NONE;
        t.in_at += n;
        if (code == K_PASTE_BEGIN || code == K_PASTE_END)
            t.pasting = code == K_PASTE_BEGIN;
        else if (code != K_NONE)
            return code;
    }
    return K_NONE;
}

/* Reads before it decides that an Esc stands alone: its sequence may have come since, while the program was busy. */
bool tty_key(struct key *k)
{
    k->code = next_code(false);
    int64_t before = t.in_us;
    if (k->code == K_NONE && !t.gone) {
        read_bytes();
        k->code = next_code(t.in_us == before);
    }
    k->pasted = t.pasting;
    k->at_us = t.in_us;
    return k->code != K_NONE;
}

int tty_key_timeout(void)
{
    if (t.in_at >= t.in_len)
        return -1;
    int64_t left = t.in_us + ESCAPE_WAIT_US - clock_mono_us();
    return left <= 0 ? 0 : (int)((left + 999) / 1000);
}
