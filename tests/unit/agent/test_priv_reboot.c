/* The user's own command in the place of a reboot. The reboot itself would end the machine that runs this. */
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
#include <sys/stat.h>
#include "agent/priv.h"
#include "common/cleanup.h"
#include "common/fd.h"

static char folder[64];

static int folder_make(void **state)
{
	strcpy(folder, "/tmp/slipway-reboot-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
	return dir_remove_at(AT_FDCWD, folder, NULL);
}

static void script(char path[96], const char *body)
{
	char text[512];

	snprintf(path, 96, "%s/command", folder);
	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", body);
	assert_int_equal(file_replace_at(AT_FDCWD, path, text, strlen(text), 0700, NULL), 0);
}

/* It gets no arguments, no secrets of the agent's environment and no input, and is run to its end. */
static void test_command(void **state)
{
	char path[96], body[256];
	AUTO(freep) char *out = NULL;
	struct fault err = FAULT_INIT;
	size_t len;

	snprintf(body, sizeof(body), "{ echo \"$#\"; env; cat; } >%s/out; exit 0", folder);
	script(path, body);
	setenv("PULL_SECRET_TOKEN", "secret", 1);
	int r = priv_reboot(path, &err);
	unsetenv("PULL_SECRET_TOKEN");
	if (r != 0)
		fail_msg("%s", fault_text(&err));
	snprintf(path, sizeof(path), "%s/out", folder);
	assert_int_equal(file_read_at(AT_FDCWD, path, 65536, &out, &len, NULL), 0);
	assert_int_equal(strncmp(out, "0\n", 2), 0);
	assert_non_null(strstr(out, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"));
	assert_null(strstr(out, "secret"));
}

static void test_failing_commands(void **state)
{
	char path[96];
	struct fault err = FAULT_INIT;

	script(path, "exit 3");
	assert_true(priv_reboot(path, &err) < 0);
	assert_non_null(strstr(err.text, "3"));
	assert_int_equal(priv_reboot("/nowhere/reboot", &err), -ENOENT);
	assert_int_equal(chmod(path, 0600), 0);
	assert_true(priv_reboot(path, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_failing_commands),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
