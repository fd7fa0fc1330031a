/* Questions to a BMC and their answers, from a record or from a device, and the transcript that makes the one out of the other. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "hwprobe/ipmi.h"

static const uint8_t one[] = { 1 };

static void test_record(void **state)
{
	static const struct {
		const char *record;
		int code;
		const char *answer;
		size_t len;
	} tests[] = {
		{ "06 42 01 > 00 aa bb\n", 0, "\xaa\xbb", 2 },
		{ "06 42 01 > 00", 0, "", 0 },
		{ "06 42 02 > 00 11\n06 42 01 > d4\n", 0xd4, "", 0 },
		{ "  6  42\t1 >  0 1\n", 0, "\1", 1 },
		/* A request without a line, or with one that cannot be read, is an unknown command. */
		{ "", 0xc1, NULL, 0 },
		{ "06 42 01\n", 0xc1, NULL, 0 },
		{ "06 42 01 >\n", 0xc1, NULL, 0 },
		{ "06 42 01 00 > 00\n", 0xc1, NULL, 0 },
		{ "06 42 > 00\n", 0xc1, NULL, 0 },
		{ "06 42 01 > 100\n", 0xc1, NULL, 0 },
		{ "x6 42 01 > 00\n", 0xc1, NULL, 0 },
		{ "06 42 01 > 00 zz\n06 42 01 > 00 05\n", 0, "\5", 1 },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct ipmi m;
		uint8_t answer[IPMI_DATA_MAX];
		size_t len = 99;
		ipmi_open_record(&m, tests[i].record);
		int code = ipmi_ask(&m, IPMI_APP, 0x42, one, sizeof(one), answer, &len);
		if (code != tests[i].code)
			fail_msg("case %zu: code %d", i, code);
		if (tests[i].answer) {
			assert_int_equal(len, tests[i].len);
			assert_memory_equal(answer, tests[i].answer, len);
		}
		ipmi_done(&m);
	}
}

static int echo(uint8_t netfn, uint8_t cmd, const uint8_t *data, size_t len, uint8_t *ret,
		size_t *ret_len)
{
	if (cmd == 0xff)
		return -EIO;
	if (len)
		memcpy(ret, data, len);
	*ret_len = len;
	return cmd;
}

/* What was said once is said again by its transcript. */
static void test_transcript(void **state)
{
	struct ipmi m, again;
	AUTO(buf_done) struct buf out;
	uint8_t long_data[IPMI_DATA_MAX], answer[IPMI_DATA_MAX];
	size_t len = 0;
	memset(long_data, 0x5a, sizeof(long_data));
	buf_init(&out, IPMI_TRANSCRIPT_MAX);
	assert_int_equal(ipmi_open(&m, echo, 1000), 0);
	m.transcript = &out;
	assert_int_equal(ipmi_ask(&m, 6, 0, one, 1, answer, &len), 0);
	assert_int_equal(ipmi_ask(&m, 6, 0xc9, NULL, 0, answer, &len), 0xc9);
	assert_int_equal(ipmi_ask(&m, 6, 0xff, one, 1, answer, &len), -EIO);
	assert_int_equal(ipmi_ask(&m, 12, 2, long_data, sizeof(long_data), answer, &len), 2);
	assert_int_equal(ipmi_ask(&m, 12, 2, long_data, sizeof(long_data) + 1, answer, &len),
			 -EMSGSIZE);
	assert_memory_equal(out.data, "06 00 01 > 00 01\n06 c9 > c9\n0c 02 5a 5a", 38);
	ipmi_done(&m);

	ipmi_open_record(&again, out.data);
	assert_int_equal(ipmi_ask(&again, 12, 2, long_data, sizeof(long_data), answer, &len), 2);
	assert_int_equal(len, sizeof(long_data));
	assert_memory_equal(answer, long_data, len);
	assert_int_equal(ipmi_ask(&again, 6, 0xff, one, 1, answer, &len), 0xc1);
}

/* Not every machine has one; nothing is waited for then. */
static void test_no_device(void **state)
{
	struct ipmi m;
	int rc = ipmi_open(&m, NULL, 1000);
	assert_true(rc <= 0);
	assert_int_equal(rc == 0, m.fd >= 0);
	ipmi_done(&m);
	assert_int_equal(m.fd, -1);
	ipmi_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_transcript),
		cmocka_unit_test(test_no_device),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
