/* Tables built byte by byte: sizes and units of memory slots, strings, structures that do not fit. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include "hwprobe/smbios.h"

struct table {
	uint8_t data[4096];
	size_t len;
};

static void add(struct table *t, uint8_t type, uint16_t handle, const void *body, size_t len,
		const char *strings, size_t strings_len)
{
	uint8_t head[4] = { type, (uint8_t)(len + 4), (uint8_t)handle, (uint8_t)(handle >> 8) };
	memcpy(t->data + t->len, head, 4);
	memcpy(t->data + t->len + 4, body, len);
	memcpy(t->data + t->len + 4 + len, strings, strings_len);
	t->len += 4 + len + strings_len;
}

static void put(uint8_t *p, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

struct slot {
	uint16_t array, size;
	uint32_t extended;
	uint8_t type, technology;
	uint64_t volatile_bytes;
	size_t len; /* of the structure */
};

static void add_array(struct table *t, uint16_t handle, uint8_t use)
{
	uint8_t body[11] = { 3, use };
	add(t, 16, handle, body, sizeof(body), "\0", 2);
}

static void add_slot(struct table *t, const struct slot *s)
{
	uint8_t body[0x54] = { 0 };
	put(body, s->array, 2);
	put(body + 0x0c - 4, s->size, 2);
	body[0x12 - 4] = s->type;
	put(body + 0x1c - 4, s->extended, 4);
	body[0x28 - 4] = s->technology;
	put(body + 0x3c - 4, s->volatile_bytes, 8);
	add(t, 17, 0x100, body, (s->len ? s->len : 0x28) - 4, "\0", 2);
}

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

static const struct {
	const char *name;
	struct slot slots[3];
	uint64_t want;
} cases[] = {
	{ "MiB", { { 1, 4096 } }, 4 * GIB },
	{ "KiB units", { { 1, 0x8000 | 512 } }, 512 * 1024 },
	{ "empty slots", { { 1, 0 }, { 1, 1024 }, { 1, 0 } }, GIB },
	{ "nothing but empty slots", { { 1, 0 } }, 0 },
	{ "extended size", { { 1, 0x7fff, 65536 } }, 64 * GIB },
	{ "bit 31 of the extended size is reserved",
	  { { 1, 0x7fff, 0x80000000 | 65536 } },
	  64 * GIB },
	{ "extended marker in a short structure", { { 1, 0x7fff, 0, .len = 0x1b } }, 32767 * MIB },
	{ "unknown size", { { 1, 1024 }, { 1, 0xffff } }, 0 },
	{ "flash array", { { 1, 1024 }, { 2, 16 } }, GIB },
	{ "dangling array handle", { { 1, 1024 }, { 99, 1024 } }, 2 * GIB },
	{ "array too short to say its use", { { 3, 1024 } }, GIB },
	{ "logical non-volatile", { { 1, 1024 }, { 1, 4096, .type = 0x1f } }, GIB },
	{ "persistent module",
	  { { 1, 1024 }, { 1, 0x7fff, 262144, .technology = 7, .volatile_bytes = 0, .len = 0x54 } },
	  GIB },
	{ "mixed module",
	  { { 1, 0x7fff, 262144, .technology = 7, .volatile_bytes = 32 * GIB, .len = 0x54 } },
	  32 * GIB },
	{ "volatile size unknown",
	  { { 1, 1024, .technology = 4, .volatile_bytes = UINT64_MAX, .len = 0x54 } },
	  GIB },
	{ "DRAM ignores the volatile size",
	  { { 1, 1024, .technology = 3, .volatile_bytes = 0, .len = 0x54 } },
	  GIB },
	{ "structure too short for a slot", { { 1, 1024, .len = 0x14 } }, 0 },
};

static void test_memory(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct table t = { 0 };
		struct smbios s;
		add_array(&t, 1, 3);
		add_array(&t, 2, 5);
		add(&t, 16, 3, "\3", 1, "\0", 2);
		for (int k = 0; k < 3; k++)
			if (cases[i].slots[k].array)
				add_slot(&t, &cases[i].slots[k]);
		add(&t, 127, 0x7f, "", 0, "\0", 2);
		assert_int_equal(smbios_init(&s, t.data, t.len), 0);
		if (smbios_memory_bytes(&s) != cases[i].want)
			fail_msg("%s: %llu", cases[i].name,
				 (unsigned long long)smbios_memory_bytes(&s));
	}
}

static void test_strings(void **state)
{
	struct table t = { 0 };
	struct smbios s;
	struct smbios_item i;
	char buf[16];
	add(&t, 1, 1, "\1\2\3\0", 4, "  Vendor  \0Name\0\0", 17);
	assert_int_equal(smbios_init(&s, t.data, t.len), 0);
	assert_true(smbios_find(&s, 1, &i));
	assert_string_equal(smbios_str(&i, 4, buf, sizeof(buf)), "Vendor");
	assert_string_equal(smbios_str(&i, 5, buf, sizeof(buf)), "Name");
	assert_null(smbios_str(&i, 6, buf, sizeof(buf)));  /* number 3 of two */
	assert_null(smbios_str(&i, 7, buf, sizeof(buf)));  /* number 0 */
	assert_null(smbios_str(&i, 50, buf, sizeof(buf))); /* behind the structure */
	assert_string_equal(smbios_str(&i, 5, buf, 3), "Na");
	assert_int_equal(smbios_u16(&i, 4), 0x0201);
	assert_int_equal(smbios_u32(&i, 6), 0); /* two of its bytes are outside */
}

/* Every prefix of a good table is looked through without leaving it. */
static void test_cut_tables(void **state)
{
	struct table t = { 0 };
	add_array(&t, 1, 3);
	add_slot(&t, &(struct slot){ 1, 1024 });
	add(&t, 127, 0x7f, "", 0, "\0", 2);
	for (size_t len = 0; len < t.len; len++) {
		uint8_t *copy = test_malloc(len ? len : 1);
		struct smbios s = { 0 };
		memcpy(copy, t.data, len);
		if (smbios_init(&s, copy, len) == 0)
			assert_true(smbios_memory_bytes(&s) <= GIB);
		else
			assert_true(len < 15);
		test_free(copy);
	}
	struct smbios s = { 0 };
	assert_int_equal(smbios_init(&s, "\1\3\0\0\0\0", 6),
			 -EBADMSG); /* shorter than its own header */
	assert_int_equal(smbios_memory_bytes(&s), 0);
}

/* A table ends with its last structure, or with the mark, whatever follows that. */
static void test_whole_tables(void **state)
{
	struct table t = { 0 };
	struct smbios s;
	add(&t, 1, 1, "\1\0\0\0", 4, "Maker\0", 7);
	size_t first = t.len;
	add_array(&t, 2, 3);
	size_t second = t.len;
	for (size_t len = 8; len <= second; len++) {
		assert_int_equal(smbios_init(&s, t.data, len), 0);
		if (smbios_is_whole(&s) != (len == first || len == second))
			fail_msg("%zu of %zu bytes", len, second);
	}
	add(&t, 127, 3, "", 0, "\0", 2);
	memset(t.data + t.len, 0xff, 16);
	assert_int_equal(smbios_init(&s, t.data, t.len + 16), 0);
	assert_true(smbios_is_whole(&s));
	t.data[first + 1] = 2; /* the second structure is shorter than its header */
	assert_false(smbios_is_whole(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_cut_tables),
		cmocka_unit_test(test_whole_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
