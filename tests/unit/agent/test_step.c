/* Steps one by one: what they ask, what they answer, what they refuse. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "agent/step.h"
#include "tests/unit/agent/net_rig.h"

#define IGNITION \
	"{\"ignition\":{\"version\":\"3.2.0\"},\"storage\":{\"files\":[{\"path\":\"/etc/shadow\"}]}}"

/* A run whose end is caught instead of being posted. */
struct caught {
	struct step_run run; /* first */
	bool is_done;
	int exit_code;
	char *output, *error;
};

static void on_finish(struct step_run *run, int exit_code, const char *output, const char *error)
{
	struct caught *c = (struct caught *)run;

	assert_false(c->is_done); /* exactly once */
	c->is_done = true;
	c->exit_code = exit_code;
	c->output = str_dup(output);
	c->error = str_dup(error);
}

static bool is_done(struct fake *f)
{
	return ((struct caught *)f->ctx)->is_done;
}

static void caught_done(struct caught *c)
{
	free(c->output);
	free(c->error);
}

/* Runs the step to its end. @arg: its one argument, NULL = none. */
static struct caught run_step(struct net_rig *r, const struct step_ops *ops, const char *arg)
{
	struct caught c = { .run = { .net = &r->net,
				     .ops = ops,
				     .type = ops->type,
				     .step_type = (char *)step_type_name(ops->type),
				     .step_id = (char *)"id",
				     .finish = on_finish } };
	char *argv[] = { (char *)arg };
	struct json_strs args = { .v = argv, .n = arg ? 1 : 0 };

	r->f->ctx = &c;
	ops->start(&c.run, &args);
	fake_wait(r->f, 40, is_done);
	r->f->ctx = NULL;
	return c;
}

static int setup(void **state)
{
	int status = rig_setup(state);
	struct net_rig *r = *state;
	struct agent_config config = { 0 };

	rig_start(r, &config, FAKE_HOST, FAKE_IE);
	return status;
}

static void test_table(void **state)
{
	static const enum step_type known[] = {
		STEP_INVENTORY,        STEP_API_VIP_CONNECTIVITY_CHECK,
		STEP_NTP_SYNCHRONIZER, STEP_DOMAIN_RESOLUTION,
		STEP_INSTALL,          STEP_STOP_INSTALLATION,
		STEP_LOGS_GATHER,      STEP_UPGRADE_AGENT,
	};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		assert_non_null(step_find(known[i]));
		assert_int_equal(step_find(known[i])->type, known[i]);
	}
	/* there is no way to have a program run */
	assert_null(step_find(STEP_EXECUTE));
	assert_null(step_find(STEP_UNKNOWN));
	assert_null(step_find(STEP_INSTALLATION_DISK_SPEED_CHECK));
}

/* --- api-vip-connectivity-check ----------------------------------------------------------------- */

static int serve_ignition(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	if (!fake_is(s, "GET", "/config/worker"))
		return 0;
	*ret_body = str_dup(f->counter == 200 ? IGNITION : "<html>no</html>");
	return (int)f->counter;
}

/* @with_ca: the certificate of the test's server goes along, as an installer's would. */
static char *vip_arg(const struct net_rig *r, bool with_ca)
{
	AUTO(freep) char *ca = base64_encode(r->f->ca_pem, strlen(r->f->ca_pem));
	AUTO(freep) char *url = str_printf("%s/config/worker", r->f->url);
	AUTO(json_decrefp)
	json_t *arg = json_pack("{s:s, s:s, s:[{s:s, s:s}]}", "url", url, "ignition_endpoint_token",
				"tok", "request_headers", "key", "X-Secret-Key", "value",
				"from-header");
	if (with_ca)
		json_object_set_new(arg, "ca_certificate", json_string(ca));
	return json_text(arg, false);
}

static void test_vip_good(void **state)
{
	struct net_rig *r = *state;
	AUTO(freep) char *arg = vip_arg(r, true);

	r->f->answer = serve_ignition;
	r->f->counter = 200;
	AUTO(caught_done) struct caught c = run_step(r, &step_api_vip, arg);
	assert_int_equal(c.exit_code, 0);
	AUTO(json_decrefp) json_t *out = json_loads(c.output, 0, NULL);
	assert_true(json_flag(out, "is_success"));
	assert_non_null(strstr(json_str(out, "url"), "/config/worker"));
	assert_string_equal(json_str(out, "ignition"),
			    "{\"ignition\":{\"version\":\"3.2.0\"},\"storage\":{}}");
	assert_null(json_child(out, "download_error"));
	assert_int_equal(r->f->n, 1);
	assert_string_equal(r->f->seen[0].secret, "from-header");
	assert_null(r->f->seen[0].slipway); /* the cluster is not told about the service */
}

static void expect_vip_error(struct net_rig *r, const char *arg, const char *words)
{
	AUTO(caught_done) struct caught c = run_step(r, &step_api_vip, arg);

	assert_int_equal(c.exit_code, 0);
	AUTO(json_decrefp) json_t *out = json_loads(c.output, 0, NULL);
	assert_null(json_child(out, "is_success"));
	if (!json_str(out, "download_error") || !strstr(json_str(out, "download_error"), words))
		fail_msg("%s", c.output);
	assert_string_equal(c.error, "ignition file download failed");
}

