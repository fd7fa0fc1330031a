/* Datagrams of the running kernel: where a dump ends, what its errors are, that something changed meanwhile. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sched.h>
#include <sys/wait.h>
#include "hwprobe/netdump_live.h"
#include "tests/unit/hwprobe/messages.h"

static struct nl_msg *message(int type, int flags, const void *data, size_t len)
{
	struct nl_msg *m = nlmsg_alloc_simple(type, flags);
	nlmsg_append(m, (void *)data, len, NLMSG_ALIGNTO);
	return m;
}

/* @asked: bytes of the message that failed; -1 = only its header (NLM_F_CAPPED). @text: NULL = no explanation. */
static void add_error(struct dump *d, int error, int asked, const char *text)
{
	struct nlmsgerr e = { .error = error,
			      .msg.nlmsg_len = NLMSG_HDRLEN + (asked < 0 ? 100 : (unsigned)asked) };
	int flags = (text ? NLM_F_ACK_TLVS : 0) | (asked < 0 ? NLM_F_CAPPED : 0);
	struct nl_msg *m = message(NLMSG_ERROR, flags, &e, sizeof(e));
	if (asked > 0)
		nlmsg_append(m, (char[64]){ 1 }, (size_t)asked, NLMSG_ALIGNTO);
	if (text)
		nla_put_string(m, NLMSGERR_ATTR_MSG, text);
	dump_add(d, m);
}

static void add_end(struct dump *d, int error, const char *text)
{
	struct nl_msg *m = message(NLMSG_DONE, text ? NLM_F_ACK_TLVS : 0, &error, sizeof(error));
	if (text)
		nla_put_string(m, NLMSGERR_ATTR_MSG, text);
	dump_add(d, m);
}

static void test_ends(void **state)
{
	static const struct {
		const char *what;
		bool is_error; /* else the end of a dump */
		int error, asked;
		const char *text;
		int want;
	} cases[] = {
		{ "the end", false, 0, 0, NULL, 1 },
		{ "an end that failed", false, -EMSGSIZE, 0, NULL, -EMSGSIZE },
		{ "and says why", false, -EINVAL, 0, "ipv4: bad", -EINVAL },
		{ "an error", true, -EPERM, 0, NULL, -EPERM },
		{ "an error that says why", true, -ENOENT, -1, "ipv4: no table", -ENOENT },
		{ "behind all that was asked", true, -ENOENT, 12, "ipv4: no table", -ENOENT },
		{ "an acknowledgement", true, 0, 0, NULL, -EBADMSG },
		{ "no errno", true, 5, 0, NULL, -EBADMSG },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dump d = { 0 };
		struct netdump_result r = { 0 };
		print_message("%s\n", cases[i].what);
		add_link(&d, 1, "lo");
		if (cases[i].is_error)
			add_error(&d, cases[i].error, cases[i].asked, cases[i].text);
		else
			add_end(&d, cases[i].error, cases[i].text);
		assert_int_equal(netdump_scan(d.data, d.len, &r), cases[i].want);
		assert_string_equal(r.detail, cases[i].text ? cases[i].text : "");
		assert_false(r.has_changed);
	}
}

static void test_more_follows(void **state)
{
	struct dump d = { 0 };
	struct netdump_result r = { 0 };
	add_link(&d, 1, "lo");
	size_t first = d.len;
	add_link(&d, 2, "eth0");
	assert_int_equal(netdump_scan(d.data, d.len, &r), 0);
	assert_false(r.has_changed);
	((struct nlmsghdr *)(d.data + first))->nlmsg_flags = NLM_F_MULTI | NLM_F_DUMP_INTR;
	assert_int_equal(netdump_scan(d.data, d.len, &r), 0);
	assert_true(r.has_changed);
	add_end(&d, 0, NULL); /* does not forget it */
	assert_int_equal(netdump_scan(d.data, d.len, &r), 1);
	assert_true(r.has_changed);
}

/* Cut anywhere: nothing is read behind the end. */
static void test_cut(void **state)
{
	struct dump d = { 0 };
	add_link(&d, 1, "lo");
	size_t whole = d.len;
	add_error(&d, -ENOENT, 12, "ipv4: no table");
	for (size_t len = 0; len < d.len; len++) {
		struct netdump_result r = { 0 };
		char *copy = malloc(len ? len : 1);
		memcpy(copy, d.data, len);
		/* Less than a header behind the last message is padding. */
		bool is_whole = len < NLMSG_HDRLEN || (len >= whole && len < whole + NLMSG_HDRLEN);
		assert_int_equal(netdump_scan(copy, len, &r), is_whole ? 0 : -EBADMSG);
		free(copy);
	}
	/* An explanation that says it is longer than the message. */
	for (uint32_t asked = 0; asked < 200; asked++) {
		struct netdump_result r = { 0 };
		struct nlmsgerr *e = nlmsg_data((struct nlmsghdr *)(d.data + whole));
		e->msg.nlmsg_len = asked < 100 ? asked : UINT32_MAX - asked;
		assert_int_equal(netdump_scan(d.data, d.len, &r), -ENOENT);
	}
}

enum { ALT_NAMES = 400, NOT_ALLOWED = 77, BROKEN = 78 };

/* Gives the loopback interface so many other names that its message is longer than the kernel's usual ones (32 KiB). */
static bool add_alt_names(struct nl_sock *sk)
{
	struct ifinfomsg head = { .ifi_index = 1 };
	for (int i = 0; i < ALT_NAMES; i++) {
		char name[128];
		snprintf(name, sizeof(name), "%0120d", i);
		struct nl_msg *m = nlmsg_alloc_simple(RTM_NEWLINKPROP,
						      NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND);
		nlmsg_append(m, &head, sizeof(head), NLMSG_ALIGNTO);
		struct nlattr *list = nla_nest_start(m, IFLA_PROP_LIST);
		nla_put_string(m, IFLA_ALT_IFNAME, name);
		nla_nest_end(m, list);
		if (nl_send_sync(sk, m) < 0)
			return false;
	}
	return true;
}

/* In a network namespace of its own. The exit code is the number of interfaces found, with all names where @flags asks for them. */
static int count_links(unsigned flags)
{
	struct nl_sock *sk = nl_socket_alloc();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET) < 0)
		return NOT_ALLOWED;
	if (nl_connect(sk, NETLINK_ROUTE) < 0 || !add_alt_names(sk))
		return NOT_ALLOWED;
	nl_socket_free(sk);
	struct hwp_options opt = { .size = sizeof(opt), .parts = HWP_NICS, .flags = flags };
	struct hwp_inventory *inv = NULL;
	struct hwp_ctx *ctx = NULL;
	if (hwp_open(&ctx, &opt) < 0 || hwp_probe(ctx, 0, &inv) < 0 || hwp_errors(inv, NULL))
		return BROKEN;
	int n = (int)hwp_nic_count(inv);
	if (n && flags & HWP_MORE && hwp_nic_at(inv, 0)->alt_names.n != ALT_NAMES)
		n = BROKEN;
	hwp_unref(inv);
	hwp_close(ctx);
	return n;
}

static void test_long_message(void **state)
{
	static const unsigned flags[] = { 0, HWP_MORE };
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		int status = 0;
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (!pid)
			_exit(count_links(flags[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == NOT_ALLOWED) {
			print_message("no network namespace, or no other names (Linux 5.5) here\n");
			skip();
		}
		assert_true(WEXITSTATUS(status) >= 1 && WEXITSTATUS(status) != BROKEN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_more_follows),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_long_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
