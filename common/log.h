#pragma once
/*
 * Messages for the log: stderr, with "<N>" priorities when systemd reads it (JOURNAL_STREAM), with the program's name and a
 * level word otherwise. Keeps errno. Library code logs at LOG_DEBUG only.
 */
#include <stdarg.h>
#include <syslog.h>

void log_init(const char *program,
	      int max_level); /* LOG_INFO is usual; environment SLIPWAY_LOG=debug raises it */
void log_set_level(int max_level);
void log_write(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Logs "<text>: <strerror(-code)>" at LOG_ERR and returns @code, so that it can be returned in one expression. */
int log_error_errno(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_write(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
