#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"

/* Sends stderr into a pipe while @act runs; what came out is in @ret. */
static void capture(void (*act)(void), char *ret, size_t size)
{
	int fds[2], saved = dup(STDERR_FILENO);
	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	act();
	dup2(saved, STDERR_FILENO);
	close(saved);
	ssize_t n = read(fds[0], ret, size - 1);
	close(fds[0]);
	ret[n > 0 ? n : 0] = '\0';
}

static void all_levels(void)
{
	log_init("prog", LOG_INFO);
	log_error("broken %d", 1);
	log_warning("odd");
	log_notice("note");
	log_info("fine");
	log_debug("not shown");
}

static void test_levels(void **state)
{
	char text[1024];
	unsetenv("JOURNAL_STREAM");
	unsetenv("SLIPWAY_LOG");
	capture(all_levels, text, sizeof(text));
	assert_string_equal(text,
			    "prog: error: broken 1\nprog: warning: odd\nprog: note\nprog: fine\n");
}

static void test_environment_raises(void **state)
{
	char text[1024];
	setenv("SLIPWAY_LOG", "debug", 1);
	capture(all_levels, text, sizeof(text));
	assert_non_null(strstr(text, "prog: debug: not shown\n"));
	setenv("SLIPWAY_LOG", "err", 1); /* does not lower */
	capture(all_levels, text, sizeof(text));
	assert_non_null(strstr(text, "prog: fine\n"));
	unsetenv("SLIPWAY_LOG");
}

static void to_journal(void)
{
	struct stat st;
	char stream[64];
	fstat(STDERR_FILENO, &st);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init("prog", LOG_INFO);
	log_error("broken");
	log_info("fine");
}

static void test_journal_priorities(void **state)
{
	char text[1024];
	capture(to_journal, text, sizeof(text));
	assert_string_equal(text, "<3>broken\n<6>fine\n");
	/* stderr leads elsewhere now: no priorities */
	capture(all_levels, text, sizeof(text));
	assert_int_equal(strncmp(text, "prog: error", 11), 0);
	unsetenv("JOURNAL_STREAM");
}

static void hostile(void)
{
	log_init("prog", LOG_INFO);
	log_info("%s", "one\n<0>two\033[2J\xff");
}

static void test_one_line(void **state)
{
	char text[1024];
	capture(hostile, text, sizeof(text));
	assert_string_equal(text, "prog: one <0>two [2J?\n");
}

static void with_errno(void)
{
	log_init("prog", LOG_INFO);
	errno = ENOENT;
	assert_int_equal(log_error_errno(-ENOSPC, "cannot write %s", "x"), -ENOSPC);
	log_info("after");
	assert_int_equal(errno, ENOENT);
}

static void test_errno_is_kept(void **state)
{
	char text[1024];
	capture(with_errno, text, sizeof(text));
	assert_string_equal(text,
			    "prog: error: cannot write x: No space left on device\nprog: after\n");
}

static void very_long(void)
{
	char text[9000];
	memset(text, 'l', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_init("prog", LOG_INFO);
	log_info("%s", text);
}

static void test_long_messages_are_cut(void **state)
{
	char text[10000];
	capture(very_long, text, sizeof(text));
	assert_true(strlen(text) > 2000 && strlen(text) < 2200);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_environment_raises),
		cmocka_unit_test(test_journal_priorities),
		cmocka_unit_test(test_one_line),
		cmocka_unit_test(test_errno_is_kept),
		cmocka_unit_test(test_long_messages_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
