/* ntp-synchronizer: which servers give a usable time, and which answers are none. */
#include <netinet/in.h>
#include <sys/socket.h>
#include "agent/sntp.h"
#include "tests/unit/agent/dns_server.h"
#include "tests/unit/agent/step_rig.h"

#define NTP_UNIX 2208988800u /* seconds from 1900 to 1970 */

struct ntp_server {
	int fd;
	struct event *ev;
	char name[32];
	unsigned queries;
	/* Changes a good answer; may set *@len. NULL = it stays good. */
	void (*spoil)(uint8_t *p, size_t *len);
};

static void put_time(uint8_t *p, uint64_t ntp)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(ntp >> (56 - 8 * i));
}

static void on_query(evutil_socket_t fd, short what, void *ctx)
{
	struct ntp_server *s = ctx;
	struct sockaddr_in peer;
	socklen_t peer_len = sizeof(peer);
	uint8_t q[SNTP_LEN + 1], p[1024] = { 0x24, 1 }; /* version 4, server; stratum 1 */
	size_t len = SNTP_LEN;

	if (recvfrom(fd, q, sizeof(q), 0, (struct sockaddr *)&peer, &peer_len) != SNTP_LEN)
		return;
	s->queries++;
	uint64_t now = ((uint64_t)time(NULL) + NTP_UNIX) << 32;
	put_time(p + 16, now);
	memcpy(p + 24, q + 40, 8); /* originate = the query's transmit time */
	put_time(p + 32, now);
	put_time(p + 40, now);
	if (s->spoil)
		s->spoil(p, &len);
	if (len)
		(void)sendto(fd, p, len, 0, (struct sockaddr *)&peer, peer_len);
}

static void ntp_start(struct ntp_server *s, struct event_base *base)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	*s = (struct ntp_server){ .fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0) };
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &len), 0);
	snprintf(s->name, sizeof(s->name), "127.0.0.1:%u", ntohs(a.sin_port));
	s->ev = event_new(base, s->fd, EV_READ | EV_PERSIST, on_query, s);
	event_add(s->ev, NULL);
}

static void ntp_stop(struct ntp_server *s)
{
	event_free(s->ev);
	close(s->fd);
}

static void say_nothing(uint8_t *p, size_t *len)
{
	*len = 0;
}
static void cut(uint8_t *p, size_t *len)
{
	*len = SNTP_LEN - 1;
}
static void one_byte(uint8_t *p, size_t *len)
{
	*len = 1;
}
static void wrong_originate(uint8_t *p, size_t *len)
{
	p[24] ^= 1;
}
static void be_a_client(uint8_t *p, size_t *len)
{
	p[0] = 0x23;
}
static void be_unsynchronised(uint8_t *p, size_t *len)
{
	p[0] |= 0xC0; /* leap indicator 3 */
}
static void kiss_of_death(uint8_t *p, size_t *len)
{
	p[1] = 0;
	memcpy(p + 12, "DENY", 4);
}
static void be_far_away(uint8_t *p, size_t *len)
{
	p[1] = 16;
}
static void tell_no_time(uint8_t *p, size_t *len)
{
	memset(p + 40, 0, 8);
}
static void add_extensions(uint8_t *p, size_t *len)
{
	*len = SNTP_LEN + 20; /* RFC 7822: a key and a digest behind the header */
}

static const struct {
	const char *what;
	void (*spoil)(uint8_t *p, size_t *len);
	bool is_good;
} answers[] = {
	{ "as it should be", NULL, true },
	{ "with extensions", add_extensions, true },
	{ "silent", say_nothing, false },
	{ "cut short", cut, false },
	{ "one byte", one_byte, false },
	{ "to another question", wrong_originate, false },
	{ "from a client", be_a_client, false },
	{ "unsynchronised", be_unsynchronised, false },
	{ "kiss of death", kiss_of_death, false },
	{ "stratum 16", be_far_away, false },
	{ "no time", tell_no_time, false },
};

