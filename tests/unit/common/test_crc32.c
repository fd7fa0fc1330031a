#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "common/crc32.h"

/* Check values of the catalogue of parametrised CRC algorithms: CRC-32/ISO-HDLC. */
static void test_known_values(void **state)
{
	assert_int_equal(crc32_update(0, "", 0), 0);
	assert_int_equal(crc32_update(0, "123456789", 9), 0xCBF43926);
	assert_int_equal(crc32_update(0, "a", 1), 0xE8B7BE43);
}

static void test_pieces(void **state)
{
	const char text[] = "The quick brown fox jumps over the lazy dog";
	uint32_t whole = crc32_update(0, text, sizeof(text) - 1);

	assert_int_equal(whole, 0x414FA339);
	for (size_t cut = 0; cut < sizeof(text); cut++)
		assert_int_equal(crc32_update(crc32_update(0, text, cut), text + cut,
					      sizeof(text) - 1 - cut),
				 whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_values),
		cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
