/* The root process's inventory: one probe for many questions, and the disks that an installation may name. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/stat.h>
#include "tests/unit/agent/priv_rig.h"

/* The next answer; fails the test after 30 s. */
static json_t *answer_to(struct priv_rig *r, uint32_t id)
{
	for (int64_t end = time_mono_ms() + 30000; time_mono_ms() < end;) {
		struct ipc_msg m;
		event_base_loop(r->p.base, EVLOOP_NONBLOCK);
		(void)ipc_flush(&r->p.ipc);
		if (ipc_next(&r->net, &m) > 0) {
			bool is_mine = m.type == MSG_ANSWER && m.id == id;
			json_t *obj = json_parse(m.data, m.len, MSG_PAYLOAD_MAX, false, NULL);
			ipc_msg_done(&m);
			if (is_mine)
				return obj;
			json_decref(obj);
		} else if (ipc_fill(&r->net) <= 0) {
			usleep(2000);
		}
	}
	fail_msg("question %u was not answered", id);
	return NULL;
}

static json_t *ask_with(struct priv_rig *r, uint32_t id, const char *limits)
{
	rig_say(r, MSG_ASK_INVENTORY, id, limits, strlen(limits), -1);
	json_t *obj = answer_to(r, id);
	assert_int_equal(json_i64(obj, "code"), 0);
	return obj;
}

static json_t *ask(struct priv_rig *r, uint32_t id)
{
	return ask_with(r, id, "");
}

static void test_answer_is_the_inventory(void **state)
{
	struct priv_rig *r = *state;
	AUTO(json_decrefp) json_t *obj = ask(r, 7);
	AUTO(json_decrefp) json_t *inv = json_loads(json_str(obj, "output"), 0, NULL);

	assert_null(json_str(obj, "error"));
	assert_true(json_i64(json_child(inv, "cpu"), "count") >= 1);
	assert_true(json_i64(json_child(inv, "memory"), "usable_bytes") > 0);
	assert_non_null(json_child(inv, "disks"));
	assert_non_null(json_str(inv, "hostname"));
	assert_string_equal(json_str(obj, "output"), r->p.inventory.text);
}

/* Other tests of this machine plug loop devices in and out: their news are not waited for here. */
static void hear_nothing(struct priv_rig *r)
{
	hwp_monitor_close(r->p.inventory.monitor);
	assert_int_equal(hwp_monitor_open(r->p.hwp, HWP_TPM, &r->p.inventory.monitor), 0);
	r->p.inventory.changed = 0;
}

/* Asked again, the machine is looked at only when something has changed. */
static void test_one_probe_for_many_questions(void **state)
{
	struct priv_rig *r = *state;
	json_decref(ask(r, 1));
	hear_nothing(r);
	const struct hwp_inventory *first = r->p.inventory.last;
	int64_t taken_ms = r->p.inventory.taken_ms;
	AUTO(freep) char *text = str_dup(r->p.inventory.text);

	for (uint32_t i = 2; i < 6; i++) {
		AUTO(json_decrefp) json_t *obj = ask(r, i);
		assert_string_equal(json_str(obj, "output"), text);
		assert_ptr_equal(r->p.inventory.last, first);
		assert_int_equal(r->p.inventory.taken_ms, taken_ms);
	}
	usleep(2000);
	r->p.inventory.quiet[0] ^= 1; /* a mount, say */
	json_decref(ask(r, 6));
	assert_true(r->p.inventory.taken_ms > taken_ms);
}

