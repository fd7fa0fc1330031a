/* What neighbours say: each element, each way in which a frame can be wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/lldp.h"
#include "tests/fuzz/hwprobe/pass.h"
#include "tests/unit/hwprobe/frames.h"

/* The parser sees exactly the frame's bytes: a read behind them is seen by the sanitizer. */
static int parse(struct pass *p, const struct frame *f, size_t len, struct hwp_lldp *ret)
{
	uint8_t *copy = malloc(len ? len : 1);
	memcpy(copy, f->data, len);
	int rc = lldp_parse(&p->s, copy, len, ret);
	free(copy);
	return rc;
}

static void test_everything(void **state)
{
	struct frame f;
	struct hwp_lldp n;
	struct pass p;
	pass_init(&p);
	frame_start_as(&f, "Ethernet1/7");
	FRAME_ADD(&f, 4, "to rack 7\0ignored");
	FRAME_ADD(&f, 5, " leaf-7\n");
	FRAME_ADD(&f, 6, "Switch OS\n4.28 \xff");
	FRAME_ADD(&f, 7, "\0\x14\0\x04");
	FRAME_ADD(&f, 8, "\5\1\xc0\0\2\x63\2\0\0\0\1\0");
	FRAME_ADD(&f, 8, "\x11\2\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x63\2\0\0\0\1\0");
	FRAME_ADD(&f, 127, "\0\x80\xc2\1\0\x2a");
	FRAME_ADD(&f, 127, "\0\x12\x0f\3\3\0\0\0\5");
	FRAME_ADD(&f, 127, "\0\x12\x0f\4\x24\0");
	FRAME_ADD(&f, 127, "\0\x12\xbb\1\0\0");
	FRAME_ADD(&f, 0, "");
	FRAME_ADD(&f, 5, "behind the end");
	assert_int_equal(parse(&p, &f, f.len, &n), 0);
	assert_string_equal(n.source_mac.s, "02:00:00:00:0a:01");
	assert_string_equal(n.chassis_id.s, "44:38:39:00:00:01");
	assert_string_equal(n.chassis_id_type.s, "mac");
	assert_string_equal(n.port_id.s, "Ethernet1/7");
	assert_string_equal(n.port_id_type.s, "interface-name");
	assert_string_equal(n.port_id.source, "lldp port id");
	assert_int_equal(n.ttl_s.v, 120);
	assert_string_equal(n.port_description.s, "to rack 7");
	assert_string_equal(n.system_name.s, "leaf-7");
	assert_string_equal(n.system_description.s, "Switch OS 4.28 ?"); /* no UTF-8 */
	assert_int_equal(n.capabilities.n, 1); /* can be a router, too, but is not */
	assert_string_equal(n.capabilities.v[0], "bridge");
	assert_int_equal(n.management_addresses.n, 2);
	assert_string_equal(n.management_addresses.v[0], "192.0.2.99");
	assert_string_equal(n.management_addresses.v[1], "2001:db8::63");
	assert_int_equal(n.port_vlan_id.v, 42);
	assert_int_equal(n.link_aggregation_id.v, 5);
	assert_int_equal(n.max_frame_bytes.v, 9216);
	pass_done(&p);
}

