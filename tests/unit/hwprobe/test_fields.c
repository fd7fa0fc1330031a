/* The tables of members: each member of each struct of the API is in its table, none twice, and no two have one key. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/fields.h"
#include "hwprobe/inventory.h"
#include <stdio.h>
#include <string.h>

static size_t value_size(const struct field *f)
{
	switch (f->kind) {
	case VALUE_STR:
		return sizeof(struct hwp_str);
	case VALUE_NUM:
		return sizeof(struct hwp_num);
	case VALUE_REAL:
		return sizeof(struct hwp_real);
	case VALUE_BOOL:
		return sizeof(struct hwp_bool);
	case VALUE_STRS:
		return sizeof(struct hwp_strs);
	case VALUE_LIST:
		return sizeof(void *);
	case VALUE_OBJECT:
		break;
	}
	return 0;
}

/* Marks what the table covers of the struct at @base; what is marked already is there twice. */
static void mark(uint8_t *is_covered, size_t size, const struct field *table, size_t base)
{
	for (const struct field *f = table; f->key; f++) {
		if (f->kind == VALUE_OBJECT) {
			mark(is_covered, size, f->items, base + f->offset);
			continue;
		}
		size_t at = base + f->offset, n = value_size(f);
		if (at + n > size || memchr(is_covered + at, 1, n))
			fail_msg("%s: outside of its struct, or there twice", f->key);
		memset(is_covered + at, 1, n);
		if (f->kind == VALUE_LIST)
			memset(is_covered + base + f->count_offset, 1, sizeof(size_t));
	}
}

/* Members that are rendered in a way of their own: names for messages. */
struct exception {
	size_t at, len;
};

static void expect_complete(const char *name, size_t size, const struct field *table,
			    const struct exception *also)
{
	uint8_t is_covered[8192] = { 0 };
	assert_true(size <= sizeof(is_covered));
	mark(is_covered, size, table, 0);
	for (; also && also->len; also++)
		memset(is_covered + also->at, 1, also->len);
	for (size_t at = 0; at < size; at++)
		if (!is_covered[at])
			fail_msg("struct %s: the member at byte %zu is in no table", name, at);
}

#define COMPLETE(st, table) expect_complete(#st, sizeof(struct st), table, NULL)
#define MEMBER(st, m)                                               \
	{                                                           \
		offsetof(struct st, m), sizeof(((struct st *)0)->m) \
	}

static void test_complete(void **state)
{
	static const struct exception disk[] = { MEMBER(hwp_disk, reasons),
						 MEMBER(hwp_disk, reason_count),
						 MEMBER(hwp_disk, warnings),
						 MEMBER(hwp_disk, warning_count),
						 { 0, 0 } };
	COMPLETE(hwp_cpu, cpu_fields);
	COMPLETE(hwp_numa_node, numa_fields);
	COMPLETE(hwp_memory, memory_fields);
	COMPLETE(hwp_dimm, dimm_fields);
	COMPLETE(hwp_hugepages, hugepages_fields);
	COMPLETE(hwp_boot, boot_fields);
	COMPLETE(hwp_vendor, vendor_fields);
	COMPLETE(hwp_clock, clock_fields);
	COMPLETE(hwp_nic, nic_fields);
	COMPLETE(hwp_address, address_fields);
	COMPLETE(hwp_route, route_fields);
	COMPLETE(hwp_gpu, gpu_fields);
	COMPLETE(hwp_partition, partition_fields);
	expect_complete("hwp_disk", sizeof(struct hwp_disk), disk_fields, disk);
}

/* A list's items are as long as the table thinks: every member of the item's table fits. */
static void check_items(const struct field *table, int depth)
{
	assert_true(depth < 5);
	for (const struct field *f = table; f->key; f++) {
		if (f->kind != VALUE_LIST && f->kind != VALUE_OBJECT) {
			assert_null(f->items);
			continue;
		}
		assert_non_null(f->items);
		for (const struct field *i = f->items; f->kind == VALUE_LIST && i->key; i++)
			if (i->offset + value_size(i) > f->item_size)
				fail_msg("%s.%s lies outside of an item of %zu bytes", f->key,
					 i->key, f->item_size);
		if (f->kind == VALUE_LIST && strcmp(f->key, "disks") != 0)
			expect_complete(f->key, f->item_size, f->items, NULL);
		check_items(f->items, depth + 1);
	}
}

static void check_keys(const struct field *table, bool is_wire)
{
	for (const struct field *a = table; a->key; a++) {
		assert_true(*a->key && strspn(a->key, "abcdefghijklmnopqrstuvwxyz0123456789_") ==
					       strlen(a->key));
		if (a->kind == VALUE_LIST || a->kind == VALUE_OBJECT)
			check_keys(a->items, is_wire);
		if (is_wire ? !(a->flags & FIELD_WIRE) : a->flags & FIELD_WIRE_ONLY)
			continue;
		for (const struct field *b = a + 1; b->key; b++)
			if (!strcmp(a->key, b->key) &&
			    (is_wire ? b->flags & FIELD_WIRE : !(b->flags & FIELD_WIRE_ONLY)))
				fail_msg("%s is there twice", a->key);
	}
}

static void test_keys_and_items(void **state)
{
	check_items(inventory_fields, 0);
	check_keys(inventory_fields, false);
	check_keys(inventory_fields, true);
}

/* What the API's schema calls never omitted. */
static void test_always(void **state)
{
	static const struct {
		const struct field *table;
		const char *keys;
	} cases[] = { { cpu_fields, " flags " },
		      { nic_fields, " flags ipv4_addresses ipv6_addresses " },
		      { boot_fields, "" },
		      { route_fields, "" } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (const struct field *f = cases[i].table; f->key; f++) {
			char word[64];
			snprintf(word, sizeof(word), " %s ", f->key);
			bool is_always = f->flags & FIELD_WIRE && strstr(cases[i].keys, word);
			if (is_always != !!(f->flags & FIELD_ALWAYS))
				fail_msg("%s", f->key);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_keys_and_items),
		cmocka_unit_test(test_always),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
