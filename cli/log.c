#include "cli/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* One process, one log: the only global state of cli/. */
static struct {
    const char *program;
    enum log_level level;
    int fd; /* of -E; -1: stderr */
    void (*sink)(void *user, const char *text, size_t n);
    void *user;
} logger = {.program = "adit", .level = LOG_LEVEL_INFO, .fd = -1};

static const struct {
    const char *name;
    enum log_level level;
} level_names[] = {
    {"QUIET", LOG_LEVEL_QUIET},
    {"FATAL", LOG_LEVEL_FATAL},
    {"ERROR", LOG_LEVEL_ERROR},
    {"INFO", LOG_LEVEL_INFO},
    {"VERBOSE", LOG_LEVEL_VERBOSE},
    {"DEBUG", LOG_LEVEL_DEBUG1},
    {"DEBUG1", LOG_LEVEL_DEBUG1},
    {"DEBUG2", LOG_LEVEL_DEBUG2},
    {"DEBUG3", LOG_LEVEL_DEBUG3},
};
enum { N_LEVEL_NAMES = sizeof level_names / sizeof level_names[0] };

void log_program(const char *name)
{
    logger.program = name;
}

void log_set_level(enum log_level level)
{
    logger.level = level;
}

enum log_level log_level(void)
{
    return logger.level;
}

bool log_shows(enum log_level level)
{
    return level <= logger.level;
}

bool log_level_from_name(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < N_LEVEL_NAMES; i++)
        if (strcasecmp(name, level_names[i].name) == 0) {
            *level = level_names[i].level;
            return true;
        }
    return false;
}

const char *log_level_name(enum log_level level)
{
    for (size_t i = 0; i < N_LEVEL_NAMES; i++)
        if (level_names[i].level == level)
            return level_names[i].name;
    return "INFO";
}

bool log_to_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0) {
        log_error("cannot open the log file %s: %s", log_escape_cstr(path).s, strerror(errno));
        return false;
    }
    log_to_stderr();
    logger.fd = fd;
    return true;
}

void log_to_stderr(void)
{
    if (logger.fd >= 0)
        close(logger.fd);
    logger.fd = -1;
}

void log_set_sink(void (*sink)(void *user, const char *text, size_t n), void *user)
{
    logger.sink = sink;
    logger.user = user;
}

/* One write: lines of several processes on one terminal or file do not mix. A log that cannot be
 * written has nobody to tell. */
static void emit(int fd, const char *text, size_t n)
{
    if (logger.sink != NULL) {
        logger.sink(logger.user, text, n);
        return;
    }
    int saved = errno;
    ssize_t written;
    do
        written = write(fd, text, n);
    while (written < 0 && errno == EINTR);
    errno = saved;
}

static int log_fd(void)
{
    return logger.fd >= 0 ? logger.fd : STDERR_FILENO;
}

/* A terminal may be in raw mode, where a lone newline does not return to the first column. */
static const char *line_end(int fd)
{
    bool terminal = logger.sink == NULL && fd == STDERR_FILENO && isatty(STDERR_FILENO);
    return terminal ? "\r\n" : "\n";
}

void log_line(enum log_level level, const char *format, ...)
{
    if (!log_shows(level))
        return;
    int saved = errno;
    char line[LOG_LINE_MAX];
    size_t room = sizeof line - sizeof "...\r\n";
    int head = snprintf(line, room, "%s: ", logger.program);
    if (head < 0 || (size_t)head >= room)
        head = 0;

    va_list args;
    va_start(args, format);
    errno = saved; /* for %m */
    int body = vsnprintf(line + head, room - (size_t)head, format, args);
    va_end(args);
    if (body < 0)
        line[head] = '\0';
    text_mask(line); /* the last line of defence: what peers say was escaped long before */
    bool is_cut = body > 0 && (size_t)body >= room - (size_t)head;
    size_t n = strlen(line);
    n += (size_t)snprintf(
        line + n, sizeof line - n, "%s%s", is_cut ? "..." : "", line_end(log_fd()));
    emit(log_fd(), line, n);
    errno = saved;
}

/* Line by line only where the terminal needs its carriage returns. */
static void put_block(int fd, const char *text)
{
    char out[2 * LOG_LINE_MAX];
    const char *end = line_end(fd);
    size_t end_n = strlen(end), n = 0;
    bool at_start = true;
    for (; *text != '\0'; text++) {
        if (n + 2 * end_n >= sizeof out) {
            emit(fd, out, n);
            n = 0;
        }
        at_start = *text == '\n';
        if (at_start) {
            memcpy(out + n, end, end_n);
            n += end_n;
        } else {
            out[n++] = *text;
        }
    }
    if (!at_start) {
        memcpy(out + n, end, end_n);
        n += end_n;
    }
    emit(fd, out, n);
}

void log_block(enum log_level level, const char *text)
{
    if (log_shows(level))
        put_block(log_fd(), text);
}

void log_notice(enum log_level level, const char *text)
{
    if (log_shows(level))
        put_block(STDERR_FILENO, text);
}

void log_peer(enum log_level level, const char *what, struct bytes text)
{
    log_line(level, "%s: %s", what, log_escape(text).s);
}

struct log_escaped log_escape(struct bytes text)
{
    struct log_escaped e = {.s = ""};
    text_escape(e.s, sizeof e.s, text, TEXT_LINE);
    return e;
}

struct log_escaped log_escape_cstr(const char *text)
{
    return log_escape(bytes_of(text == NULL ? "" : text));
}
