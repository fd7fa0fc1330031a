/* The network process as a process: its first message, whom it speaks to and through what, how it ends. */
#include "tests/unit/agent/fake_service.h"
#include "tests/unit/agent/raw_server.h"

struct child {
	pid_t pid;
	struct ipc ipc;
	char log[96];
};

/* net_main() in a process of its own; @c->ipc is the root process's end. */
static void child_start(struct child *c, const struct fake *f)
{
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(ipc_pair(fds), 0);
	snprintf(c->log, sizeof(c->log), "%s/net.log", f->dir);
	c->pid = fork();
	assert_true(c->pid >= 0);
	if (c->pid == 0) {
		int log = open(c->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		close(fds[1]);
		dup2(log, STDERR_FILENO);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(net_main(fds[0]));
	}
	close(fds[0]);
	ipc_init(&c->ipc, fds[1], MSG_PAYLOAD_MAX);
}

/* Hangs up and waits; the exit status, or -signal. */
static int child_end(struct child *c)
{
	char rest[4096];
	int status;

	/* Not before everything was read: closing with something unread is a reset, no end (unix_release_sock() in the kernel's net/unix/af_unix.c). */
	shutdown(c->ipc.fd, SHUT_WR);
	while (recv(c->ipc.fd, rest, sizeof(rest), 0) > 0)
		;
	ipc_done(&c->ipc);
	for (int i = 0; i < 1000; i++) {
		if (waitpid(c->pid, &status, WNOHANG) == c->pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
		usleep(10000);
	}
	kill(c->pid, SIGKILL);
	waitpid(c->pid, &status, 0);
	return -SIGALRM;
}

static char *child_log(const struct child *c)
{
	char *text = NULL;
	size_t len;

	return file_read_at(AT_FDCWD, c->log, 1 << 20, &text, &len, NULL) < 0 ? str_dup("") : text;
}

static json_t *config_of(const char *url, const struct fake *f, bool is_registered)
{
	struct agent_config c = { .interval_s = 1 };

	str_set(&c.url, url);
	str_set(&c.infra_env_id, FAKE_IE);
	str_set(&c.host_id, FAKE_HOST);
	str_set(&c.ca_pem, f->ca_pem);
	secret_set(&c.token, FAKE_TOKEN);
	json_t *obj = agent_config_encode(&c);
	json_object_set_new(obj, "is_registered", json_boolean(is_registered));
	agent_config_done(&c);
	return obj;
}

static void send_config(struct child *c, json_t *obj)
{
	AUTO(freep) char *text = json_text(obj, false);

	assert_int_equal(ipc_send(&c->ipc, MSG_CONFIG, 0, text, strlen(text), -1), 0);
	json_decref(obj);
}

/* Without a usable configuration there is nothing to do: status 1, and it says why. */
static void test_bad_first_message(void **state)
{
	static const struct {
		uint16_t type;
		const char *text, *words;
	} rows[] = {
		{ 0, NULL, "no configuration came" }, /* hangs up at once */
		{ MSG_PING, "", "no configuration" },
		{ MSG_PING, "{}", "no configuration" },
		{ MSG_CONFIG, "", "no configuration" },
		{ MSG_CONFIG, "{", "no configuration" },
		{ MSG_CONFIG, "nonsense", "no configuration" },
		{ MSG_CONFIG, "[]", "" },
		{ MSG_CONFIG, "{\"url\":7}", "" },
	};
	struct fake *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct child c;
		child_start(&c, f);
		if (rows[i].text)
			assert_int_equal(ipc_send(&c.ipc, rows[i].type, 1, rows[i].text,
						  strlen(rows[i].text), -1),
					 0);
		int status = child_end(&c);
		AUTO(freep) char *log = child_log(&c);
		if (status != 1 || !strstr(log, "network process: ") || !strstr(log, rows[i].words))
			fail_msg("row %zu ends with %d: %s", i, status, log);
	}
	assert_int_equal(f->n, 0);
}

static void test_broken_frame(void **state)
{
	struct fake *f = *state;
	struct child c;
	const uint32_t frame[3] = { 0xFFFFFFFF, MSG_CONFIG, 0 };

	child_start(&c, f);
	assert_int_equal(write(c.ipc.fd, frame, sizeof(frame)), sizeof(frame));
	assert_int_equal(child_end(&c), 1);
}

static bool has_polled(struct fake *f)
{
	return fake_polls(f) >= f->counter;
}

/* A fresh one registers first, one that follows another goes on polling; both end with the root process, well. */
static void test_registers_or_not(void **state)
{
	struct fake *f = *state;

	for (int is_registered = 0; is_registered < 2; is_registered++) {
		struct child c;
		child_start(&c, f);
		send_config(&c, config_of(f->url, f, is_registered));
		f->counter = (unsigned)is_registered + 1;
		fake_wait(f, 20, has_polled);
		assert_int_equal(fake_registrations(f), 1); /* the first one's */
		assert_string_equal(f->seen[f->n - 1].secret, FAKE_TOKEN);
		assert_int_equal(child_end(&c), 0);
		AUTO(freep) char *log = child_log(&c);
		assert_null(strstr(log, FAKE_TOKEN));
	}
}

static bool has_request(struct fake *f)
{
	const struct raw_server *s = f->ctx;
	return s->request[0];
}

/* What the configuration says about proxies holds for every call; what is named as an exception goes directly. */
static void test_proxy(void **state)
{
	static const struct {
		const char *no_proxy;
		bool is_by_proxy;
	} rows[] = { { NULL, true }, { "other.example.com", true }, { "127.0.0.1", false } };
	struct fake *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct raw_server proxy, direct;
		struct child c;
		raw_start(&proxy, f->base);
		raw_start(&direct, f->base);
		proxy.head = direct.head = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
		child_start(&c, f);
		json_t *config = config_of(direct.url, f, false);
		json_object_set_new(config, "proxy_http", json_string(proxy.url));
		if (rows[i].no_proxy)
			json_object_set_new(config, "proxy_no", json_string(rows[i].no_proxy));
		send_config(&c, config);
		f->ctx = rows[i].is_by_proxy ? &proxy : &direct;
		fake_wait(f, 20, has_request);
		assert_int_equal(child_end(&c), 0);
		AUTO(freep) char *absolute = str_printf("GET %s/api", direct.url);
		if (rows[i].is_by_proxy != str_starts(proxy.request, absolute) ||
		    rows[i].is_by_proxy == (direct.request[0] != '\0'))
			fail_msg("row %zu: proxy \"%s\", service \"%s\"", i, proxy.request,
				 direct.request);
		raw_stop(&proxy);
		raw_stop(&direct);
	}
}

