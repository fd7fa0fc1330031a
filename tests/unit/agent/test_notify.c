#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "agent/notify.h"
#include "common/cleanup.h"

static void expect_datagram(const char *name, size_t name_len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char got[64] = "";

	memcpy(address.sun_path, name, name_len);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	AUTO(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name_len)),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	notify_send("READY=1");
	assert_int_equal(recv(fd, got, sizeof(got), 0), 7);
	assert_string_equal(got, "READY=1");
	unsetenv("NOTIFY_SOCKET");
}

static void test_sends(void **state)
{
	char name[64];

	snprintf(name, sizeof(name), "/tmp/notify-%d.sock", getpid());
	expect_datagram(name, strlen(name));
	unlink(name);
	snprintf(name, sizeof(name), "@notify-%d", getpid());
	expect_datagram(name, strlen(name));
	notify_send("READY=1"); /* nobody is there: nothing happens */
	setenv("NOTIFY_SOCKET", "relative", 1);
	notify_send("READY=1");
	unsetenv("NOTIFY_SOCKET");
}

static void test_watchdog(void **state)
{
	char pid[16];

	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	assert_int_equal(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "60000000", 1);
	assert_int_equal(notify_watchdog_ms(), 30000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_ms(), 30000);
	setenv("WATCHDOG_USEC", "soon", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_sends),
					    cmocka_unit_test(test_watchdog) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
