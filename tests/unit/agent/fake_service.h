#pragma once
/*
 * A service for the tests of the agent's two processes: TLS on loopback, a table of what happened, answers chosen by the test. The agent runs in a
 * child of the test program, whose main() calls fake_main() first, because the agent starts its network process as /proc/self/exe.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent/config.h"
#include "agent/msg.h"
#include "agent/net.h"
#include "agent/priv.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/http_server.h"
#include "common/json_map.h"
#include "common/log.h"
#include "common/pki.h"
#include "common/str.h"

#define FAKE_IE "fbe2e02f-5be9-4ca6-af2f-635fce727b94"
#define FAKE_HOST "b1f5c5b7-caf8-66bd-addd-439b331f2640"
#define FAKE_TOKEN "header.claims.signature"
#define FAKE_SEEN_MAX 512

struct fake_seen {
	char *method, *path, *request_id, *secret, *version, *slipway;
	json_t *body; /* NULL = none */
};

struct fake {
	struct event_base *base;
	struct http_server *server;
	char url[96], dir[64];
	char *ca_pem;
	struct fake_seen seen[FAKE_SEEN_MAX];
	size_t n;
	pid_t agent;
	bool is_over; /* the deadline of fake_wait() */
	/* The test's answer; returns the status and may set *@ret_body (owned by the caller). NULL, or 0 returned = the usual one. */
	int (*answer)(struct fake *f, const struct fake_seen *s, char **ret_body);
	const char *steps; /* answer to a poll, JSON; NULL = no steps */
	unsigned counter;  /* the test's own, */
	void *ctx, *rig;   /* and these, too */
	size_t body_len;   /* of the body that answer() sets; 0 = it is text */
};

static inline bool fake_is(const struct fake_seen *s, const char *method, const char *end)
{
	return str_eq(s->method, method) && str_ends(s->path, end);
}

static inline int fake_usual(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	if (fake_is(s, "GET", "/component-versions")) {
		*ret_body = str_dup(
			"{\"versions\":{\"discovery-agent\":\"registry.example.com/agent:1\"}}");
		return 200;
	}
	if (fake_is(s, "POST", "/infra-envs/" FAKE_IE "/hosts")) {
		*ret_body = str_dup("{\"id\":\"" FAKE_HOST "\",\"status\":null}");
		return 201;
	}
	if (fake_is(s, "GET", "/instructions")) {
		*ret_body = str_dup(
			f->steps ? f->steps
				 : "{\"instructions\":null,\"next_instruction_seconds\":1}");
		return 200;
	}
	return fake_is(s, "POST", "/instructions") ? 204
	       : fake_is(s, "PUT", "/progress")    ? 200
						   : 404;
}

static inline void fake_request(void *ctx, struct http_request *req)
{
	struct fake *f = ctx;
	size_t len;
	const char *text = http_request_body(req, &len);
	AUTO(freep) char *body = NULL;

	assert_true(f->n < FAKE_SEEN_MAX);
	struct fake_seen *s = &f->seen[f->n++];
	*s = (struct fake_seen){
		.method = str_dup(http_request_method(req)),
		.path = str_dup(http_request_path(req)),
		.request_id = str_dup(http_request_header(req, "X-Request-ID")),
		.secret = str_dup(http_request_header(req, "X-Secret-Key")),
		.version = str_dup(http_request_header(req, "discovery_agent_version")),
		.slipway = str_dup(http_request_header(req, "Slipway-Agent")),
		.body = len ? json_parse(text, len, 1 << 20, false, NULL) : NULL,
	};
	f->body_len = 0;
	int status = f->answer ? f->answer(f, s, &body) : 0;
	if (!status)
		status = fake_usual(f, s, &body);
	size_t body_len = f->body_len ? f->body_len : body ? strlen(body) : 0;
	http_reply(req, status, "application/json", body ? body : "", body_len);
}

static inline int fake_setup(void **state)
{
	static const char *const names[] = { "127.0.0.1", NULL };
	struct fake *f = calloc(1, sizeof(*f));
	struct fault err = FAULT_INIT;
	char address[64];
	AUTO(freep) char *ca_key = NULL;
	AUTO(freep) char *key = NULL;
	AUTO(freep) char *cert = NULL;

	signal(SIGPIPE, SIG_IGN);
	str_copy(f->dir, sizeof(f->dir), "/tmp/agent_test.XXXXXX");
	f->base = event_base_new();
	if (!mkdtemp(f->dir) || pki_key_new(&ca_key, &err) ||
	    pki_ca_new(ca_key, "test", 1, &f->ca_pem, &err) || pki_key_new(&key, &err) ||
	    pki_server_cert_new(f->ca_pem, ca_key, key, names, 1, &cert, &err) ||
	    http_server_new(f->base, NULL, fake_request, f, &f->server, &err) ||
	    http_server_listen(f->server, "127.0.0.1:0", cert, key, address, &err)) {
		print_error("%s\n", err.text);
		return -1;
	}
	snprintf(f->url, sizeof(f->url), "https://%s", address);
	*state = f;
	return 0;
}

