/* The channel to the root process: questions and their answers, descriptors, and what ends the process. */
#include <dirent.h>
#include "tests/unit/agent/net_rig.h"

struct got {
	unsigned n;
	int code, fd;
	char *output, *error;
};

struct ipc_rig {
	struct net net;
	struct ipc root; /* the root process's end */
	struct event_base *base;
};

static int setup(void **state)
{
	struct ipc_rig *r = calloc(1, sizeof(*r));
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(ipc_pair(fds), 0);
	r->net.base = r->base = event_base_new();
	ipc_init(&r->net.ipc, fds[0], MSG_PAYLOAD_MAX);
	ipc_init(&r->root, fds[1], MSG_PAYLOAD_MAX);
	assert_int_equal(net_ipc_init(&r->net, fds[0]), 0);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct ipc_rig *r = *state;

	net_ipc_done(&r->net);
	ipc_done(&r->root);
	event_base_free(r->base);
	free(r);
	return 0;
}

static void on_answer(void *ctx, int code, const char *output, const char *error, int fd)
{
	struct got *g = ctx;

	g->n++;
	g->code = code;
	g->fd = fd;
	str_set(&g->output, output);
	str_set(&g->error, error);
}

static void got_done(struct got *g)
{
	free(g->output);
	free(g->error);
	if (g->n && g->fd >= 0)
		close(g->fd);
}

static void turn(struct ipc_rig *r)
{
	for (int i = 0; i < 8; i++)
		event_base_loop(r->base, EVLOOP_NONBLOCK);
}

/* Fails the test when there is none. */
static struct ipc_msg next_message(struct ipc_rig *r)
{
	struct ipc_msg m = { .fd = -1 };

	assert_int_equal(ipc_recv_timeout(&r->root, &m, 5000), 1);
	return m;
}

static uint32_t next_ask(struct ipc_rig *r, uint16_t type)
{
	struct ipc_msg m = next_message(r);
	uint32_t id = m.id;

	assert_int_equal(m.type, type);
	assert_int_equal(m.len, 0);
	ipc_msg_done(&m);
	return id;
}

static void answer(struct ipc_rig *r, uint32_t id, const char *text, int fd)
{
	assert_int_equal(ipc_send(&r->root, MSG_ANSWER, id, text, strlen(text), fd), 0);
	turn(r);
}

static unsigned open_fds(void)
{
	AUTO(closedirp) DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d))
		n++;
	return n;
}

/* Each answer reaches who asked, in whatever order they come; a second one nobody. */
static void test_answers_find_their_question(void **state)
{
	struct ipc_rig *r = *state;
	AUTO(got_done) struct got one = { 0 }, two = { 0 }, three = { 0 };
	uint32_t ids[3];

	net_ask(&r->net, MSG_ASK_INVENTORY, on_answer, &one);
	net_ask(&r->net, MSG_ASK_LOGS, on_answer, &two);
	net_ask(&r->net, MSG_ASK_CANCEL, on_answer, &three);
	ids[0] = next_ask(r, MSG_ASK_INVENTORY);
	ids[1] = next_ask(r, MSG_ASK_LOGS);
	ids[2] = next_ask(r, MSG_ASK_CANCEL);
	assert_true(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);

	answer(r, ids[1], "{\"code\":-5,\"error\":\"no logs\"}", -1);
	assert_int_equal(one.n + three.n, 0);
	assert_int_equal(two.n, 1);
	assert_int_equal(two.code, -EIO);
	assert_string_equal(two.error, "no logs");
	assert_null(two.output);
	answer(r, ids[2], "{\"code\":0}", -1);
	answer(r, ids[0], "{\"code\":0,\"output\":\"{}\"}", -1);
	assert_int_equal(one.n + two.n + three.n, 3);
	assert_string_equal(one.output, "{}");
	assert_int_equal(one.fd, -1);

	for (int i = 0; i < 3; i++)
		answer(r, ids[i], "{\"code\":-1}", -1);
	answer(r, ids[2] + 1, "{\"code\":-1}", -1);
	answer(r, 0, "{\"code\":-1}", -1);
	assert_int_equal(one.n + two.n + three.n, 3);
	assert_int_equal(r->net.exit_status, 0);
}

