/*
 * Taking apart what stands on a disk: loop devices, and, where this kernel has them, a
 * device-mapper device and a software RAID. Only what the plan found is touched.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "agent/graph.h"
#include "agent/plan.h"
#include "tests/unit/agent/loop_rig.h"

static int plan_of(const char *device, struct graph *g, struct plan *p, struct fault *err)
{
	AUTO(closep) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct disk_id id;
	int r = disk_id_read(device, &id, err);

	if (r == 0)
		r = graph_read(root, id.devno, g, err);
	const struct plan_input in = { .disk = &id, .graph = g, .allow_loop = true };
	return r < 0 ? r : plan_make(&in, p, err);
}

static unsigned count(const struct plan *p, enum plan_action_kind kind)
{
	unsigned n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->actions[i].kind == kind;
	return n;
}

static void upper_done(const char *loop, const char *file)
{
	AUTO(closep) int fd = open(loop, O_RDWR | O_CLOEXEC);

	if (fd >= 0 && loop_stands_on(loop, file))
		(void)ioctl(fd, LOOP_CLR_FD);
}

/* What changes between the look at the disk and the first write. */
struct change {
	struct set *s;
	struct loop upper, other;
	bool is_done;
};

/* The loop device that stood on the disk when the plan was made now stands on something else. */
static void loop_moves(void *ctx, const struct install_report *r)
{
	struct change *c = ctx;

	if (r->phase != INSTALL_PREPARE || c->is_done)
		return;
	c->is_done = true;
	assert_int_equal(loop_move(c->upper.path, c->s->disk.path, c->other.file_path), 0);
}

/* Somebody has put a new layer on the disk. */
static void loop_appears(void *ctx, const struct install_report *r)
{
	struct change *c = ctx;

	if (r->phase != INSTALL_PREPARE || c->is_done)
		return;
	c->is_done = true;
	assert_int_equal(loop_on(c->s->disk.path, c->upper.path), 0);
}

static int install_here(struct set *s, void (*report)(void *ctx, const struct install_report *r),
			void *ctx, struct fault *err)
{
	const struct install_params p = params(s);
	const struct install_sink sink = { .report = report, .ctx = ctx };
	int fd = feeder_start(&s->feeder, s->image, &s->x.slx);
	int r = install_run(&p, NULL, fd, &sink, err);

	close(fd);
	feeder_join(&s->feeder);
	return r;
}

static void test_plan_is_not_stale(void **state)
{
	AUTO(set_done) struct set s;
	struct change c = { .s = &s };
	struct fault err = FAULT_INIT;

	set_make(&s, 512, 0);
	assert_int_equal(loop_make(&c.other, RIG_MIB, 512, 0), 0);
	assert_int_equal(loop_on(s.disk.path, c.upper.path), 0);
	if (install_here(&s, loop_moves, &c, &err) < 0)
		fail_msg("%s", fault_text(&err));
	assert_true(c.is_done);
	assert_true(loop_stands_on(c.upper.path, c.other.file_path));
	check_disk(&s);
	upper_done(c.upper.path, c.other.file_path);
	loop_done(&c.other);
}

static void test_new_layer_is_taken_off(void **state)
{
	AUTO(set_done) struct set s;
	struct change c = { .s = &s };
	struct fault err = FAULT_INIT;

	set_make(&s, 512, 0);
	if (install_here(&s, loop_appears, &c, &err) < 0)
		fail_msg("%s", fault_text(&err));
	assert_true(c.is_done);
	assert_false(loop_stands_on(c.upper.path, s.disk.path));
	check_disk(&s);
}

