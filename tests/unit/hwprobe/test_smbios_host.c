/* Redfish host interfaces in SMBIOS type 42, whole and cut anywhere. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "hwprobe/smbios_host.h"

enum { RECORD_AT = 4 + 2 + 1 + 1, RECORD_LEN = 91, ITEM_LEN = RECORD_AT + 2 + RECORD_LEN };

/* A network interface (0x40) with one byte of data and a Redfish record: host 169.254.95.120, service 169.254.95.118. */
static void make_item(uint8_t data[ITEM_LEN])
{
	static const uint8_t head[] = { 42, ITEM_LEN, 1, 0, 0x40, 1, 0x02, 1, 4, RECORD_LEN };
	uint8_t *record = data + sizeof(head);
	memset(data, 0, ITEM_LEN);
	memcpy(data, head, sizeof(head));
	memset(record, 0xaa, 16);
	record[17] = 1;
	memcpy(record + 18, "\xa9\xfe\x5f\x78", 4);
	record[51] = 1;
	memcpy(record + 52, "\xa9\xfe\x5f\x76", 4);
}

static struct smbios_item item_of(const uint8_t *data, uint8_t len)
{
	return (struct smbios_item){ .type = data[0], .len = len, .data = data };
}

static void test_whole(void **state)
{
	uint8_t data[ITEM_LEN];
	struct smbios_redfish r;
	make_item(data);
	struct smbios_item item = item_of(data, ITEM_LEN);
	assert_true(smbios_redfish(&item, &r));
	assert_int_equal(r.family, AF_INET);
	assert_memory_equal(r.host_address, "\xa9\xfe\x5f\x78", 4);
	assert_memory_equal(r.service_address, "\xa9\xfe\x5f\x76", 4);
	assert_int_equal(r.uuid[15], 0xaa);
	data[10 + 51] = 2;
	assert_true(smbios_redfish(&item, &r));
	assert_int_equal(r.family, AF_INET6);
}

static void test_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} changes[] = {
		{ 0, 41 },      /* another structure */
		{ 5, 255 },     /* more interface data than there is */
		{ 7, 0 },       /* no record */
		{ 8, 2 },       /* IPMI, not Redfish */
		{ 9, 60 },      /* too short for the addresses */
		{ 9, 92 },      /* longer than the structure */
		{ 10 + 51, 0 }, /* no address format */
	};
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		uint8_t data[ITEM_LEN];
		struct smbios_redfish r;
		make_item(data);
		data[changes[i].at] = changes[i].value;
		struct smbios_item item = item_of(data, ITEM_LEN);
		if (smbios_redfish(&item, &r))
			fail_msg("case %zu", i);
	}
}

/* A record of another protocol in front is stepped over. */
static void test_second_record(void **state)
{
	uint8_t whole[ITEM_LEN], data[ITEM_LEN + 3];
	struct smbios_redfish r;
	make_item(whole);
	memcpy(data, whole, 8);
	data[1] = sizeof(data);
	data[7] = 2;
	memcpy(data + 8, "\2\1\x99", 3);
	memcpy(data + 11, whole + 8, ITEM_LEN - 8);
	struct smbios_item item = item_of(data, sizeof(data));
	assert_true(smbios_redfish(&item, &r));
	assert_memory_equal(r.service_address, "\xa9\xfe\x5f\x76", 4);
}

/* Nothing behind the end is read: the copy is exactly as long as it says. */
static void test_cut(void **state)
{
	uint8_t whole[ITEM_LEN];
	struct smbios_redfish r;
	make_item(whole);
	for (uint8_t len = 4; len < ITEM_LEN; len++) {
		uint8_t *data = malloc(len);
		memcpy(data, whole, len);
		struct smbios_item item = item_of(data, len);
		assert_false(smbios_redfish(&item, &r));
		free(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_second_record),
		cmocka_unit_test(test_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