/* Every kind of server at the same time: each is judged by itself, nobody waits for another. */
static void test_answers(void **state)
{
	struct net_rig *r = *state;
	struct ntp_server servers[ARRAY_SIZE(answers)];
	struct buf list;

	buf_init(&list, 4096);
	r->net.step_wait_ms = 1000;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		ntp_start(&servers[i], r->f->base);
		servers[i].spoil = answers[i].spoil;
		buf_printf(&list, "%s%s", i ? "," : "", servers[i].name);
	}
	AUTO(freep) char *arg = str_printf("{\"ntp_source\":\"%s\"}", list.data);
	AUTO(caught_done) struct caught c = run_step(r, &step_ntp, arg);
	assert_int_equal(c.exit_code, STEP_EXIT_OK);
	AUTO(json_decrefp) json_t *out = json_loads(c.output, 0, NULL);
	json_t *sources = json_child(out, "ntp_sources");
	assert_int_equal(json_array_size(sources), ARRAY_SIZE(answers));
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		json_t *s = json_array_get(sources, i);
		assert_string_equal(json_str(s, "source_name"), servers[i].name);
		bool is_good = str_eq(json_str(s, "source_state"), "synced");
		if (is_good != answers[i].is_good)
			fail_msg("%s: %s", answers[i].what, json_str(s, "source_state"));
		assert_int_equal(servers[i].queries, 1);
		ntp_stop(&servers[i]);
	}
	buf_done(&list);
}

/* Good servers are not waited for: the step ends with the last answer. */
static void test_ends_with_the_last_answer(void **state)
{
	struct net_rig *r = *state;
	struct ntp_server good;

	ntp_start(&good, r->f->base);
	r->net.step_wait_ms = 30000;
	AUTO(freep) char *arg = str_printf("{\"ntp_source\":\"%s\"}", good.name);
	int64_t from_ms = time_mono_ms();
	AUTO(caught_done) struct caught c = run_step(r, &step_ntp, arg);
	assert_in_range(time_mono_ms() - from_ms, 0, 10000);
	assert_non_null(strstr(c.output, "\"synced\""));
	ntp_stop(&good);
}

/* Instruction, configuration and lease together, each source once, in that order. */
static void test_sources(void **state)
{
	struct net_rig *r = *state;
	struct ntp_server one, two, three;
	char path[80];

	ntp_start(&one, r->f->base);
	ntp_start(&two, r->f->base);
	ntp_start(&three, r->f->base);
	snprintf(path, sizeof(path), "%s/dhcp-ntp", r->f->dir);
	AUTO(freep) char *lease = str_printf("%s\n%s\n\n", three.name, one.name);
	assert_int_equal(file_create_at(AT_FDCWD, path, lease, strlen(lease), 0600, NULL), 0);
	r->net.dhcp_ntp = path;
	str_set(&r->net.config.ntp_sources, two.name);
	AUTO(freep) char *arg = str_printf("{\"ntp_source\":\" %s , ,%s,\"}", one.name, two.name);
	AUTO(freep)
	char *want =
		str_printf("{\"ntp_sources\":[{\"source_name\":\"%s\",\"source_state\":\"synced\"},"
			   "{\"source_name\":\"%s\",\"source_state\":\"synced\"},"
			   "{\"source_name\":\"%s\",\"source_state\":\"synced\"}]}",
			   one.name, two.name, three.name);
	AUTO(caught_done) struct caught c = run_step(r, &step_ntp, arg);
	assert_string_equal(c.output, want);
	assert_int_equal(one.queries + two.queries + three.queries, 3);
	ntp_stop(&one);
	ntp_stop(&two);
	ntp_stop(&three);
}