/* A loop device on the disk, and one on a partition's place of another: only the first goes. */
static void test_loop(void **state)
{
	struct loop disk, other;
	char upper[32];
	AUTO(graph_done) struct graph g = { 0 };
	AUTO(plan_done) struct plan p = { 0 };
	struct fault err = FAULT_INIT;

	assert_int_equal(loop_make(&disk, 8 * RIG_MIB, 512, 0), 0);
	assert_int_equal(loop_make(&other, RIG_MIB, 512, 0), 0);
	assert_int_equal(loop_on(disk.path, upper), 0);
	assert_int_equal(plan_of(disk.path, &g, &p, &err), 0);
	assert_int_equal(count(&p, PLAN_LOOP_CLEAR), 1);
	assert_int_equal(plan_teardown(&p, &err), 0);
	assert_false(loop_stands_on(upper, disk.path));
	assert_true(loop_stands_on(other.path, other.file_path));
	/* again: it is gone already, which is what was wanted */
	assert_int_equal(plan_teardown(&p, &err), 0);
	loop_done(&other);
	loop_done(&disk);
}

/* A number that another device has now is not what the plan meant. */
static void test_other_device_behind_the_name(void **state)
{
	struct loop disk;
	char upper[32];
	AUTO(graph_done) struct graph g = { 0 };
	AUTO(plan_done) struct plan p = { 0 };

	assert_int_equal(loop_make(&disk, 8 * RIG_MIB, 512, 0), 0);
	assert_int_equal(loop_on(disk.path, upper), 0);
	assert_int_equal(plan_of(disk.path, &g, &p, NULL), 0);
	for (size_t i = 0; i < p.n; i++)
		p.actions[i].devno += p.actions[i].kind == PLAN_LOOP_CLEAR;
	assert_int_equal(plan_teardown(&p, NULL), 0);
	assert_true(loop_stands_on(upper, disk.path));
	upper_done(upper, disk.path);
	loop_done(&disk);
}

/* --- device-mapper, where kernel and dmsetup are there ------------------------------------- */

static bool has_device_mapper(void)
{
	const struct proc_spec spec = { .argv = (const char *const[]){ "dmsetup", "version", NULL },
					.stdin_fd = -1,
					.stdout_fd = -1,
					.timeout_ms = 10000 };

	return proc_run_ok(&spec, NULL) == 0;
}

static void test_device_mapper(void **state)
{
	struct loop disk;
	AUTO(graph_done) struct graph g = { 0 }, after = { 0 };
	AUTO(plan_done) struct plan p = { 0 }, none = { 0 };
	struct fault err = FAULT_INIT;
	char name[64], table[128];

	assert_int_equal(loop_make(&disk, 8 * RIG_MIB, 512, 0), 0);
	snprintf(name, sizeof(name), "slipway-test-%d", (int)getpid());
	snprintf(table, sizeof(table), "0 2048 linear %s 2048", disk.path);
	run((const char *const[]){ "dmsetup", "create", name, "--noudevsync", "--table", table,
				   NULL });
	assert_int_equal(plan_of(disk.path, &g, &p, &err), 0);
	assert_int_equal(count(&p, PLAN_DM_REMOVE), 1);
	if (plan_teardown(&p, &err) < 0)
		fail_msg("%s", fault_text(&err));
	assert_int_equal(plan_of(disk.path, &after, &none, &err), 0);
	assert_int_equal(count(&none, PLAN_DM_REMOVE), 0);
	loop_done(&disk);
}

int main(void)
{
	struct CMUnitTest tests[8] = {
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_other_device_behind_the_name),
		cmocka_unit_test(test_plan_is_not_stale),
		cmocka_unit_test(test_new_layer_is_taken_off),
	};
	size_t n = 4;

	if (geteuid() != 0 || access("/dev/loop-control", R_OK | W_OK) < 0) {
		printf("1..0 # SKIP loop devices need root and /dev/loop-control\n");
		return 77;
	}
	if (has_device_mapper())
		tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_device_mapper);
	else
		printf("# this kernel has no device-mapper: removing its devices is not tested\n");
	return _cmocka_run_group_tests("teardown", tests, n, folder_make, folder_remove);
}
