#include "agent/seed.h"

#include <errno.h>
#include <string.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"

#define CONF_TEXT_MAX 8192

struct seed {
	char *install_id, *token, *url, *infra_env_id, *host_id, *ca;
};

static const struct json_field seed_fields[] = {
	JSON_FIELD(seed, install_id, "install_id", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(seed, token, "token", JSON_F_STR, 0),
	JSON_FIELD(seed, url, "url", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(seed, infra_env_id, "infra_env_id", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(seed, host_id, "host_id", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(seed, ca, "ca", JSON_F_STR, 0),
	JSON_FIELD_END,
};

static void seed_done(struct seed *s)
{
	json_map_done(seed_fields, s);
}

static bool is_line(const char *s)
{
	return !s || (str_is_text(s) && !strpbrk(s, "\r\n\t"));
}

static int check(const struct seed *s, struct fault *err)
{
	if (!uuid_is_valid(s->install_id) || !uuid_is_valid(s->infra_env_id) ||
	    !uuid_is_valid(s->host_id))
		return fault_set(err, -EINVAL, "the seed holds an id that is no UUID");
	if (!is_line(s->url) || (!str_starts(s->url, "https://") && !str_starts(s->url, "http://")))
		return fault_set(err, -EINVAL, "the seed's service address cannot be used");
	if (s->token && (strlen(s->token) > AGENT_TOKEN_MAX || !is_line(s->token)))
		return fault_set(err, -EINVAL, "the seed's token cannot be used");
	return 0;
}

static void add_line(struct buf *b, int *r, const char *key, const char *value)
{
	if (!*r && !str_empty(value) && is_line(value))
		*r = buf_printf(b, "%s = %s\n", key, value);
}

static int make_conf(const struct seed *s, const struct agent_config *c, struct buf *b)
{
	int r = buf_append_str(b, "[agent]\n");

	add_line(b, &r, "url", s->url);
	add_line(b, &r, "infra_env_id", s->infra_env_id);
	add_line(b, &r, "host_id", s->host_id);
	add_line(b, &r, "token_file", str_empty(s->token) ? NULL : "token");
	add_line(b, &r, "cacert", str_empty(s->ca) ? NULL : "ca.pem");
	add_line(b, &r, "agent_version", c->agent_version);
	add_line(b, &r, "installed", "yes");
	add_line(b, &r, "install_id", s->install_id);
	if (!r)
		r = buf_printf(b, "created = %lld\n", (long long)(time_now_us() / 1000000));
	if (!r && (c->proxy_http || c->proxy_https || c->proxy_no))
		r = buf_append_str(b, "[proxy]\n");
	add_line(b, &r, "http", c->proxy_http);
	add_line(b, &r, "https", c->proxy_https);
	add_line(b, &r, "no", c->proxy_no);
	return r;
}

int seed_add(json_t *answer, const struct agent_config *c, struct job *j, struct fault *err)
{
	AUTO(seed_done) struct seed s = { 0 };
	AUTO(buf_done) struct buf conf;

	buf_init(&conf, CONF_TEXT_MAX);
	int r = json_map_decode(seed_fields, answer, &s, 0, err);
	if (!r)
		r = check(&s, err);
	if (r < 0)
		return fault_prefix(err, r, "seed");

	r = make_conf(&s, c, &conf);
	if (!r)
		r = job_add_file(j, "etc/slipway/agent.conf", 0600, conf.data, conf.len);
	if (!r && !str_empty(s.token))
		r = job_add_file(j, "etc/slipway/token", 0600, s.token, strlen(s.token));
	if (!r && !str_empty(s.ca))
		r = job_add_file(j, "etc/slipway/ca.pem", 0600, s.ca, strlen(s.ca));
	if (!r)
		r = str_set(&j->install_id, s.install_id);
	return r < 0 ? fault_set(err, r, "the seed is too large") : 0;
}