static void test_ids(void **state)
{
	static const struct {
		const char *chassis;
		size_t chassis_len;
		const char *port;
		size_t port_len;
		const char *chassis_text, *chassis_type, *port_text, *port_type;
	} cases[] = {
#define ID(a, b) a, sizeof(a) - 1, b, sizeof(b) - 1
		{ ID("\7sw1", "\3\2\0\0\0\0\1"), "sw1", "local", "02:00:00:00:00:01", "mac" },
		{ ID("\5\1\xc0\0\2\1", "\4\1\xc0\0\2\2"), "192.0.2.1", "network", "192.0.2.2",
		  "network" },
		{ ID("\6mgmt0", "\7"
				"17"),
		  "mgmt0", "interface-name", "17", "local" },
		/* lengths that are not those of an address, a family and a kind that nobody knows */
		{ ID("\4\2\0\0\0\1", "\3\2\0\0\0\0\1\1"), NULL, "mac", NULL, "mac" },
		{ ID("\5\1\xc0\0\2", "\4\x10"
				     "abcd"),
		  NULL, "network", NULL, "network" },
		{ ID("\x63what", "\x63\1"), "what", NULL, NULL, NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame f;
		struct hwp_lldp n;
		struct pass p;
		print_message("case %zu\n", i);
		pass_init(&p);
		frame_start(&f);
		frame_add(&f, 1, cases[i].chassis, cases[i].chassis_len);
		frame_add(&f, 2, cases[i].port, cases[i].port_len);
		FRAME_ADD(&f, 3, "\0\x0a");
		assert_int_equal(parse(&p, &f, f.len, &n), 0);
		const struct hwp_str *const got[] = { &n.chassis_id, &n.chassis_id_type, &n.port_id,
						      &n.port_id_type };
		const char *const want[] = { cases[i].chassis_text, cases[i].chassis_type,
					     cases[i].port_text, cases[i].port_type };
		for (int k = 0; k < 4; k++) {
			if (want[k])
				assert_string_equal(got[k]->s, want[k]);
			else
				assert_null(got[k]->s);
		}
		pass_done(&p);
	}
}

/* Elements that are too short for what they are: only they are left out. */
static void test_broken_elements(void **state)
{
	struct frame f;
	struct hwp_lldp n;
	struct pass p;
	pass_init(&p);
	frame_start_as(&f, "7");
	FRAME_ADD(&f, 7, "\0\x14\0");
	FRAME_ADD(&f, 8, "\5");
	FRAME_ADD(&f, 8, "\x09\1\xc0\0\2\x63");
	FRAME_ADD(&f, 8, "\0\1\xc0\0\2\x63");
	FRAME_ADD(&f, 127, "\0\x80\xc2");
	FRAME_ADD(&f, 127, "\0\x80\xc2\1\1");
	FRAME_ADD(&f, 127, "\0\x12\x0f\3\3\0\0\0");
	FRAME_ADD(&f, 127, "\0\x12\x0f\3\1\0\0\0\5"); /* could be aggregated, but is not */
	FRAME_ADD(&f, 5, "");
	FRAME_ADD(&f, 3, "\0\0"); /* must not come again */
	FRAME_ADD(&f, 1, "\7other");
	assert_int_equal(parse(&p, &f, f.len, &n), 0);
	assert_int_equal(n.capabilities.n, 0);
	assert_int_equal(n.management_addresses.n, 0);
	assert_null(n.port_vlan_id.source);
	assert_null(n.link_aggregation_id.source);
	assert_null(n.system_name.s);
	assert_int_equal(n.ttl_s.v, 120);
	assert_string_equal(n.chassis_id.s, "44:38:39:00:00:01");
	pass_done(&p);
}

static void test_refused(void **state)
{
	struct frame f;
	struct hwp_lldp n;
	struct pass p;
	pass_init(&p);
	frame_start_as(&f, "7");
	size_t whole = f.len;
	for (size_t len = 0; len < whole; len++) /* cut anywhere */
		assert_int_equal(parse(&p, &f, len, &n), -EBADMSG);
	assert_int_equal(parse(&p, &f, whole, &n), 0);
	FRAME_ADD(&f, 5, "name");
	for (size_t len = whole; len < f.len; len++) {
		assert_int_equal(parse(&p, &f, len, &n), 0);
		assert_null(n.system_name.s);
	}
	f.data[12] = 0x08; /* IPv4 */
	assert_int_equal(parse(&p, &f, f.len, &n), -EBADMSG);
	frame_start(&f);
	FRAME_ADD(&f, 2, "\5x");
	FRAME_ADD(&f, 1, "\4\2\0\0\0\0\1");
	FRAME_ADD(&f, 3, "\0\1");
	assert_int_equal(parse(&p, &f, f.len, &n), -EBADMSG); /* out of order */
	frame_start(&f);
	FRAME_ADD(&f, 1, "\4\2\0\0\0\0\1");
	FRAME_ADD(&f, 2, "\5x");
	FRAME_ADD(&f, 3, "\0\0");
	assert_int_equal(parse(&p, &f, f.len, &n), -ENOENT); /* it says good-bye */
	pass_done(&p);
}

static void test_file(void **state)
{
	struct frame file = { .len = 0 }, f;
	size_t pos = 0, len;
	for (int i = 0; i < 3; i++) {
		frame_start_as(&f, "7");
		frame_append(&file, &f);
	}
	const char *data = (const char *)file.data;
	for (int i = 0; i < 3; i++) {
		const uint8_t *p = lldp_file_next(data, file.len, &pos, &len);
		assert_non_null(p);
		assert_int_equal(len, f.len);
		assert_memory_equal(p, f.data, len);
	}
	assert_null(lldp_file_next(data, file.len, &pos, &len));
	pos = 0;
	assert_null(lldp_file_next(data, f.len + 1, &pos, &len)); /* longer than the file */
	assert_null(lldp_file_next(data, 1, &pos, &len));
	pos = 5;
	assert_null(lldp_file_next(data, 4, &pos, &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_everything),
					    cmocka_unit_test(test_ids),
					    cmocka_unit_test(test_broken_elements),
					    cmocka_unit_test(test_refused),
					    cmocka_unit_test(test_file) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
