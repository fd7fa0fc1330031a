/*
 * api-vip-connectivity-check: can this host get its Ignition config from the cluster? The exit code is 0 either way; the reply says
 * which (assisted-v2 §5.4).
 */
#include <errno.h>
#include <string.h>
#include "agent/ignition_filter.h"
#include "agent/step.h"
#include "common/cleanup.h"
#include "common/str.h"

#define CHECK_TIMEOUT_MS 30000
#define HEADERS_MAX 32
#define ERROR_BODY_MAX 512 /* bytes of an error's body that are passed on, as in the original */
#define ACCEPT "Accept: application/vnd.coreos.ignition+json; version=3.2.0"

struct check {
	struct step_run *run;
	struct http_client *http;
	char *url, *ca_pem;
	int exit_code;
	char *output, *error;
};

static void check_free(struct check *c)
{
	if (!c)
		return;
	http_client_free(c->http);
	free(c->url);
	free(c->ca_pem);
	free(c->output);
	free(c->error);
	free(c);
}

static void check_freep(struct check **c)
{
	check_free(*c);
}

/* A turn of the loop later: the client must not be freed inside its own callback. */
static void on_end(evutil_socket_t fd, short what, void *ctx)
{
	AUTO(check_freep) struct check *c = ctx;
	step_finish(c->run, c->exit_code, c->output, c->error);
}

static void end(struct check *c, json_t *reply, const char *error)
{
	const struct timeval now = { 0 };

	c->exit_code = STEP_EXIT_OK;
	c->output = reply ? json_text(reply, true) : NULL;
	c->error = str_dup(error);
	json_decref(reply);
	if (!c->output)
		c->exit_code = STEP_EXIT_FAILED;
	if (event_base_once(c->run->net->base, -1, EV_TIMEOUT, on_end, c, &now) < 0)
		abort(); /* only out of memory: the process is started again */
}

static void end_failed(struct check *c, const char *why)
{
	end(c, json_pack("{s:s, s:s}", "url", c->url, "download_error", why),
	    "ignition file download failed");
}

static void on_answer(void *ctx, const struct http_answer *a)
{
	struct check *c = ctx;
	struct fault err = FAULT_INIT;
	AUTO(freep) char *ignition = NULL;

	if (a->code) {
		end_failed(c, fault_text(&a->fault));
		return;
	}
	if (a->status != 200) {
		AUTO(freep)
		char *why = str_printf("%s answered HTTP %ld: %.*s", c->url, a->status,
				       (int)MIN_OF(a->body_len, (size_t)ERROR_BODY_MAX), a->body);
		if (why)
			str_make_utf8(why);
		end_failed(c, why ? why : "out of memory");
		return;
	}
	if (ignition_filter(a->body, a->body_len, &ignition, &err) < 0) {
		end_failed(c, fault_text(&err));
		return;
	}
	end(c, json_pack("{s:s, s:b, s:s}", "url", c->url, "is_success", 1, "ignition", ignition),
	    NULL);
}

static int add_line(struct json_strs *lines, const char *name, const char *value)
{
	if (strpbrk(name, ":\r\n ") || strpbrk(value, "\r\n"))
		return -EINVAL;
	AUTO(freep)
	char *line = *value ? str_printf("%s: %s", name, value) : str_printf("%s;", name);
	return line ? json_strs_add(lines, line) : -ENOMEM;
}

static int make_headers(json_t *arg, struct json_strs *lines)
{
	const char *token = json_str(arg, "ignition_endpoint_token");
	json_t *headers = json_child(arg, "request_headers"), *h;
	size_t i;

	int r = json_strs_add(lines, ACCEPT);
	if (!r && !str_empty(token)) {
		AUTO(freep) char *bearer = str_printf("Bearer %s", token);
		r = bearer ? add_line(lines, "Authorization", bearer) : -ENOMEM;
	}
	if (json_array_size(headers) > HEADERS_MAX)
		return -E2BIG;
	json_array_foreach(headers, i, h) {
		const char *key = json_str(h, "key"), *value = json_str(h, "value");
		if (r < 0)
			break;
		r = str_empty(key) || !value ? -EINVAL : add_line(lines, key, value);
	}
	return r;
}

static int decode_ca(json_t *arg, char **ret)
{
	const char *base64 = json_str(arg, "ca_certificate");
	void *pem = NULL;
	size_t len;

	if (str_empty(base64))
		return 0;
	if (strlen(base64) > AGENT_CA_MAX)
		return -E2BIG;
	int r = base64_decode(base64, strlen(base64), &pem, &len);
	if (r < 0)
		return r;
	*ret = pem; /* NUL behind it */
	return 0;
}

static int begin(struct check *c, json_t *arg, struct fault *err)
{
	AUTO(json_strs_done) struct json_strs lines = { 0 };
	int r = make_headers(arg, &lines);
	if (r < 0)
		return fault_set(err, r, "the request's headers cannot be used");
	r = decode_ca(arg, &c->ca_pem);
	if (r < 0)
		return fault_set(err, r, "ca_certificate is no base64 text");

	AUTO(freep) const char **headers = calloc(lines.n + 1, sizeof(*headers));
	if (!headers)
		return fault_oom(err);
	for (size_t i = 0; i < lines.n; i++)
		headers[i] = lines.v[i];

	uint64_t wait_ms = c->run->net->step_wait_ms;
	struct http_client_options options = { .ca_pem = c->ca_pem };
	r = http_client_new(c->run->net->base, &options, &c->http, err);
	if (r < 0)
		return r;
	struct http_request_spec spec = {
		.url = c->url,
		.headers = headers,
		.max_body = IGNITION_MAX,
		.follow = true,
		.total_timeout_ms = wait_ms ? wait_ms : CHECK_TIMEOUT_MS,
		.done = on_answer,
		.ctx = c,
	};
	return http_call_start(c->http, &spec, NULL, err);
}

static void start(struct step_run *run, const struct json_strs *args)
{
	AUTO(json_decrefp) json_t *arg = step_json_arg(run, args);
	if (!arg)
		return;
	const char *url = json_str(arg, "url");
	if (str_empty(url)) {
		step_finish(run, STEP_EXIT_BAD_ARGS, NULL,
			    "api-vip-connectivity-check names no url");
		return;
	}
	AUTO(check_freep) struct check *c = calloc(1, sizeof(*c));
	if (c)
		c->url = str_dup(url);
	if (!c || !c->url) {
		step_finish(run, STEP_EXIT_FAILED, NULL, "out of memory");
		return;
	}
	struct fault err = FAULT_INIT;
	c->run = run;
	int r = begin(c, arg, &err);
	if (r < 0)
		end_failed(c, fault_text(&err));
	c = NULL;
}

const struct step_ops step_api_vip = { .type = STEP_API_VIP_CONNECTIVITY_CHECK, .start = start };
