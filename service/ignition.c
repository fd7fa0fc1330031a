#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/ignition_look.h"
#include "service/ignition_merge.h"
#include "service/requirement.h"
#include "service/rules.h"

#define CA_MAX (256 * 1024) /* bytes of PEM text of all certificates together */
#define MINOR_VERSION_MAX 6 /* the newest known specification is 3.6 */
#define MCS_PLAIN_PORT 22624
#define MCS_TLS_PORT 22623

/* --- is it one? --- */

static int check_version(const json_t *doc, struct fault *err)
{
	const char *version = json_str(json_child(doc, "ignition"), "version");
	unsigned minor, patch;
	int end = 0;

	if (!version)
		return fault_set(err, -EINVAL,
				 "not an Ignition configuration: ignition.version is missing");
	if (sscanf(version, "3.%2u.%2u%n", &minor, &patch, &end) != 2 || version[end] ||
	    minor > MINOR_VERSION_MAX)
		return fault_set(err, -EINVAL,
				 "Ignition version %.32s is not supported: use 3.0.0 to 3.%d.0",
				 version, MINOR_VERSION_MAX);
	return 0;
}

/* Each item of doc.SECTION.LIST is an object with a non-empty text KEY (an absolute path where it is one). */
static int check_list(const json_t *doc, const char *section, const char *list, const char *key,
		      struct fault *err)
{
	json_t *items = json_child(json_child(doc, section), list);
	size_t i;
	json_t *item;

	if (items && !json_is_array(items) && !json_is_null(items))
		return fault_set(err, -EINVAL, "%s.%s of the Ignition configuration must be a list",
				 section, list);
	json_array_foreach(items, i, item) {
		const char *value = json_is_object(item) ? json_str(item, key) : NULL;
		if (str_empty(value))
			return fault_set(err, -EINVAL,
					 "%s.%s[%zu] of the Ignition configuration has no %s",
					 section, list, i, key);
		if (strcmp(key, "path") == 0 && value[0] != '/')
			return fault_set(
				err, -EINVAL,
				"%s.%s[%zu] of the Ignition configuration: %.200s is no absolute path",
				section, list, i, value);
	}
	return 0;
}

static int check_sections(const json_t *doc, struct fault *err)
{
	static const char *const sections[] = { "ignition", "passwd", "storage", "systemd",
						"kernelArguments" };

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		json_t *v = json_child(doc, sections[i]);
		if (v && !json_is_object(v) && !json_is_null(v))
			return fault_set(err, -EINVAL,
					 "%s of the Ignition configuration must be an object",
					 sections[i]);
	}
	return 0;
}

int ignition_check(const char *text, struct fault *err)
{
	static const struct {
		const char *section, *list, *key;
	} lists[] = {
		{ "storage", "files", "path" }, { "storage", "directories", "path" },
		{ "storage", "links", "path" }, { "systemd", "units", "name" },
		{ "passwd", "users", "name" },  { "passwd", "groups", "name" },
	};
	AUTO(json_decrefp) json_t *doc = json_parse(text, strlen(text), IGNITION_MAX, true, err);
	if (!doc)
		return -EINVAL;
	if (!json_is_object(doc))
		return fault_set(err, -EINVAL, "not an Ignition configuration: no JSON object");
	int r = check_version(doc, err);
	if (r == 0)
		r = check_sections(doc, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lists); i++)
		r = check_list(doc, lists[i].section, lists[i].list, lists[i].key, err);
	return r;
}

/* --- where a host gets its configuration --- */

static int append_pem(struct buf *out, const void *pem, size_t len)
{
	int r = buf_append(out, pem, len);

	return r < 0 || len == 0 || out->data[out->len - 1] == '\n' ? r : buf_append_str(out, "\n");
}

static int collect_cluster_ca(const struct cluster *c, struct buf *out, struct fault *err)
{
	AUTO(freep) void *pem = NULL;
	size_t len;

	if (str_empty(c->ignition_endpoint_ca))
		return 0;
	if (base64_decode(c->ignition_endpoint_ca, strlen(c->ignition_endpoint_ca), &pem, &len) < 0)
		return fault_set(
			err, -EINVAL,
			"the CA certificate of the cluster's ignition endpoint is not base64");
	return append_pem(out, pem, len) < 0 ? fault_oom(err) : 0;
}

static int collect_override_ca(const struct host *h, struct buf *out, struct fault *err)
{
	const char *text = h->ignition_config_overrides;
	if (str_empty(text))
		return 0;
	AUTO(json_decrefp) json_t *doc = json_parse(text, strlen(text), IGNITION_MAX, true, err);
	json_t *list =
		json_child(json_child(json_child(json_child(doc, "ignition"), "security"), "tls"),
			   "certificateAuthorities");
	size_t i;
	json_t *ca;
	json_array_foreach(list, i, ca) {
		AUTO(freep) char *pem = NULL;
		size_t len;
		const char *source = json_str(ca, "source");
		/* one that has to be fetched is of no use before the network is trusted */
		if (!source || data_url_decode(source, &pem, &len) < 0)
			continue;
		if (append_pem(out, pem, len) < 0)
			return fault_oom(err);
	}
	return 0;
}

static const char *pool_of(const struct rule_ctx *ctx, const struct host *h)
{
	if (!str_empty(h->machine_config_pool_name))
		return h->machine_config_pool_name;
	return host_role_name(requirement_role(ctx, h));
}