/* What a DHCP server says is no reason to refuse the step: too many, nonsense, too much. */
static void test_bad_leases(void **state)
{
	struct net_rig *r = *state;
	struct ntp_server good;
	char path[80];

	ntp_start(&good, r->f->base);
	r->net.step_wait_ms = 300;
	snprintf(path, sizeof(path), "%s/dhcp-ntp", r->f->dir);
	r->net.dhcp_ntp = path;
	AUTO(freep) char *arg = str_printf("{\"ntp_source\":\"%s\"}", good.name);
	for (int i = 0; i < 3; i++) {
		struct buf lease;
		buf_init(&lease, 8192);
		for (int n = 0; n < (i == 0 ? 30 : i == 1 ? 1 : 1000); n++)
			buf_printf(&lease, i == 1 ? "one two %d\n" : "127.0.0.1:%d\n", n + 1);
		assert_int_equal(file_replace_at(AT_FDCWD, path, lease.data, lease.len, 0600, NULL),
				 0);
		buf_done(&lease);
		AUTO(caught_done) struct caught c = run_step(r, &step_ntp, arg);
		assert_int_equal(c.exit_code, STEP_EXIT_OK);
		AUTO(json_decrefp) json_t *out = json_loads(c.output, 0, NULL);
		json_t *sources = json_child(out, "ntp_sources");
		assert_in_range(json_array_size(sources), 1, 16);
		assert_string_equal(json_str(json_array_get(sources, 0), "source_state"), "synced");
	}
	ntp_stop(&good);
}

/* Names that do not resolve, or resolve to nobody, are unreachable; nobody listens: that comes at once. */
static void test_unreachable(void **state)
{
	struct net_rig *r = *state;
	struct dns_server dns;

	dns_start(&dns, r->f->base, r->f->dir, NULL);
	r->net.resolv_conf = dns.conf;
	r->net.step_wait_ms = 1000;
	AUTO(caught_done)
	struct caught c =
		run_step(r, &step_ntp,
			 "{\"ntp_source\":\"missing.test,silent.test,wrong-id.test,127.0.0.1:1\"}");
	assert_string_equal(c.output,
			    "{\"ntp_sources\":["
			    "{\"source_name\":\"missing.test\",\"source_state\":\"unreachable\"},"
			    "{\"source_name\":\"silent.test\",\"source_state\":\"unreachable\"},"
			    "{\"source_name\":\"wrong-id.test\",\"source_state\":\"unreachable\"},"
			    "{\"source_name\":\"127.0.0.1:1\",\"source_state\":\"unreachable\"}]}");
	assert_true(dns_was_asked(&dns, "missing.test") && dns_was_asked(&dns, "silent.test"));
	dns_stop(&dns);
}

static void test_no_sources(void **state)
{
	struct net_rig *r = *state;
	AUTO(caught_done) struct caught c = run_step(r, &step_ntp, "{\"ntp_source\":\"\"}");

	assert_int_equal(c.exit_code, STEP_EXIT_OK);
	assert_string_equal(c.output, "{\"ntp_sources\":[]}");
}

static void test_refusals(void **state)
{
	struct net_rig *r = *state;
	struct buf list;

	expect_refusal(r, &step_ntp, "{\"ntp_source\":\"a b\"}", "ntp_source");
	expect_refusal(r, &step_ntp, "{\"ntp_source\":\"a\\u0007b\"}", "ntp_source");
	expect_refusal(r, &step_ntp, "{\"ntp_source\":\"a\\nb\"}", "ntp_source");
	AUTO(freep) char *name = malloc(256);
	memset(name, 'a', 255);
	name[255] = '\0';
	AUTO(freep) char *long_name = str_printf("{\"ntp_source\":\"%s\"}", name);
	expect_refusal(r, &step_ntp, long_name, "ntp_source");

	buf_init(&list, 4096);
	for (int i = 0; i < 17; i++)
		buf_printf(&list, "127.0.0.1:%d,", i + 1);
	AUTO(freep) char *many = str_printf("{\"ntp_source\":\"%s\"}", list.data);
	expect_refusal(r, &step_ntp, many, "ntp_source");
	buf_done(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STEP_CASE(test_answers),     STEP_CASE(test_ends_with_the_last_answer),
		STEP_CASE(test_sources),     STEP_CASE(test_bad_leases),
		STEP_CASE(test_unreachable), STEP_CASE(test_no_sources),
		STEP_CASE(test_refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
