#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "common/cleanup.h"
#include "fake_root.h"
#include "imagebuilder/imagebuilder.h"

/* Each step adds what the one before it complained about: the message names the file and the remedy. */
static void test_messages(void **state)
{
	struct fake_root root, out;
	static const struct {
		const char *add; /* a file to make first; NULL = nothing */
		const char *want;
	} steps[] = {
		{ NULL, "linux-image" },
		{ "boot/vmlinuz-1.0", "linux-image" },
		{ "lib/modules/1.0/modules.order", "--data-dir" },
		{ "data/discovery/init", "--data-dir" },
		{ "data/discovery/dhcp", "busybox-static" },
		{ "bin/busybox", "the package kmod" },
		{ "bin/kmod", "the package udev" },
		{ "bin/udevadm", "the package udev" },
		{ "lib/systemd/systemd-udevd", "the package udev" }, /* helpers */
	};
	char data_dir[128];

	fake_root_make(&root);
	fake_root_make(&out);
	snprintf(data_dir, sizeof(data_dir), "%s/data", root.path);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		const struct build_spec spec = { .root = root.path,
						 .agent = "/nonexistent/agent",
						 .data_dir = data_dir };
		struct fault err = FAULT_INIT;
		if (steps[i].add)
			fake_root_text(&root, steps[i].add, "");
		assert_true(build_base(&spec, out.fd, NULL, &err) < 0);
		if (!strstr(err.text, steps[i].want))
			fail_msg("after %s: %s", steps[i].add, err.text);
	}
	AUTO(freep) char *none = NULL;
	size_t len;
	assert_int_equal(file_read_at(out.fd, "base.json", 10, &none, &len, NULL), -ENOENT);
	fake_root_done(&root);
	fake_root_done(&out);
}

static void test_bad_spec(void **state)
{
	static const struct {
		struct build_spec spec;
		const char *want;
	} cases[] = {
		{ { .root = "/nonexistent" }, "/nonexistent" },
		{ { .root = "/", .profile = "laptop" }, "no profile laptop" },
		{ { .root = "/", .kernel_version = "../x" }, "bad kernel version" },
		{ { .root = "/", .kernel_version = "9.9.9-none" }, "boot/vmlinuz-9.9.9-none" },
	};
	struct fake_root out;

	fake_root_make(&out);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		assert_true(build_base(&cases[i].spec, out.fd, NULL, &err) < 0);
		if (!strstr(err.text, cases[i].want))
			fail_msg("%s", err.text);
	}
	fake_root_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_bad_spec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
