#include "service/validate.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/csv.h"
#include "service/json_out.h"

#define VALIDATIONS_TEXT_MAX (4u << 20)
#define STORED_JSON_MAX (8u << 20) /* our own rows */
#define VALIDATIONS_MAX 128
#define OPERATOR_ID(name) name "-requirements-satisfied"

static const char *const status_names[] = {
	[VALIDATION_SUCCESS] = "success",   [VALIDATION_FAILURE] = "failure",
	[VALIDATION_PENDING] = "pending",   [VALIDATION_ERROR] = "error",
	[VALIDATION_DISABLED] = "disabled",
};

int validation_say(struct validation_check *c, int status, const char *fmt, ...)
{
	char text[VALIDATION_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_make_utf8(text); /* the cut may have split a character */
	buf_reset(&c->message);
	return buf_append_str(&c->message, text) < 0 ? -ENOMEM : status;
}

int validation_decide(struct validation_check *c, bool ok, const char *good, const char *bad)
{
	return validation_say(c, ok ? VALIDATION_SUCCESS : VALIDATION_FAILURE, "%s",
			      ok ? good : bad);
}

static json_t *parse_stored(const char *text)
{
	return str_empty(text) ? NULL : json_parse(text, strlen(text), STORED_JSON_MAX, true, NULL);
}

static void check_init(struct validation_check *c, const struct rule_ctx *ctx, const struct host *h)
{
	*c = (struct validation_check){ .ctx = ctx, .host = h };
	buf_init(&c->message, VALIDATION_TEXT_MAX);
	c->inventory = ctx->parsed && ctx->parsed->inventory && ctx->parsed->text == h->inventory
			       ? json_incref(ctx->parsed->inventory)
			       : parse_stored(h->inventory);
	c->api_vip = parse_stored(h->api_vip_connectivity);
	const char *ignition = json_str(c->api_vip, "ignition");
	c->ignition = parse_stored(ignition);
}

static void check_done(struct validation_check *c)
{
	buf_done(&c->message);
	json_decref(c->inventory);
	json_decref(c->api_vip);
	json_decref(c->ignition);
}

static int run_rule(struct validation_check *c, const struct validation_rule *rule)
{
	if (csv_has(c->ctx->config->disabled_validations, rule->id))
		return validation_say(c, VALIDATION_DISABLED,
				      "Switched off in the configuration of the service");
	if ((rule->flags & VALIDATE_INVENTORY) && !c->inventory)
		return validation_say(c, VALIDATION_PENDING,
				      "Waiting for the inventory of the host");
	return rule->run(c);
}

/* Does the cluster's list of ignored validations ("[\"ntp-synced\"]", or "[\"all\"]") name this one? */
static bool is_ignored(const json_t *ignored, const struct validation_rule *rule)
{
	size_t i;
	json_t *item;

	if (rule->flags & VALIDATE_NO_IGNORE)
		return false;
	json_array_foreach(ignored, i, item) {
		const char *id = json_string_value(item);
		if (id && (strcmp(id, "all") == 0 || strcmp(id, rule->id) == 0))
			return true;
	}
	return false;
}

static json_t *ignored_list(const struct cluster *cluster)
{
	if (!cluster)
		return NULL;
	AUTO(json_decrefp) json_t *extra = parse_stored(cluster->extra);
	return parse_stored(json_str(extra, "ignored_host_validations"));
}

static int add(struct validations *list, const char *category, const char *id, int status,
	       const char *message)
{
	struct validation *v = &list->v[list->n];

	*v = (struct validation){ .category = category,
				  .id = id,
				  .status = (enum validation_status)status,
				  .message = str_dup(message) };
	if (!v->message)
		return -ENOMEM;
	str_make_utf8(v->message);
	list->n++;
	return 0;
}

static int run_table(struct validation_check *c, const char *category,
		     const struct validation_rule *table, const json_t *ignored,
		     struct validations *list)
{
	unsigned who = c->ctx->cluster ? VALIDATE_BOUND : VALIDATE_POOL;
	unsigned blocks = c->ctx->cluster ? VALIDATE_BOUND_BLOCKS : VALIDATE_POOL_BLOCKS;

	for (const struct validation_rule *rule = table; rule->id; rule++) {
		if (!(rule->flags & who))
			continue;
		int status = run_rule(c, rule);
		if (status == VALIDATION_SUPPRESSED)
			continue;
		if (status < 0)
			return status;
		int r = add(list, category, rule->id, status, c->message.data);
		if (r < 0)
			return r;
		struct validation *v = &list->v[list->n - 1];
		v->blocking = (rule->flags & blocks) && !is_ignored(ignored, rule);
		v->hardware_minimum = v->blocking && (rule->flags & VALIDATE_MINIMUM);
	}
	return 0;
}

/*
 * What a cluster of the original may have had installed beside; none of it is this service's work (assisted-v2 §3.5). Sorted by id.
 */
static int add_operators(struct validations *list)
{
	static const char *const ids[] = {
		OPERATOR_ID("amd-gpu"),
		OPERATOR_ID("authorino"),
		OPERATOR_ID("cluster-observability"),
		OPERATOR_ID("cnv"),
		OPERATOR_ID("fence-agents-remediation"),
		OPERATOR_ID("kmm"),
		OPERATOR_ID("kube-descheduler"),
		OPERATOR_ID("loki"),
		OPERATOR_ID("lso"),
		OPERATOR_ID("lvm"),
		OPERATOR_ID("mce"),
		OPERATOR_ID("metallb"),
		OPERATOR_ID("mtv"),
		OPERATOR_ID("nmstate"),
		OPERATOR_ID("node-feature-discovery"),
		OPERATOR_ID("node-healthcheck"),
		OPERATOR_ID("node-maintenance"),
		OPERATOR_ID("numa-resources"),
		OPERATOR_ID("nvidia-gpu"),
		OPERATOR_ID("oadp"),
		OPERATOR_ID("odf"),
		OPERATOR_ID("openshift-ai"),
		OPERATOR_ID("openshift-logging"),
		OPERATOR_ID("osc"),
		OPERATOR_ID("pipelines"),
		OPERATOR_ID("self-node-remediation"),
		OPERATOR_ID("serverless"),
		OPERATOR_ID("servicemesh"),
	};
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		char text[64];
		snprintf(text, sizeof(text), "%.*s is not in use",
			 (int)(strlen(ids[i]) - strlen(OPERATOR_ID(""))), ids[i]);
		int r = add(list, "operators", ids[i], VALIDATION_SUCCESS, text);
		if (r < 0)
			return r;
	}
	return 0;
}