/* A question with something to say; one whose words cannot be made fails by itself. */
static void test_ask_with_words(void **state)
{
	struct ipc_rig *r = *state;
	AUTO(got_done) struct got g = { 0 }, none = { 0 };

	net_ask_json(&r->net, MSG_ASK_INVENTORY, json_pack("{s:i}", "output_max_bytes", 7),
		     on_answer, &g);
	struct ipc_msg m = next_message(r);
	assert_int_equal(m.type, MSG_ASK_INVENTORY);
	assert_string_equal(m.data, "{\"output_max_bytes\":7}");
	answer(r, m.id, "{\"code\":0,\"output\":\"x\"}", -1);
	assert_string_equal(g.output, "x");
	ipc_msg_done(&m);
	net_ask_json(&r->net, MSG_ASK_INVENTORY, NULL, on_answer, &none);
	assert_int_equal(none.n, 1);
	assert_int_equal(none.code, -ENOMEM);
}

/* What is no JSON is a failure, and never a success with nothing in it. */
static void test_useless_answers(void **state)
{
	static const char *const texts[] = { "",         "{",  "nonsense", "{\"code\":",
					     "\xff\xfe", "[]", "7",        "null" };
	struct ipc_rig *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO(got_done) struct got g = { 0 };
		net_ask(&r->net, MSG_ASK_INVENTORY, on_answer, &g);
		answer(r, next_ask(r, MSG_ASK_INVENTORY), texts[i], -1);
		assert_int_equal(g.n, 1);
		assert_int_equal(g.code, -EPROTO);
		assert_false(str_empty(g.error));
	}
}

/* A descriptor belongs to who asked; one that nobody asked for is closed. */
static void test_descriptors(void **state)
{
	struct ipc_rig *r = *state;
	AUTO(got_done) struct got g = { 0 };
	AUTO(closep) int fd = memfd_create("x", MFD_CLOEXEC);
	char c = 0;

	assert_int_equal(fd_pwrite(fd, "z", 1, 0), 0);
	net_ask(&r->net, MSG_ASK_LOGS, on_answer, &g);
	uint32_t id = next_ask(r, MSG_ASK_LOGS);
	answer(r, id, "{\"code\":0}", fd);
	assert_int_equal(g.n, 1);
	assert_true(g.fd >= 0);
	assert_int_equal(fd_pread(g.fd, &c, 1, 0), 1);
	assert_int_equal(c, 'z');

	unsigned before = open_fds();
	for (uint16_t type = 0; type < 64; type++) {
		if (type == MSG_STREAM || type == MSG_RESUME || type == MSG_REPORT)
			continue; /* of an installation: test_net_install */
		assert_int_equal(ipc_send(&r->root, type, 4242, "{}", 2, fd), 0);
		turn(r);
	}
	assert_int_equal(open_fds(), before);
}

/* A ping is answered with its own number: only who reads can know it. */
static void test_ping(void **state)
{
	struct ipc_rig *r = *state;
	static const uint32_t ids[] = { 1, 7, 0, 0xFFFFFFFF };

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		assert_int_equal(ipc_send(&r->root, MSG_PING, ids[i], NULL, 0, -1), 0);
		turn(r);
		struct ipc_msg m = next_message(r);
		assert_int_equal(m.type, MSG_PONG);
		assert_int_equal(m.id, ids[i]);
		assert_int_equal(m.len, 0);
		ipc_msg_done(&m);
	}
}

/* JSON as it was given; what cannot be encoded is not sent, and nothing leaks. */
static void test_send_json(void **state)
{
	struct ipc_rig *r = *state;

	assert_int_equal(net_send_json(&r->net, MSG_STATUS, json_pack("{s:s}", "a", "ä\n"), -1), 0);
	struct ipc_msg m = next_message(r);
	AUTO(json_decrefp) json_t *obj = json_parse(m.data, m.len, 1000, false, NULL);
	assert_int_equal(m.type, MSG_STATUS);
	assert_string_equal(json_str(obj, "a"), "ä\n");
	ipc_msg_done(&m);
	assert_int_equal(net_send_json(&r->net, MSG_STATUS, NULL, -1), -ENOMEM);
}

