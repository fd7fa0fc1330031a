/* Names of parts, as --parts has them. (The source of the program is a part of this test.) */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "hwprobe/parts.c"

static void test_names(void **state)
{
	static const struct {
		const char *name;
		unsigned part;
	} cases[] = {
		{ "cpu", HWP_CPU },
		{ "memory", HWP_MEMORY },
		{ "disks", HWP_DISKS },
		{ "interfaces", HWP_NICS },
		{ "routes", HWP_ROUTES },
		{ "boot", HWP_BOOT },
		{ "system_vendor", HWP_VENDOR },
		{ "gpus", HWP_GPUS },
		{ "tpm", HWP_TPM },
		{ "bmc", HWP_BMC },
		{ "hostname", HWP_HOSTNAME },
		{ "clock", HWP_CLOCK },
		{ "lldp", HWP_LLDP },
		{ "all", HWP_ALL },
	};
	unsigned all = 0;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(part_by_name(cases[i].name), cases[i].part);
		assert_string_equal(part_name(cases[i].part), cases[i].name);
		all |= cases[i].part;
	}
	assert_int_equal(all, HWP_ALL | HWP_LLDP); /* every part has a name */
	assert_false(HWP_ALL & HWP_LLDP);          /* it takes half a minute: only for who asks */
}

static void test_no_names(void **state)
{
	static const char *const names[] = { "", "CPU", "cpu ", "nics", "cpu,memory", "al" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(part_by_name(names[i]), 0);
	assert_null(part_name(0));
	assert_null(part_name(HWP_CPU | HWP_MEMORY));
	assert_null(part_name(1u << 31));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_no_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