int host_validate(const struct rule_ctx *ctx, const struct host *h, struct validations *ret,
		  struct fault *err)
{
	struct validations list = { .v = calloc(VALIDATIONS_MAX, sizeof(*list.v)) };
	if (!list.v)
		return fault_oom(err);

	struct validation_check c;
	check_init(&c, ctx, h);
	AUTO(json_decrefp) json_t *ignored = ignored_list(ctx->cluster);
	int r = run_table(&c, "hardware", validation_hardware, ignored, &list);
	if (r == 0)
		r = run_table(&c, "network", validation_network, ignored, &list);
	if (r == 0 && ctx->cluster)
		r = add_operators(&list);
	check_done(&c);
	if (r < 0) {
		validations_done(&list);
		return fault_oom(err);
	}
	*ret = list;
	return 0;
}

void validations_done(struct validations *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->v[i].message);
	free(v->v);
	*v = (struct validations){ 0 };
}

/* Each category's validations stand together. Written without a tree in between: it is done for every inventory. */
char *validations_text(const struct validations *v)
{
	AUTO(buf_done) struct buf text;
	struct json_out o = json_out(&text);
	const char *category = NULL;

	buf_init(&text, VALIDATIONS_TEXT_MAX);
	jo_object(&o, NULL);
	for (size_t i = 0; i < v->n; i++) {
		if (!str_eq(category, v->v[i].category)) {
			if (category)
				jo_array_end(&o);
			category = v->v[i].category;
			jo_array(&o, category);
		}
		jo_object(&o, NULL);
		jo_str(&o, "id", v->v[i].id);
		jo_str(&o, "status", status_names[v->v[i].status]);
		jo_str(&o, "message", v->v[i].message);
		jo_object_end(&o);
	}
	if (category)
		jo_array_end(&o);
	jo_object_end(&o);
	return o.r < 0 ? NULL : buf_take(&text);
}