/* A root process that does not read: questions fail at last, each exactly once, and none is lost. */
static void test_full_queue(void **state)
{
	struct ipc_rig *r = *state;
	static char data[1 << 20];
	struct got g = { 0 };
	int code = 0;

	for (int i = 0; i < 64 && !code; i++)
		code = net_send(&r->net, MSG_STATUS, data, sizeof(data), -1);
	assert_int_equal(code, -ENOBUFS);
	assert_int_equal(net_send(&r->net, MSG_STATUS, data, MSG_PAYLOAD_MAX + 1ul, -1), -EMSGSIZE);
	for (int i = 0; i < 1000000 && !g.n; i++)
		net_ask(&r->net, MSG_ASK_INVENTORY, on_answer, &g);
	assert_int_equal(g.n, 1);
	assert_int_equal(g.code, -ENOBUFS);
	assert_int_equal(r->net.exit_status, 0);
	got_done(&g);
}

/* The loop runs until the root process is gone; how it went decides the status. */
static void expect_end(struct ipc_rig *r, int status)
{
	struct timeval most = { .tv_sec = 10 };

	event_base_loopexit(r->base, &most);
	int64_t from_ms = time_mono_ms();
	event_base_dispatch(r->base);
	assert_in_range(time_mono_ms() - from_ms, 0, 5000);
	assert_int_equal(r->net.exit_status, status);
}

static void test_root_leaves(void **state)
{
	struct ipc_rig *r = *state;
	AUTO(got_done) struct got g = { 0 };

	net_ask(&r->net, MSG_ASK_INVENTORY, on_answer, &g);
	(void)next_ask(r, MSG_ASK_INVENTORY);
	ipc_done(&r->root);
	r->root.fd = -1;
	expect_end(r, 0);
	assert_int_equal(g.n, 0); /* whoever waited goes with the process */
}

/* Frames that no root process sends: the channel has lost its beat, and nothing of it can be used. */
static void test_broken_frames(void **state)
{
	static const struct {
		uint32_t length;
		uint16_t type, flags;
	} rows[] = {
		{ MSG_PAYLOAD_MAX + 1, MSG_PING, 0 },
		{ 0xFFFFFFFF, MSG_PING, 0 },
		{ 0, MSG_PING, 0x8000 },
		{ 0, MSG_PING, 1 }, /* says that a descriptor comes, and there is none */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		void *rig = NULL;
		setup(&rig);
		struct ipc_rig *r = rig;
		uint8_t frame[IPC_HEADER_SIZE] = { 0 };
		memcpy(frame, &rows[i].length, 4);
		memcpy(frame + 4, &rows[i].type, 2);
		memcpy(frame + 6, &rows[i].flags, 2);
		assert_int_equal(write(r->root.fd, frame, sizeof(frame)), sizeof(frame));
		expect_end(r, 1);
		teardown(&rig);
	}
}

/* A message that comes in single bytes is one message. */
static void test_slow_root(void **state)
{
	struct ipc_rig *r = *state;
	uint8_t frame[IPC_HEADER_SIZE] = { 0 };
	uint16_t type = MSG_PING;
	uint32_t id = 99;

	memcpy(frame + 4, &type, 2);
	memcpy(frame + 8, &id, 4);
	for (size_t i = 0; i < sizeof(frame); i++) {
		assert_false(i && ipc_fill(&r->root) > 0);
		assert_int_equal(write(r->root.fd, frame + i, 1), 1);
		turn(r);
	}
	struct ipc_msg m = next_message(r);
	assert_int_equal(m.type, MSG_PONG);
	assert_int_equal(m.id, 99);
	ipc_msg_done(&m);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_answers_find_their_question),
		CASE(test_ask_with_words),
		CASE(test_useless_answers),
		CASE(test_descriptors),
		CASE(test_ping),
		CASE(test_send_json),
		CASE(test_full_queue),
		CASE(test_root_leaves),
		cmocka_unit_test(test_broken_frames),
		CASE(test_slow_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