/* Starts the agent in a child. */
static inline void fake_start_agent(struct fake *f, bool is_installed)
{
	f->agent = fork();
	assert_true(f->agent >= 0);
	if (f->agent)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct agent_config c = { .interval_s = 1, .installed = is_installed };
	str_set(&c.url, f->url);
	str_set(&c.infra_env_id, FAKE_IE);
	str_set(&c.host_id, FAKE_HOST);
	str_set(&c.state_dir, f->dir);
	str_set(&c.ca_pem, f->ca_pem);
	secret_set(&c.token, FAKE_TOKEN);
	char log[80];
	snprintf(log, sizeof(log), "%s/agent.log", f->dir);
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDERR_FILENO);
	log_init("slipway-agent", LOG_INFO);
	_exit(priv_main(&c, false));
}

static inline void fake_deadline(evutil_socket_t fd, short what, void *ctx)
{
	((struct fake *)ctx)->is_over = true;
}

/* Runs the service until @ready says so; fails the test after @seconds, showing the agent's log. */
static inline void fake_wait(struct fake *f, int seconds, bool (*ready)(struct fake *f))
{
	struct timeval tv = { .tv_sec = seconds };
	struct event *deadline = evtimer_new(f->base, fake_deadline, f);

	f->is_over = false;
	evtimer_add(deadline, &tv);
	while (!f->is_over && !ready(f)) {
		struct timeval turn = { .tv_usec = 20000 };
		event_base_loopexit(f->base, &turn);
		event_base_dispatch(f->base);
	}
	event_free(deadline);
	if (!ready(f)) {
		AUTO(freep) char *log = NULL;
		char path[80];
		size_t len;
		snprintf(path, sizeof(path), "%s/agent.log", f->dir);
		(void)file_read_at(AT_FDCWD, path, 1 << 20, &log, &len, NULL);
		fail_msg("waited in vain; %zu requests; the agent says:\n%s", f->n,
			 log ? log : "nothing");
	}
}

static inline size_t fake_count(const struct fake *f, const char *method, const char *end)
{
	size_t n = 0;
	for (size_t i = 0; i < f->n; i++)
		n += fake_is(&f->seen[i], method, end);
	return n;
}

static inline size_t fake_registrations(const struct fake *f)
{
	return fake_count(f, "POST", "/hosts");
}

static inline size_t fake_polls(const struct fake *f)
{
	return fake_count(f, "GET", "/instructions");
}

/* The @nth reply (from 0) of a step type, or NULL. */
static inline const struct fake_seen *fake_reply(const struct fake *f, const char *step_type,
						 size_t nth)
{
	for (size_t i = 0; i < f->n; i++)
		if (fake_is(&f->seen[i], "POST", "/instructions") &&
		    str_eq(json_str(f->seen[i].body, "step_type"), step_type) && !nth--)
			return &f->seen[i];
	return NULL;
}

/* A number of status.json; 0 = not there yet. */
static inline int64_t fake_status(const struct fake *f, const char *key)
{
	char path[80];
	size_t len;
	AUTO(freep) char *text = NULL;
	snprintf(path, sizeof(path), "%s/status.json", f->dir);
	if (file_read_at(AT_FDCWD, path, 65536, &text, &len, NULL) < 0)
		return 0;
	AUTO(json_decrefp) json_t *s = json_parse(text, len, 65536, true, NULL);
	return json_i64(s, key);
}

static inline int fake_teardown(void **state)
{
	struct fake *f = *state;

	if (f->agent > 0) {
		kill(f->agent, SIGTERM);
		waitpid(f->agent, NULL, 0);
	}
	for (size_t i = 0; i < f->n; i++) {
		struct fake_seen *s = &f->seen[i];
		char *texts[] = { s->method, s->path,    s->request_id,
				  s->secret, s->version, s->slipway };
		for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
			free(texts[k]);
		json_decref(s->body);
	}
	http_server_free(f->server);
	event_base_free(f->base);
	free(f->ca_pem);
	int r = dir_remove_at(AT_FDCWD, f->dir, NULL);
	free(f);
	return r;
}

/* First in main(): -1 = go on with the tests, else the exit status. */
static inline int fake_main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--role=net"))
		return net_main(MSG_NET_FD);
	return -1;
}
