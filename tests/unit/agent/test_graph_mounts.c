/*
 * Who has mounted what: mountinfo of every namespace, once each, and swap spaces.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "agent/graph.h"
#include "tests/unit/agent/member_rig.h"

#define NODES 3

/* sda, sda1, dm-0 */
static void graph_make(struct graph *g)
{
	static const char *const names[NODES] = { "sda", "sda1", "dm-0" };
	static const unsigned numbers[NODES][2] = { { 8, 0 }, { 8, 1 }, { 253, 0 } };

	*g = (struct graph){ .nodes = calloc(NODES, sizeof(*g->nodes)), .n = NODES };
	for (size_t i = 0; i < NODES; i++) {
		str_copy(g->nodes[i].name, sizeof(g->nodes[i].name), names[i]);
		g->nodes[i].devno = makedev(numbers[i][0], numbers[i][1]);
	}
}

static void link_put(struct machine *m, const char *path, const char *target)
{
	char dir[128];

	str_copy(dir, sizeof(dir), path);
	*strrchr(dir, '/') = '\0';
	assert_int_equal(dir_make_at(m->root, dir, 0755, NULL), 0);
	assert_int_equal(symlinkat(target, m->root, path), 0);
}

static void test_lines(void **state)
{
	static const struct {
		const char *line;
		int node; /* -1 = nobody's */
		const char *where;
	} cases[] = {
		{ "30 22 8:1 / /srv rw,relatime shared:1 master:2 - ext4 /dev/sda1 rw", 1, "/srv" },
		{ "30 22 8:1 /sub /srv rw - ext4 /dev/sda1 rw", 1, "/srv" },
		{ "30 22 253:0 / / rw - xfs /dev/mapper/vg-root rw", 2, "/" },
		/* an anonymous number: by its source */
		{ "30 22 0:44 / /data rw - btrfs /dev/sda1 rw", 1, "/data" },
		{ "30 22 0:44 / /data rw - zfs sda1 rw", -1, NULL },
		{ "30 22 0:44 / /data rw - nfs server:/dev/sda1 rw", -1, NULL },
		/* names are compared whole */
		{ "30 22 8:16 / /x rw - ext4 /dev/sda10 rw", -1, NULL },
		{ "30 22 8:16 / /x rw - ext4 /dev/sd rw", -1, NULL },
		{ "30 22 80:1 / /x rw - ext4 none rw", -1, NULL },
		/* cut off, or nonsense */
		{ "30 22 8:1", -1, NULL },
		{ "", -1, NULL },
		{ "a b c d e f - g h", -1, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(machine_done) struct machine m;
		AUTO(graph_done) struct graph g;

		machine_make(&m);
		graph_make(&g);
		machine_text(&m, "proc/self/mountinfo", cases[i].line);
		assert_int_equal(graph_add_mounts(&g, m.root, NULL), 0);
		for (int n = 0; n < NODES; n++)
			if (g.nodes[n].uses_n != (n == cases[i].node))
				fail_msg("case %zu, %s: %zu uses", i, g.nodes[n].name,
					 g.nodes[n].uses_n);
		if (cases[i].node >= 0)
			assert_string_equal(g.nodes[cases[i].node].uses[0].where, cases[i].where);
	}
}

/* A namespace that many processes share is read once; our own is told from the others. */
static void test_namespaces(void **state)
{
	AUTO(machine_done) struct machine m;
	AUTO(graph_done) struct graph g;

	machine_make(&m);
	graph_make(&g);
	machine_text(&m, "proc/self/mountinfo", "1 1 8:0 / /ours rw - ext4 /dev/sda rw\n");
	link_put(&m, "proc/self/ns/mnt", "mnt:[1]");
	machine_text(&m, "proc/10/mountinfo", "1 1 8:1 / /not-read rw - ext4 /dev/sda1 rw\n");
	link_put(&m, "proc/10/ns/mnt", "mnt:[1]");
	machine_text(&m, "proc/11/mountinfo", "1 1 253:0 / /theirs rw - ext4 /dev/dm-0 rw\n");
	link_put(&m, "proc/11/ns/mnt", "mnt:[2]");
	machine_text(&m, "proc/12/mountinfo", "1 1 253:0 / /second rw - ext4 /dev/dm-0 rw\n");
	link_put(&m, "proc/12/ns/mnt", "mnt:[2]");
	machine_text(&m, "proc/sys/mountinfo", "1 1 8:1 / /no-process rw - ext4 /dev/sda1 rw\n");
	assert_int_equal(graph_add_mounts(&g, m.root, NULL), 0);
	assert_int_equal(g.nodes[0].uses_n, 1);
	assert_true(g.nodes[0].uses[0].is_ours);
	assert_int_equal(g.nodes[1].uses_n, 0);
	/* whichever of the two is found first */
	assert_int_equal(g.nodes[2].uses_n, 1);
	assert_false(g.nodes[2].uses[0].is_ours);
	assert_true(g.nodes[2].uses[0].pid == 11 || g.nodes[2].uses[0].pid == 12);
}

static void test_swap(void **state)
{
	AUTO(machine_done) struct machine m;
	AUTO(graph_done) struct graph g;

	machine_make(&m);
	graph_make(&g);
	machine_text(&m, "proc/swaps",
		     "Filename Type Size Used Priority\n/dev/dm-0 partition 1 0 -2\n"
		     "/swapfile file 1 0 -3\n/dev/sda11 partition 1 0 -2\n");
	assert_int_equal(graph_add_mounts(&g, m.root, NULL), 0);
	assert_int_equal(g.nodes[1].uses_n, 0);
	assert_int_equal(g.nodes[2].uses_n, 1);
	assert_string_equal(g.nodes[2].uses[0].where, "swap");
}

/* The same place once; more places than are kept are not written behind the end. */
static void test_limits(void **state)
{
	AUTO(machine_done) struct machine m;
	AUTO(graph_done) struct graph g;
	char text[4096] = "";

	machine_make(&m);
	graph_make(&g);
	for (int i = 0; i < GRAPH_USES_MAX + 10; i++)
		for (int twice = 0; twice < 2; twice++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text),
				 "1 1 8:1 / /m%d rw - ext4 x rw\n", i);
	machine_text(&m, "proc/self/mountinfo", text);
	assert_int_equal(graph_add_mounts(&g, m.root, NULL), 0);
	assert_int_equal(g.nodes[1].uses_n, GRAPH_USES_MAX);
	assert_string_equal(g.nodes[1].uses[1].where, "/m1");
}

/* Without /proc mounts are unknown, which is not "none". */
static void test_no_proc(void **state)
{
	AUTO(machine_done) struct machine m;
	AUTO(graph_done) struct graph g;

	machine_make(&m);
	graph_make(&g);
	assert_int_equal(unlinkat(m.root, "proc", AT_REMOVEDIR), 0);
	assert_int_equal(graph_add_mounts(&g, m.root, NULL), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),   cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_swap),    cmocka_unit_test(test_limits),
		cmocka_unit_test(test_no_proc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
