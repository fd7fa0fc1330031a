#include "common/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/str.h"

#define LOG_TEXT_MAX 2048

/* The one state of a process that has no owner to hand it around: where its messages go. */
static struct {
	char program[32];
	int max_level;
	bool to_journal;
} log_state = { .max_level = LOG_INFO };

static const char *const level_words[] = { "emergency: ", "alert: ", "critical: ", "error: ",
					   "warning: ",   "",        "",           "debug: " };

/* systemd.exec(5): JOURNAL_STREAM is "device:inode" of the stream that leads to the journal; stderr may have been redirected since. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	char own[48];
	if (!stream || fstat(fd, &st) < 0)
		return false;
	snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	return strcmp(stream, own) == 0;
}

void log_init(const char *program, int max_level)
{
	static const char *const names[] = { "emerg",   "alert",  "crit", "err",
					     "warning", "notice", "info", "debug" };
	const char *wanted = getenv("SLIPWAY_LOG");

	str_copy(log_state.program, sizeof(log_state.program), program);
	log_state.to_journal = is_journal(STDERR_FILENO);
	log_set_level(max_level);
	for (size_t i = 0; wanted && i < ARRAY_SIZE(names); i++) {
		if (strcmp(wanted, names[i]) == 0)
			log_set_level(MAX_OF((int)i, max_level));
	}
}

void log_set_level(int max_level)
{
	log_state.max_level = max_level;
}

/* One message is one line, and nothing in it steers a terminal. */
static void make_one_line(char *s)
{
	str_make_utf8(s);
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = ' ';
	}
}

static void write_line(int level, char *text)
{
	char line[LOG_TEXT_MAX + 64];
	make_one_line(text);
	if (log_state.to_journal)
		snprintf(line, sizeof(line), "<%d>%s\n", level, text);
	else
		snprintf(line, sizeof(line), "%s%s%s%s\n", log_state.program,
			 log_state.program[0] ? ": " : "", level_words[level], text);
	/* one call, so that lines of several processes do not mix; nobody could be told of a failure */
	ssize_t n = write(STDERR_FILENO, line, strlen(line));
	(void)n;
}

void log_write(int level, const char *fmt, ...)
{
	if (level < 0 || level > LOG_DEBUG || level > log_state.max_level)
		return;
	int saved = errno;
	char text[LOG_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	write_line(level, text);
	errno = saved;
}

int log_error_errno(int code, const char *fmt, ...)
{
	if (log_state.max_level < LOG_ERR)
		return code;
	int saved = errno;
	char text[LOG_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	size_t len = strlen(text);
	snprintf(text + len, sizeof(text) - len, ": %s", strerror(code < 0 ? -code : code));
	write_line(LOG_ERR, text);
	errno = saved;
	return code;
}
