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
		{ { "sys/class/tpm/tpm0/dev", "x", "sys/class/tpmrm/tpmrm0/dev", "x" }, "2.0" },
		{ { "sys/class/tpm/tpm0/dev", "x", "sys/class/tpmrm/tpmrm1/dev", "x" }, "none" },
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

/* The firmware's tables tell of a chip that no driver serves; the wire format says none. */
static void test_without_driver(void **state)
{
	static const char *const tables[] = { "TPM2", "TCPA" };
	for (size_t i = 0; i < 2; i++) {
		struct tree t;
		char path[64];
		struct hwp_inventory *inv = NULL;
		tree_init(&t);
		snprintf(path, sizeof(path), "sys/firmware/acpi/tables/%s", tables[i]);
		tree_file(&t, path, "x");
		assert_int_equal(
			tree_try(&t, (struct hwp_options){ .parts = HWP_TPM, .flags = HWP_MORE },
				 &inv),
			0);
		assert_string_equal(hwp_get_tpm(inv)->version.s, "none");
		assert_true(hwp_get_tpm(inv)->is_without_driver.v);
		assert_string_equal(hwp_get_tpm(inv)->is_without_driver.source, path);
		hwp_unref(inv);
		/* With a driver it is one like any other. */
		tree_file(&t, "sys/class/tpm/tpm0/tpm_version_major", "2");
		assert_int_equal(
			tree_try(&t, (struct hwp_options){ .parts = HWP_TPM, .flags = HWP_MORE },
				 &inv),
			0);
		assert_null(hwp_get_tpm(inv)->is_without_driver.source);
		hwp_unref(inv);
		tree_done(&t);
	}
	struct tree t;
	tree_init(&t);
	struct hwp_inventory *inv = tree_probe(&t, HWP_CPU);
	assert_null(hwp_get_tpm(inv));
	assert_null(hwp_get_tpm_version(inv));
	hwp_unref(inv);
	tree_done(&t);
}

/* What cannot be understood decides nothing: the next chip does. */
static void test_garbage(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_files(&t, "sys/class/tpm/tpm0/tpm_version_major", "7\n",
		   "sys/class/tpm/tpm1/tpm_version_major", "2\n", "sys/class/tpm/tpmx/caps", "x",
		   NULL);
	struct hwp_inventory *inv = tree_probe(&t, HWP_TPM);
	assert_string_equal(hwp_get_tpm_version(inv), "2.0");
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_without_driver),
		cmocka_unit_test(test_garbage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
