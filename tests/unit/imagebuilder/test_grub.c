#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "imagebuilder/grub.h"

static void test_config(void **state)
{
	AUTO(freep) char *plain = NULL, *more = NULL;

	assert_int_equal(grub_config(NULL, &plain, NULL), 0);
	assert_non_null(strstr(plain, "set timeout=0\n"));
	assert_non_null(
		strstr(plain, "linux /boot/vmlinuz quiet console=tty0 console=ttyS0,115200n8\n"));
	assert_non_null(strstr(plain, "initrd /boot/initrd.img /boot/token.img\n"));
	assert_int_equal(grub_config("slipway.shell console=ttyS1,115200", &more, NULL), 0);
	assert_non_null(strstr(more, "ttyS0,115200n8 slipway.shell console=ttyS1,115200\n"));
}

static void test_config_refused(void **state)
{
	static const char *const cases[] = { "a\nb", "a;b",  "$a",  "a\"b", "'a'",
					     "{a}",  "a\tb", "a\\", "a#b",  "a|b" };
	char *text = NULL, *big = calloc(1, 1026);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(grub_config(cases[i], &text, NULL), -EINVAL);
	memset(big, 'a', 1025);
	assert_int_equal(grub_config(big, &text, NULL), -EINVAL);
	assert_null(text);
	big[1024] = '\0';
	assert_int_equal(grub_config(big, &text, NULL), 0);
	free(text);
	free(big);
}

static void test_no_grub(void **state)
{
	struct grub_images g = { 0 };
	struct fault err = FAULT_INIT;

	assert_int_equal(grub_images_make("/nonexistent", "/boot/marker", &g, &err), -ENOENT);
	assert_non_null(strstr(err.text, "grub-efi-amd64-bin"));
	assert_non_null(strstr(err.text, "--grub-dir"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_config_refused),
		cmocka_unit_test(test_no_grub),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