/* Limits hold for the answer that they came with. */
static void test_limits(void **state)
{
	static const struct {
		const char *limits;
		bool is_cut, has_disks;
	} rows[] = {
		{ "", false, true },
		{ "{\"output_max_bytes\":200}", true, false },
		{ "{\"output_max_bytes\":200}", true, false },
		{ "{\"output_max_bytes\":10000000}", false, true },
		{ "{\"disk_min_bytes\":4611686018427387904}", false, false },
		{ "{\"disk_min_bytes\":4611686018427387904}", false, false },
		{ "{\"disk_min_bytes\":1}", false, true },
		/* no limits at all */
		{ "{\"disk_min_bytes\":-1,\"output_max_bytes\":\"x\"}", false, true },
		{ "[]", false, true },
		{ "nonsense", false, true },
	};
	struct priv_rig *r = *state;
	size_t disks = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(json_decrefp) json_t *obj = ask_with(r, (uint32_t)i + 1, rows[i].limits);
		const char *text = json_str(obj, "output");
		AUTO(json_decrefp) json_t *inv = json_loads(text, 0, NULL);
		size_t n = json_array_size(json_child(inv, "disks"));
		disks = i ? disks : n;
		if ((json_child(inv, "truncation") != NULL) != rows[i].is_cut ||
		    (rows[i].is_cut && strlen(text) > 200) || n != (rows[i].has_disks ? disks : 0))
			fail_msg("row %zu: %s", i, text);
		if (!rows[i].is_cut && !rows[i].has_disks)
			assert_int_equal(r->p.disks_n,
					 0); /* nothing that was left out is installed on */
	}
}

/* Who asks while devices are still being found waits; the last one asked is answered, once. */
static void test_questions_while_waiting(void **state)
{
	struct priv_rig *r = *state;

	rig_say(r, MSG_ASK_INVENTORY, 1, NULL, 0, -1);
	rig_say(r, MSG_ASK_INVENTORY, 2, NULL, 0, -1);
	json_decref(answer_to(r, 2));
	assert_false(r->p.is_settling);
	assert_int_equal(r->answers_ok + r->answers_bad, 0);
	rig_listen(r);
	assert_int_equal(r->answers_ok + r->answers_bad, 0); /* none for question 1 */
}

/* A disk is found by each of its names, and by no other. */
static void test_find_disk(void **state)
{
	struct priv_rig *r = *state;
	struct known_disk *d = calloc(2, sizeof(*d));

	d[0] = (struct known_disk){ .id = str_dup("/dev/disk/by-id/wwn-0x5"),
				    .by_path = str_dup("/dev/disk/by-path/pci-1"),
				    .path = str_dup("/dev/sda") };
	d[1] = (struct known_disk){ .path = str_dup("/dev/sdb") };
	r->p.disks = d;
	r->p.disks_n = 2;
	assert_ptr_equal(priv_find_disk(&r->p, "/dev/disk/by-id/wwn-0x5"), &d[0]);
	assert_ptr_equal(priv_find_disk(&r->p, "/dev/disk/by-path/pci-1"), &d[0]);
	assert_ptr_equal(priv_find_disk(&r->p, "/dev/sda"), &d[0]);
	assert_ptr_equal(priv_find_disk(&r->p, "/dev/sdb"), &d[1]);
	static const char *const others[] = { "",          "sda",       "/dev/sd", "/dev/sdaa",
					      "/dev/sda/", "/dev//sda", "/dev/mem" };
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (priv_find_disk(&r->p, others[i]))
			fail_msg("\"%s\" is a disk", others[i]);
}

/* Every remembered disk is one of the inventory, with an identity; optical drives are not among them. */
static void test_remembered_disks(void **state)
{
	struct priv_rig *r = *state;
	struct fault err = FAULT_INIT;

	assert_int_equal(priv_probe(&r->p, &err), 0);
	const struct hwp_inventory *inv = r->p.inventory.last;
	assert_true(r->p.disks_n <= hwp_disk_count(inv));
	for (size_t i = 0; i < r->p.disks_n; i++) {
		const struct known_disk *k = &r->p.disks[i];
		const struct hwp_disk *d = hwp_disk_find(inv, k->path);
		assert_non_null(d);
		assert_true(k->identity.size_bytes > 0);
		assert_false(str_eq(d->drive_type.s, "ODD") || str_eq(d->drive_type.s, "FDD"));
		assert_ptr_equal(priv_find_disk(&r->p, k->path), k);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_answer_is_the_inventory),
		CASE(test_one_probe_for_many_questions),
		CASE(test_limits),
		CASE(test_questions_while_waiting),
		CASE(test_find_disk),
		CASE(test_remembered_disks),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
