/* News of the network cut a back-off short, and nothing else does. The kernel's messages are the test's own, through the socket's descriptor. */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include "tests/unit/agent/net_rig.h"

#define LONG_MS 60000

struct links_rig {
	struct net net;
	struct event_base *base;
	int kernel; /* what is written here, the agent hears */
	unsigned tries;
};

static void on_try(struct net *n)
{
	((struct links_rig *)n)->tries++; /* net comes first */
}

static int setup(void **state)
{
	struct links_rig *r = calloc(1, sizeof(*r));
	int fds[2];

	r->net.base = r->base = event_base_new();
	net_links_begin(&r->net);
	assert_non_null(r->net.links);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	/* the event knows its descriptor by number, the loop's epoll by what is behind it */
	int fd = event_get_fd(r->net.links);
	event_del(r->net.links);
	assert_int_equal(dup2(fds[1], fd), fd);
	event_add(r->net.links, NULL);
	close(fds[1]);
	r->kernel = fds[0];
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct links_rig *r = *state;

	if (r->net.timer)
		event_free(r->net.timer);
	closep(&(int){ event_get_fd(r->net.links) });
	event_free(r->net.links);
	close(r->kernel);
	event_base_free(r->base);
	free(r);
	return 0;
}

static void say(struct links_rig *r, const void *data, size_t len)
{
	assert_int_equal(send(r->kernel, data, len, 0), len);
	event_base_loop(r->base, EVLOOP_NONBLOCK);
}

static void say_type(struct links_rig *r, uint16_t type)
{
	struct {
		struct nlmsghdr h;
		char body[64];
	} m = { .h = { .nlmsg_len = sizeof(m), .nlmsg_type = type } };

	say(r, &m, sizeof(m));
}

static int64_t wait_ms(const struct net *n)
{
	struct timeval at, now;

	if (!n->timer || !evtimer_pending(n->timer, &at))
		return -1;
	evutil_gettimeofday(&now, NULL);
	return (at.tv_sec - now.tv_sec) * 1000 + (at.tv_usec - now.tv_usec) / 1000;
}

/* As after a failure @ago_ms ago whose back-off is long. */
static void wait_long(struct links_rig *r, int64_t ago_ms)
{
	net_schedule(&r->net, LONG_MS, on_try);
	r->net.is_waiting_to_retry = true;
	r->net.last_try_ms = time_mono_ms() - ago_ms;
}

static void test_what_is_news(void **state)
{
	static const struct {
		uint16_t type;
		bool is_news;
	} rows[] = {
		{ RTM_NEWADDR, true },   { RTM_NEWROUTE, true }, { RTM_DELADDR, false },
		{ RTM_DELROUTE, false }, { RTM_NEWLINK, false }, { RTM_NEWNEIGH, false },
		{ NLMSG_NOOP, false },   { NLMSG_ERROR, false }, { NLMSG_DONE, false },
		{ 0xFFFF, false },
	};
	struct links_rig *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wait_long(r, 5000);
		say_type(r, rows[i].type);
		bool is_soon = wait_ms(&r->net) < 1000;
		if (is_soon != rows[i].is_news)
			fail_msg("type %u: %s", rows[i].type, is_soon ? "tries" : "waits");
	}
}

/* The try comes, once for all the messages of a lease, and then waits again. */
static void test_one_try(void **state)
{
	struct links_rig *r = *state;

	wait_long(r, 5000);
	for (int i = 0; i < 10; i++)
		say_type(r, i % 2 ? RTM_NEWADDR : RTM_NEWROUTE);
	assert_int_equal(r->tries, 0);
	for (int64_t end = time_mono_ms() + 5000; !r->tries && time_mono_ms() < end;)
		event_base_loop(r->base, EVLOOP_ONCE);
	assert_int_equal(r->tries, 1);
	say_type(r, RTM_NEWADDR); /* nothing waits: nothing is moved */
	assert_int_equal(wait_ms(&r->net), -1);
}

/* No more than one try a second, however often the network changes. */
static void test_not_too_often(void **state)
{
	struct links_rig *r = *state;

	wait_long(r, 0);
	say_type(r, RTM_NEWADDR);
	assert_true(wait_ms(&r->net) > LONG_MS - 5000);
	wait_long(r, 1001);
	say_type(r, RTM_NEWADDR);
	assert_in_range(wait_ms(&r->net), 0, 1000);
}

/* A poll that is due in its time is not a back-off, and neither is a refusal's wait. */
static void test_only_a_back_off(void **state)
{
	struct links_rig *r = *state;

	net_schedule(&r->net, LONG_MS, on_try);
	say_type(r, RTM_NEWADDR);
	assert_true(wait_ms(&r->net) > LONG_MS - 5000);

	net_retry(&r->net, BACKOFF_REFUSED, LONG_MS, on_try);
	r->net.last_try_ms = 0;
	say_type(r, RTM_NEWADDR);
	assert_true(wait_ms(&r->net) > LONG_MS - 5000);

	net_retry(&r->net, BACKOFF_TRANSIENT, LONG_MS, on_try);
	r->net.last_try_ms = 0;
	say_type(r, RTM_NEWADDR);
	assert_in_range(wait_ms(&r->net), 0, 1000);
}

/* Cut, empty, lying and long messages: no harm, and what is good among them counts. */
static void test_nonsense(void **state)
{
	struct links_rig *r = *state;
	struct {
		struct nlmsghdr h;
		char body[16];
	} m = { .h = { .nlmsg_len = sizeof(m), .nlmsg_type = RTM_NEWADDR } };
	static const uint32_t lengths[] = { 0, 1, 15, sizeof(m) + 1, 0xFFFFFFFF };
	char large[20000] = { 0 };

	wait_long(r, 5000);
	say(r, &m, 1);
	say(r, &m, sizeof(m.h) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		m.h.nlmsg_len = lengths[i];
		say(r, &m, sizeof(m));
	}
	say(r, large, sizeof(large)); /* longer than the buffer: cut */
	say(r, "", 0);
	assert_true(wait_ms(&r->net) > LONG_MS - 5000);

	/* behind another one */
	struct nlmsghdr two[2] = { { .nlmsg_len = sizeof(two[0]), .nlmsg_type = RTM_DELADDR },
				   { .nlmsg_len = sizeof(two[0]), .nlmsg_type = RTM_NEWROUTE } };
	say(r, two, sizeof(two));
	assert_in_range(wait_ms(&r->net), 0, 1000);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_what_is_news),    CASE(test_one_try),  CASE(test_not_too_often),
		CASE(test_only_a_back_off), CASE(test_nonsense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
