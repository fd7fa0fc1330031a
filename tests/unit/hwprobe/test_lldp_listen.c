/* Neighbours of a recorded machine: which of them, on which interface, and only when they were asked for. (Live: tests/cli/hwprobe-lldp.sh.) */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/frames.h"
#include "tests/unit/hwprobe/messages.h"

static void write_neighbours(struct tree *t)
{
	struct dump links = { 0 };
	struct frame f, file = { .len = 0 };
	add_link(&links, 2, "eth0");
	add_link(&links, 3, "eth1");
	dump_write(&links, t, "netlink/link.nl");
	frame_start_as(&f, "7");
	frame_append(&file, &f);
	FRAME_ADD(&f, 5, "the same again");
	frame_append(&file, &f);
	frame_start_as(&f, "8");
	FRAME_ADD(&f, 5, "leaf-8");
	frame_append(&file, &f);
	f.data[12] = 0; /* something else */
	frame_append(&file, &f);
	tree_write(t, "lldp/eth0", file.data, file.len);
	file.len = 0;
	for (int i = 0; i < 20; i++) {
		char port[8];
		snprintf(port, sizeof(port), "%d", i);
		frame_start_as(&f, port);
		frame_append(&file, &f);
	}
	tree_write(t, "lldp/eth1", file.data, file.len);
}

static void test_recorded(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = NULL;
	tree_init(&t);
	write_neighbours(&t);
	assert_int_equal(tree_try(&t, (struct hwp_options){ .parts = HWP_LLDP }, &inv), 0);
	assert_int_equal(hwp_get_parts(inv), HWP_LLDP | HWP_NICS);
	const struct hwp_nic *a = nic(inv, "eth0"), *b = nic(inv, "eth1");
	assert_int_equal(a->lldp_count, 2);
	assert_string_equal(a->lldp[0].port_id.s, "7");
	assert_null(a->lldp[0].system_name.s); /* the first word counts */
	assert_string_equal(a->lldp[1].port_id.s, "8");
	assert_string_equal(a->lldp[1].system_name.s, "leaf-8");
	assert_int_equal(b->lldp_count, 16); /* no more on one wire */
	char *text = hwp_to_json(inv, HWP_JSON_FULL, 0);
	assert_non_null(strstr(
		text, "\"system_name\":{\"value\":\"leaf-8\",\"source\":\"lldp system name\"}"));
	free(text);
	text = hwp_to_json(inv, HWP_JSON_ASSISTED, 0); /* has no place for it */
	assert_null(strstr(text, "leaf-8"));
	free(text);
	text = hwp_to_text(inv, 0);
	assert_non_null(
		strstr(text, "\nNEIGHBOUR ON  SYSTEM  CHASSIS            PORT  VLAN  ADDRESSES\n"));
	assert_non_null(strstr(text, "\neth0          leaf-8  44:38:39:00:00:01  8        -  -\n"));
	free(text);
	hwp_unref(inv);
	tree_done(&t);
}

/* The sources are known by their place in the inventory. */
static void test_explained(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = NULL;
	struct hwp_options opt = { .parts = HWP_LLDP, .flags = HWP_EXPLAIN };
	char *text = NULL;
	tree_init(&t);
	write_neighbours(&t);
	assert_int_equal(tree_try(&t, opt, &inv), 0);
	assert_int_equal(hwp_explain(inv, "interfaces.eth0.lldp[1].system_name", &text), 0);
	assert_string_equal(text, "interfaces[0].lldp[1].system_name: \"leaf-8\"\n"
				  "  source: lldp system name\n"
				  "  tried:\n"
				  "    lldp system name: used\n");
	free(text);
	hwp_unref(inv);
	tree_done(&t);
}

static void test_not_asked_for(void **state)
{
	struct tree t;
	tree_init(&t);
	write_neighbours(&t);
	struct hwp_inventory *inv = tree_probe_all(&t, 0);
	assert_int_equal(hwp_get_parts(inv), HWP_ALL);
	assert_int_equal(nic(inv, "eth0")->lldp_count, 0);
	hwp_unref(inv);
	tree_done(&t);
}

/* A machine on which nobody listened. */
static void test_nothing_recorded(void **state)
{
	struct tree t;
	struct dump links = { 0 };
	tree_init(&t);
	add_link(&links, 2, "eth0");
	dump_write(&links, &t, "netlink/link.nl");
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_LLDP);
	assert_int_equal(nic(inv, "eth0")->lldp_count, 0);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_recorded),
					    cmocka_unit_test(test_explained),
					    cmocka_unit_test(test_not_asked_for),
					    cmocka_unit_test(test_nothing_recorded) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
