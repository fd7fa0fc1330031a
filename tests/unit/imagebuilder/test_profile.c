#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/cleanup.h"
#include "imagebuilder/profile.h"

static void test_find(void **state)
{
	assert_ptr_equal(profile_find(NULL), profile_find("server"));
	assert_string_equal(profile_find("virt")->name, "virt");
	assert_null(profile_find("none"));
	assert_null(profile_find(""));
}

/* Names are module names: no suffix, no path, none twice within a list. */
static void test_tables(void **state)
{
	for (size_t p = 0; profiles[p]; p++) {
		assert_ptr_equal(profile_find(profiles[p]->name), profiles[p]);
		for (size_t l = 0; profiles[p]->lists[l]; l++) {
			const char *const *names = profiles[p]->lists[l];
			for (size_t i = 0; names[i]; i++) {
				assert_int_equal(strspn(names[i],
							"abcdefghijklmnopqrstuvwxyz"
							"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"),
						 strlen(names[i]));
				for (size_t j = 0; j < i; j++)
					assert_string_not_equal(names[i], names[j]);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