static void test_vip_errors(void **state)
{
	struct net_rig *r = *state;
	AUTO(freep) char *arg = vip_arg(r, true);
	AUTO(freep) char *no_ca = vip_arg(r, false);

	r->f->answer = serve_ignition;
	r->f->counter = 404;
	expect_vip_error(r, arg, "HTTP 404: <html>no</html>");
	r->f->counter = 299; /* not the answer that was asked for */
	expect_vip_error(r, arg, "HTTP 299");
	r->f->counter = 200;
	expect_vip_error(r, no_ca, "certificate");
	expect_vip_error(r, "{\"url\":\"http://127.0.0.1:1/config/worker\"}", "127.0.0.1");
	expect_vip_error(r, "{\"url\":\"file:///etc/passwd\"}", "");
	expect_vip_error(r, "{\"url\":\"http://x/\",\"ca_certificate\":\"%\"}", "ca_certificate");
	expect_vip_error(
		r,
		"{\"url\":\"http://x/\",\"request_headers\":[{\"key\":\"a\\r\\nb\",\"value\":\"\"}]}",
		"headers");
}

static void test_bad_arguments(void **state)
{
	struct net_rig *r = *state;
	const struct {
		const struct step_ops *ops;
		const char *arg;
	} rows[] = {
		{ &step_api_vip, NULL },
		{ &step_api_vip, "" },
		{ &step_api_vip, "[]" },
		{ &step_api_vip, "{}" },
		{ &step_inventory, NULL },
		{ &step_stop, "x" },
		{ &step_domain, "{}" },
		{ &step_domain, "{\"domains\":[{}]}" },
		{ &step_domain, "{\"domains\":[{\"domain_name\":\"a\\nb\"}]}" },
		{ &step_ntp, "7" },
		{ &step_ntp, "{\"ntp_source\":\"a\\u0007b\"}" },
		{ &step_upgrade, "{}" },
		{ &step_upgrade, "{\"agent_image\":\"a b\"}" },
		{ &step_logs, "{\"cluster_id\":\"..\"}" },
		{ &step_install, "{}" },
		{ &step_install, "not JSON" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(caught_done) struct caught c = run_step(r, rows[i].ops, rows[i].arg);
		if (c.exit_code != STEP_EXIT_BAD_ARGS || str_empty(c.error) || c.output)
			fail_msg("row %zu: %d %s", i, c.exit_code, c.error);
	}
	assert_int_equal(r->f->n, 0);
}

/* --- ntp-synchronizer ------------------------------------------------------------------------------ */

struct ntp_server {
	int fd;
	struct event *ev;
	char name[32];
	bool is_lying; /* answers something nobody asked for */
};

static void on_query(evutil_socket_t fd, short what, void *ctx)
{
	struct ntp_server *s = ctx;
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	uint8_t p[48];

	if (recvfrom(fd, p, sizeof(p), 0, (struct sockaddr *)&peer, &len) != sizeof(p))
		return;
	uint64_t now = ((uint64_t)time(NULL) + 2208988800u) << 32;
	memmove(p + 24, p + 40, 8);
	for (int i = 0; i < 8; i++)
		p[32 + i] = p[40 + i] = (uint8_t)(now >> (56 - 8 * i));
	p[0] = 0x24;
	p[1] = 1;
	if (s->is_lying)
		p[24] ^= 1;
	(void)sendto(fd, p, sizeof(p), 0, (struct sockaddr *)&peer, len);
}

static void ntp_start(struct ntp_server *s, struct event_base *base, bool is_lying)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	s->is_lying = is_lying;
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
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

static void test_ntp(void **state)
{
	struct net_rig *r = *state;
	struct ntp_server good, liar;

	ntp_start(&good, r->f->base, false);
	ntp_start(&liar, r->f->base, true);
	str_set(&r->net.config.ntp_sources, good.name); /* named twice: asked once */
	AUTO(freep) char *arg = str_printf("{\"ntp_source\":\"%s, %s\"}", liar.name, good.name);
	AUTO(freep)
	char *want = str_printf(
		"{\"ntp_sources\":[{\"source_name\":\"%s\",\"source_state\":\"unreachable\"},"
		"{\"source_name\":\"%s\",\"source_state\":\"synced\"}]}",
		liar.name, good.name);
	AUTO(caught_done) struct caught c = run_step(r, &step_ntp, arg);
	assert_int_equal(c.exit_code, 0);
	assert_string_equal(c.output, want);
	ntp_stop(&good);
	ntp_stop(&liar);
}

/* --- the others --------------------------------------------------------------------------------------- */

static void test_inventory(void **state)
{
	struct net_rig *r = *state;

	r->inventory = str_dup("{\"hostname\":\"x\"}");
	AUTO(caught_done) struct caught c = run_step(r, &step_inventory, FAKE_HOST);
	assert_int_equal(c.exit_code, 0);
	assert_string_equal(c.output, "{\"hostname\":\"x\"}");
}

static void test_stop_without_installation(void **state)
{
	struct net_rig *r = *state;
	AUTO(caught_done) struct caught c = run_step(r, &step_stop, NULL);

	assert_int_equal(c.exit_code, 0);
	assert_int_equal(r->cancels, 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		CASE(test_vip_good),
		CASE(test_vip_errors),
		CASE(test_bad_arguments),
		CASE(test_ntp),
		CASE(test_inventory),
		CASE(test_stop_without_installation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
