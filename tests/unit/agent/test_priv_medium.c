/* The root process's answers about the medium: good, lost, hanging, to several at once, to nobody. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/stat.h>
#include "tests/unit/agent/priv_rig.h"

static int setup(void **state)
{
	struct priv_rig *r = malloc(sizeof(*r));

	signal(SIGPIPE, SIG_IGN);
	rig_begin(r);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct priv_rig *r = *state;

	priv_medium_done(&r->p);
	rig_end(r);
	free(r);
	return 0;
}

static void medium_at(struct priv_rig *r, const char *path)
{
	r->p.medium = medium_new(r->p.base, path);
	assert_non_null(r->p.medium);
}

static void ask(struct priv_rig *r, uint32_t id)
{
	rig_say(r, MSG_ASK_MEDIUM, id, NULL, 0, -1);
}

static bool has_three(const struct priv_rig *r)
{
	return r->answers_ok + r->answers_bad >= 3;
}

static bool has_one(const struct priv_rig *r)
{
	return r->answers_ok + r->answers_bad >= 1;
}

/* Slipway's own discovery system, and any machine whose /run/media/iso is not mounted. */
static void test_none(void **state)
{
	struct priv_rig *r = *state;

	ask(r, 1);
	rig_listen(r);
	assert_int_equal(r->answers_ok, 1);
}

static void test_answers(void **state)
{
	static const struct {
		const char *path;
		bool is_good;
	} cases[] = { { "/proc/version", true },
		      { "/nowhere/sr0", false },
		      { "/dev/null", false } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct priv_rig *r = *state;

		medium_at(r, cases[i].path);
		for (uint32_t id = 1; id <= 3; id++)
			ask(r, id);
		assert_int_equal(r->p.medium_asks_n, 3);
		rig_listen_until(r, has_three);
		assert_int_equal(r->answers_ok, cases[i].is_good ? 3 : 0);
		assert_int_equal(r->answers_bad, cases[i].is_good ? 0 : 3);
		assert_int_equal(r->p.medium_asks_n, 0);
		r->answers_ok = r->answers_bad = 0;
		priv_medium_done(&r->p);
	}
}

/* The asker is gone: its number may be another question of the next network process. */
static void test_asker_is_gone(void **state)
{
	struct priv_rig *r = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/fifo", r->dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	medium_at(r, path); /* it hangs in open() */
	ask(r, 7);
	priv_medium_net_lost(&r->p);
	AUTO(closep) int fd = open(path, O_WRONLY | O_CLOEXEC); /* and goes on */
	ask(r, 8);
	rig_listen_until(r, has_one);
	rig_listen(r);
	assert_int_equal(r->answers_ok + r->answers_bad, 1);
}

static void test_too_many(void **state)
{
	struct priv_rig *r = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/fifo", r->dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	medium_at(r, path);
	for (uint32_t id = 1; id <= PRIV_MEDIUM_ASKS_MAX; id++)
		ask(r, id);
	rig_listen(r);
	assert_int_equal(r->answers_bad, 0);
	ask(r, PRIV_MEDIUM_ASKS_MAX + 1);
	rig_listen(r);
	assert_int_equal(r->answers_bad, 1);
	AUTO(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asker_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
