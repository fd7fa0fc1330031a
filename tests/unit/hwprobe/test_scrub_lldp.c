/* Neighbours' frames, scrubbed: nothing of whose they are is left, what they are is, and they still are frames. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "hwprobe/lldp.h"
#include "hwprobe/scrub.h"
#include "tests/unit/hwprobe/frames.h"
#include "tests/fuzz/hwprobe/pass.h"

static void scrub(struct scrub *s, struct frame *file)
{
	*s = (struct scrub){ .key = "any key" };
	scrub_learn_lldp(s, (char *)file->data, file->len);
	scrub_ready(s);
	scrub_lldp(s, (char *)file->data, file->len);
}

static bool has(const struct frame *f, const void *bytes, size_t len)
{
	return memmem(f->data, f->len, bytes, len) != NULL;
}

static void make(struct frame *file)
{
	struct frame f;
	frame_start_as(&f, "rack77-port7");
	FRAME_ADD(&f, 4, "to customer-9");
	FRAME_ADD(&f, 5, "leaf-7.example");
	FRAME_ADD(&f, 6, "Switch OS 4.28, sn ABC1234567");
	FRAME_ADD(&f, 7, "\0\x14\0\x04");
	FRAME_ADD(&f, 8,
		  "\5\1\xc6\x33\x64\x63\2\0\0\0\1\x0c"
		  "private-oid!");
	FRAME_ADD(&f, 8, "\x11\2\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\x12\x34\2\0\0\0\1\0");
	FRAME_ADD(&f, 127, "\0\x80\xc2\1\0\x2a");
	FRAME_ADD(&f, 127,
		  "\0\x80\xc2\3\0\x2a\x0b"
		  "tenant-blue");
	FRAME_ADD(&f, 127,
		  "\0\x12\xbb\x08"
		  "SERIAL-42");
	FRAME_ADD(&f, 127, "\0\x12\x0f\4\x24\0");
	FRAME_ADD(&f, 0, "");
	frame_append(file, &f);
}

static void test_everything(void **state)
{
	struct frame file = { .len = 0 };
	struct scrub s;
	struct pass p;
	struct hwp_lldp n;
	size_t pos = 0, len;
	make(&file);
	size_t before = file.len;
	scrub(&s, &file);
	assert_int_equal(file.len, before);
	static const char *const gone[] = { "rack77",  "customer", "leaf-7", "ABC1234567",
					    "private", "tenant",   "SERIAL" };
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		if (has(&file, gone[i], strlen(gone[i])))
			fail_msg("%s is left", gone[i]);
	assert_false(has(&file, "\x44\x38\x39\0\0\1", 6));
	assert_false(has(&file, "\2\0\0\0\x0a\1", 6));
	assert_false(has(&file, "\xc6\x33\x64\x63", 4));
	assert_false(has(&file, "\x12\x34", 2));

	pass_init(&p);
	const uint8_t *frame = lldp_file_next((char *)file.data, file.len, &pos, &len);
	assert_int_equal(lldp_parse(&p.s, frame, len, &n), 0);
	assert_int_equal(strncmp(n.chassis_id.s, "44:38:39:", 9), 0); /* whose make it is stays */
	assert_int_equal(strlen(n.system_name.s), strlen("leaf-7.example"));
	assert_string_equal(n.port_id_type.s, "interface-name");
	assert_string_equal(n.capabilities.v[0], "bridge");
	assert_int_equal(n.management_addresses.n, 2);
	assert_int_equal(strncmp(n.management_addresses.v[0], "198.", 4), 0);
	assert_int_equal(n.port_vlan_id.v, 42);
	assert_int_equal(n.max_frame_bytes.v, 9216);
	assert_int_equal(n.ttl_s.v, 120);
	/* The MAC address is replaced by the same one elsewhere. */
	char text[] = "44:38:39:00:00:01";
	assert_true(scrub_apply(&s, text, strlen(text)));
	assert_string_equal(text, n.chassis_id.s);
	pass_done(&p);
	arena_done(&s.mem);
}

/* Ids that are network addresses, or local names. */
static void test_ids(void **state)
{
	static const struct {
		const char *chassis, *port;
		size_t chassis_len, port_len;
	} cases[] = { { "\5\1\xc6\x33\x64\x63", "\7port-1234", 6, 10 },
		      { "\7chassis-77", "\4\1\xc6\x33\x64\x63", 11, 6 } };
	for (size_t i = 0; i < 2; i++) {
		struct frame f, file = { .len = 0 };
		struct scrub s;
		struct pass p;
		struct hwp_lldp n;
		frame_start(&f);
		frame_add(&f, 1, cases[i].chassis, cases[i].chassis_len);
		frame_add(&f, 2, cases[i].port, cases[i].port_len);
		FRAME_ADD(&f, 3, "\0\x0a");
		frame_append(&file, &f);
		scrub(&s, &file);
		assert_false(has(&file, cases[i].chassis + 1, cases[i].chassis_len - 1));
		assert_false(has(&file, cases[i].port + 1, cases[i].port_len - 1));
		pass_init(&p);
		assert_int_equal(lldp_parse(&p.s, file.data + 2, file.len - 2, &n), 0);
		assert_string_equal(i ? n.port_id_type.s : n.chassis_id_type.s, "network");
		assert_int_equal(strncmp(i ? n.port_id.s : n.chassis_id.s, "198.", 4), 0);
		pass_done(&p);
		arena_done(&s.mem);
	}
}

/* Cut anywhere: nothing behind the end is touched. */
static void test_cut(void **state)
{
	struct frame whole = { .len = 0 };
	make(&whole);
	for (size_t len = 0; len < whole.len; len++) {
		struct scrub s = { .key = "k" };
		char *copy = malloc(len ? len : 1);
		memcpy(copy, whole.data, len);
		if (len >= 2) { /* as long as it says */
			copy[0] = (char)((len - 2) >> 8);
			copy[1] = (char)(len - 2);
		}
		scrub_learn_lldp(&s, copy, len);
		scrub_ready(&s);
		scrub_lldp(&s, copy, len);
		arena_done(&s.mem);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