/* With a CA the internal name is used: only that one is in the certificate of the machine configuration server. */
static char *default_url(const struct cluster *c, const char *pool, bool tls)
{
	const char *api = c->api_vip_dns_name ? c->api_vip_dns_name : "";
	bool v6 = strchr(api, ':') != NULL;
	const char *open = v6 ? "[" : "", *close = v6 ? "]" : "";

	if (!tls)
		return str_printf("http://%s%s%s:%d/config/%s", open, api, close, MCS_PLAIN_PORT,
				  pool);
	if (str_starts(api, "api."))
		return str_printf("https://api-int.%s:%d/config/%s", api + strlen("api."),
				  MCS_TLS_PORT, pool);
	return str_printf("https://%s%s%s:%d/config/%s", open, api, close, MCS_TLS_PORT, pool);
}

int ignition_source_url(const struct rule_ctx *ctx, const struct host *h, char **ret_url,
			char **ret_ca_base64, struct fault *err)
{
	const struct cluster *c = ctx->cluster;
	if (!c)
		return fault_set(err, -EINVAL, "the host belongs to no cluster");

	AUTO(buf_done) struct buf pem;
	buf_init(&pem, CA_MAX);
	int r = collect_cluster_ca(c, &pem, err);
	if (r == 0)
		r = collect_override_ca(h, &pem, err);
	if (r < 0)
		return r;

	const char *pool = pool_of(ctx, h);
	AUTO(freep)
	char *url = str_empty(c->ignition_endpoint_url)
			    ? default_url(c, pool, pem.len > 0)
			    : str_printf("%s/%s", c->ignition_endpoint_url, pool);
	AUTO(freep) char *ca = pem.len ? base64_encode(pem.data, pem.len) : NULL;
	if (!url || (pem.len && !ca))
		return fault_oom(err);
	*ret_url = TAKE(url);
	*ret_ca_base64 = TAKE(ca);
	return 0;
}

/* --- the document an installed node starts with (assisted-v2 §8.7) --- */

static int add_header(json_t *list, const char *name, const char *value)
{
	return json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "value", value))
		       ? -ENOMEM
		       : 0;
}

static json_t *source_headers(const struct host *h)
{
	AUTO(json_decrefp) json_t *list = json_array();
	AUTO(freep) char *bearer = NULL;
	const char *text = h->ignition_endpoint_http_headers;

	if (secret_is_set(&h->ignition_endpoint_token)) {
		bearer = str_printf("Bearer %s", secret_reveal(&h->ignition_endpoint_token));
		if (!bearer || add_header(list, "Authorization", bearer) < 0)
			return NULL;
	}
	AUTO(json_decrefp)
	json_t *custom = str_empty(text) ? NULL
					 : json_parse(text, strlen(text), IGNITION_MAX, true, NULL);
	size_t i;
	json_t *item;
	json_array_foreach(custom, i, item) {
		const char *key = json_str(item, "key"), *value = json_str(item, "value");
		if (key && add_header(list, key, value ? value : "") < 0)
			return NULL;
	}
	return TAKE(list);
}

static json_t *pointer_document(const char *url, const char *ca_base64, json_t *headers)
{
	AUTO(json_decrefp) json_t *source = json_pack("{s:s}", "source", url);
	if (!source || !headers ||
	    (json_array_size(headers) && json_object_set(source, "httpHeaders", headers)))
		return NULL;
	AUTO(json_decrefp)
	json_t *doc = json_pack("{s:{s:s, s:{s:[O]}}}", "ignition", "version", "3.2.0", "config",
				"merge", source);
	if (!doc || !ca_base64)
		return TAKE(doc);

	AUTO(freep) char *ca = str_printf("data:text/plain;base64,%s", ca_base64);
	json_t *security =
		ca ? json_pack("{s:{s:[{s:s}]}}", "tls", "certificateAuthorities", "source", ca)
		   : NULL;
	if (json_object_set_new(json_object_get(doc, "ignition"), "security", security))
		return NULL;
	return TAKE(doc);
}

static int add_hostname(const struct host *h, json_t *doc, json_t **ret, struct fault *err)
{
	AUTO(freep) char *name = host_effective_name(h);
	AUTO(json_decrefp)
	json_t *file = name ? ignition_text_file("/etc/hostname", 0644, name) : NULL;
	AUTO(json_decrefp)
	json_t *child = file ? json_pack("{s:{s:[O]}}", "storage", "files", file) : NULL;
	if (!child)
		return fault_oom(err);
	return ignition_merge(doc, child, ret, err);
}

int ignition_target(const struct rule_ctx *ctx, const struct host *h, char **ret_text,
		    struct fault *err)
{
	AUTO(freep) char *url = NULL;
	AUTO(freep) char *ca = NULL;
	int r = ignition_source_url(ctx, h, &url, &ca, err);
	if (r < 0)
		return r;

	AUTO(json_decrefp) json_t *headers = source_headers(h);
	AUTO(json_decrefp) json_t *pointer = pointer_document(url, ca, headers);
	if (!pointer)
		return fault_oom(err);
	AUTO(json_decrefp) json_t *merged = NULL;
	AUTO(json_decrefp) json_t *full = NULL;
	r = ignition_merge_text(pointer, h->ignition_config_overrides, &merged, err);
	if (r == 0)
		r = add_hostname(h, merged, &full, err);
	if (r < 0)
		return r;
	char *text = json_text(full, true);
	if (!text)
		return fault_oom(err);
	*ret_text = text;
	return 0;
}
