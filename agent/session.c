#include "agent/session.h"

#include <errno.h>
#include <string.h>
#include "common/cleanup.h"

#define API_PATH "/api/assisted-install/v2"

int session_init(struct session *s, const struct agent_config *config)
{
	*s = (struct session){ .config = config };
	str_copy(s->host_id, sizeof(s->host_id), config->host_id);
	return str_set(&s->agent_version, config->agent_version);
}

void session_done(struct session *s)
{
	free(s->agent_version);
	*s = (struct session){ 0 };
}

char *session_url(const struct session *s, const char *path)
{
	return str_printf("%s" API_PATH "/%s", s->config->url, path);
}

char *session_hosts_url(const struct session *s)
{
	return str_printf("%s" API_PATH "/infra-envs/%s/hosts", s->config->url,
			  s->config->infra_env_id);
}

char *session_host_url(const struct session *s, const char *suffix)
{
	return str_printf("%s" API_PATH "/infra-envs/%s/hosts/%s/%s", s->config->url,
			  s->config->infra_env_id, s->host_id, suffix);
}

char *session_origin_url(const struct session *s, const char *path)
{
	const char *host = strstr(s->config->url, "://");
	size_t len = strlen(s->config->url);
	if (host) {
		const char *slash = strchr(host + 3, '/');
		if (slash)
			len = (size_t)(slash - s->config->url);
	}
	return str_printf("%.*s%s", (int)len, s->config->url, path);
}

static int add_header(struct json_strs *list, const char *name, const char *value)
{
	/* libcurl's rule: "Name;" sends the header with an empty value, which the original does with X-Secret-Key. */
	AUTO(freep)
	char *line = str_empty(value) ? str_printf("%s;", name) : str_printf("%s: %s", name, value);
	if (!line)
		return -ENOMEM;
	int r = json_strs_add(list, line);
	if (!r)
		secret_wipe(line, strlen(line));
	return r;
}

int session_headers(const struct session *s, const char *request_id, const char *content_type,
		    struct json_strs *ret)
{
	char id[UUID_LEN + 1];
	if (!request_id) {
		uuid_random(id);
		request_id = id;
	}
	const struct {
		const char *name, *value;
		bool is_sent;
	} headers[] = {
		{ "X-Secret-Key", secret_reveal(&s->config->token), true },
		{ "discovery_agent_version", s->agent_version, !str_empty(s->agent_version) },
		{ "X-Request-ID", request_id, true },
		{ "Slipway-Agent", SLIPWAY_VERSION, true },
		{ "Content-Type", content_type, content_type != NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		if (headers[i].is_sent && add_header(ret, headers[i].name, headers[i].value) < 0)
			return -ENOMEM;
	return 0;
}

static void headers_done(struct json_strs *list)
{
	for (size_t i = 0; i < list->n; i++)
		secret_wipe(list->v[i], strlen(list->v[i]));
	json_strs_done(list);
}

int session_start(const struct session *s, struct http_client *http,
		  const struct session_call *spec, struct http_call **ret, struct fault *err)
{
	AUTO(freep) char *url = spec->url;
	if (!url)
		return fault_oom(err);

	AUTO(headers_done) struct json_strs headers = { 0 };
	const char *type =
		spec->body ? (spec->content_type ? spec->content_type : "application/json") : NULL;
	int r = session_headers(s, spec->request_id, type, &headers);
	if (!r)
		r = add_header(&headers, "Accept",
			       spec->accept ? spec->accept : "application/json");
	if (r < 0)
		return fault_oom(err);

	AUTO(freep) const char **lines = calloc(headers.n + 1, sizeof(*lines));
	if (!lines)
		return fault_oom(err);
	for (size_t i = 0; i < headers.n; i++)
		lines[i] = headers.v[i];

	struct http_request_spec request = {
		.method = spec->method,
		.url = url,
		.headers = lines,
		.body = spec->body,
		.body_len = spec->body && !spec->body_len ? strlen(spec->body) : spec->body_len,
		.max_body = spec->max_body ? spec->max_body : API_BODY_MAX,
		.total_timeout_ms = spec->timeout_ms ? spec->timeout_ms : API_TIMEOUT_MS,
		.done = spec->done,
		.ctx = spec->ctx,
	};
	return http_call_start(http, &request, ret, err);
}

const char *session_reason(const struct http_answer *a, char *buf, size_t size)
{
	if (a->code) {
		snprintf(buf, size, "%s", fault_text(&a->fault));
		return buf;
	}
	AUTO(json_decrefp)
	json_t *body = json_parse(a->body, a->body_len, API_BODY_MAX, true, NULL);
	const char *text = json_str(body, "reason");
	if (!text)
		text = json_str(body, "message");
	if (text)
		snprintf(buf, size, "HTTP %ld: %s", a->status, text);
	else if (a->body_len && !body)
		snprintf(buf, size,
			 "HTTP %ld with a body that is no JSON: is a proxy or portal in between?",
			 a->status);
	else
		snprintf(buf, size, "HTTP %ld", a->status);
	str_make_utf8(buf);
	return buf;
}
