/* Versions of TPMs, and one that has no driver. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/tree.h"

static void add_files(struct tree *t, const char *const *files)
{
	for (; *files; files += 2)
		tree_file(t, files[0], files[1]);
}

static void test_versions(void **state)
{
	static const struct {
		const char *files[6], *want;
	} cases[] = {
		{ { NULL }, "none" },
		{ { "sys/class/tpm/tpm0/tpm_version_major", "2\n" }, "2.0" },
		{ { "sys/class/tpm/tpm0/tpm_version_major", "1\n" }, "1.2" },
		{ { "sys/class/tpm/tpm0/device/caps", "x" }, "1.2" },
		{ { "sys/class/tpm/tpm0/caps", "x" }, "1.2" },
		{ { "sys/class/tpm/tpm0/dev", "x", "sys/class/tpm/tpmrm0/dev", "x" }, "2.0" },
		{ { "sys/class/tpm/tpmrm0/dev", "x" }, "none" },
		{ { "sys/class/tpm/tpm10/tpm_version_major", "2",
		    "sys/class/tpm/tpm9/tpm_version_major", "1" },
		  "1.2" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		add_files(&t, cases[i].files);
		struct hwp_inventory *inv = tree_probe(&t, HWP_TPM);
		assert_string_equal(hwp_get_tpm_version(inv), cases[i].want);
		hwp_unref(inv);
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