/* It tells the root process what it does, before and after the service has answered. */
static void test_status(void **state)
{
	static const char *const states[] = { "registering", "registered", "polling" };
	struct fake *f = *state;
	struct child c;
	size_t at = 0;

	child_start(&c, f);
	send_config(&c, config_of(f->url, f, false));
	f->counter = 1;
	fake_wait(f, 20, has_polled);
	while (at < ARRAY_SIZE(states)) {
		struct ipc_msg m;
		for (int i = 0; i < 20; i++) {
			event_base_loop(f->base, EVLOOP_NONBLOCK);
			usleep(1000);
		}
		assert_int_equal(ipc_recv_timeout(&c.ipc, &m, 10000), 1);
		AUTO(json_decrefp) json_t *s = json_parse(m.data, m.len, 65536, false, NULL);
		if (m.type == MSG_STATUS && str_eq(json_str(s, "state"), states[at]))
			at++;
		if (m.type == MSG_STATUS && at == 3) {
			assert_true(json_flag(s, "is_registered"));
			assert_true(json_i64(s, "last_poll_us") > 0);
			assert_string_equal(json_str(s, "agent_version"),
					    "registry.example.com/agent:1");
		}
		ipc_msg_done(&m);
	}
	assert_int_equal(child_end(&c), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_bad_first_message),
		CASE(test_broken_frame),
		CASE(test_registers_or_not),
		CASE(test_proxy),
		CASE(test_status),
	};
	static const char *const vars[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
					    "ALL_PROXY",  "no_proxy",    "NO_PROXY" };
	for (size_t i = 0; i < ARRAY_SIZE(vars); i++)
		unsetenv(vars[i]); /* of whoever runs the tests */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
