#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/status.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/json_map.h"

static json_t *example(void)
{
	return json_pack("{s:i, s:s, s:s, s:s, s:I, s:{s:s, s:i, s:s}}", "pid", (int)getpid(),
			 "state", "installing", "host_id", "h-1", "last_error", "poll: HTTP 503",
			 "last_poll_us", (json_int_t)1790000000123456, "installation", "phase",
			 "write", "percent", 42, "text", "");
}

static void test_text(void **state)
{
	AUTO(json_decrefp) json_t *s = example();
	AUTO(freep) char *text = NULL;
	size_t len;

	FILE *f = open_memstream(&text, &len);
	status_print_text(s, true, f);
	fclose(f);
	assert_string_equal(text, "state        installing\n"
				  "host         h-1\n"
				  "last error   poll: HTTP 503\n"
				  "last poll    2026-09-21T14:13:20.123Z\n"
				  "installation write, 42%\n");
}

static void test_written_and_shown(void **state)
{
	char dir[] = "/tmp/agent_status.XXXXXX";
	AUTO(json_decrefp) json_t *s = example();
	AUTO(freep) char *text = NULL;
	size_t len;
	struct fault err = FAULT_INIT;

	assert_non_null(mkdtemp(dir));
	FILE *f = open_memstream(&text, &len);
	assert_int_equal(status_print(dir, false, f, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no agent has run here"));
	AUTO(closep) int fd = open(dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(status_write(fd, s, NULL), 0);
	assert_int_equal(status_print(dir, true, f, NULL), 0);
	fclose(f);
	AUTO(json_decrefp) json_t *back = json_parse(text, len, 65536, true, NULL);
	assert_true(json_flag(back, "is_running"));
	assert_string_equal(json_str(back, "state"), "installing");
	assert_int_equal(dir_remove_at(AT_FDCWD, dir, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_text),
					    cmocka_unit_test(test_written_and_shown) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
