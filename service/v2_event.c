/*
 * Events (assisted-v2 §3.4).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/route.h"
#include "service/store.h"
#include "service/v2_common.h"
#include "service/v2_event.h"

#define LIMIT_DEFAULT 5000
#define NAME_MAX_LEN 200
#define TEXT_MAX_LEN 8192
#define POSTED_MAX 1000 /* events that the agents of one infra-env may post in an hour */
#define POSTED_PERIOD_US ((int64_t)3600 * 1000000)
#define LIST_MAX 256 /* items of one list in a query */

static const char *const severities[] = { "info", "warning", "error", "critical", NULL };
static const char *const categories[] = { "user", "metrics", NULL };

static const struct body_field event_fields[] = {
	{ "name", BODY_STR, .max_len = NAME_MAX_LEN },
	{ "cluster_id", BODY_UUID },
	{ "host_id", BODY_UUID },
	{ "infra_env_id", BODY_UUID },
	{ "severity", BODY_STR, BODY_REQUIRED, .values = severities },
	{ "category", BODY_STR },
	{ "message", BODY_STR, BODY_REQUIRED, .max_len = TEXT_MAX_LEN },
	{ "event_time", BODY_STR, BODY_REQUIRED, .max_len = NAME_MAX_LEN },
	{ "request_id", BODY_UUID },
	{ "props", BODY_STR, .max_len = TEXT_MAX_LEN },
	{ NULL },
};
static const struct body_schema event_schema = { "triggerEventParams", event_fields };

/* A query "a,b,c" cut in place. */
struct query_list {
	char *text;
	const char *v[LIST_MAX + 1]; /* one more for host_id */
	size_t n;
};

static void query_list_done(struct query_list *l)
{
	free(l->text);
}

static int query_list_read(const struct request *r, const char *name, struct query_list *l,
			   struct fault *err)
{
	const char *value = request_query(r, name);

	if (str_empty(value))
		return 0;
	l->text = strdup(value);
	if (!l->text)
		return -ENOMEM;
	char *rest = l->text;
	for (char *item; (item = strsep(&rest, ","));) {
		if (!*item)
			continue;
		if (l->n == LIST_MAX)
			return fault_set(err, -EBADMSG, "%s in query should have at most %d items",
					 name, LIST_MAX);
		l->v[l->n++] = item;
	}
	return 0;
}

static int check_values(const struct query_list *l, const char *name, const char *const *values,
			struct fault *err)
{
	for (size_t i = 0; i < l->n; i++) {
		const char *const *v = values;
		while (*v && strcmp(*v, l->v[i]) != 0)
			v++;
		if (!*v)
			return fault_set(err, -EBADMSG, "%s.%zu in query is unknown: \"%s\"", name,
					 i, l->v[i]);
	}
	return 0;
}

static int check_uuids(const struct query_list *l, const char *name, struct fault *err)
{
	for (size_t i = 0; i < l->n; i++) {
		if (!uuid_is_valid(l->v[i]))
			return fault_set(err, -EBADMSG,
					 "%s.%zu in query must be of type uuid: \"%s\"", name, i,
					 l->v[i]);
	}
	return 0;
}

static int query_uuid(const struct request *r, const char *name, const char **ret,
		      struct fault *err)
{
	*ret = request_query(r, name);
	if (*ret && !uuid_is_valid(*ret))
		return fault_set(err, -EBADMSG, "%s in query must be of type uuid: \"%s\"", name,
				 *ret);
	return 0;
}

static int query_number(const struct request *r, const char *name, int64_t *ret, struct fault *err)
{
	const char *text = request_query(r, name);

	if (text && str_to_i64(text, ret) < 0)
		return fault_set(err, -EBADMSG, "%s in query must be of type int64: \"%s\"", name,
				 text);
	return 0;
}

struct event_query {
	struct query_list hosts, severities, categories;
	struct event_filter filter;
};

static void event_query_done(struct event_query *q)
{
	query_list_done(&q->hosts);
	query_list_done(&q->severities);
	query_list_done(&q->categories);
}

static int read_lists(const struct request *r, struct event_query *q, struct fault *err)
{
	const char *host_id = NULL;

	int e = query_list_read(r, "host_ids", &q->hosts, err);
	if (e == 0)
		e = query_list_read(r, "severities", &q->severities, err);
	if (e == 0)
		e = query_list_read(r, "categories", &q->categories, err);
	if (e == 0)
		e = check_uuids(&q->hosts, "host_ids", err);
	if (e == 0)
		e = check_values(&q->severities, "severities", severities, err);
	if (e == 0)
		e = check_values(&q->categories, "categories", categories, err);
	if (e == 0)
		e = query_uuid(r, "host_id", &host_id, err);
	if (e == 0 && host_id)
		q->hosts.v[q->hosts.n++] = host_id;
	if (e == 0 && !q->categories.n)
		q->categories.v[q->categories.n++] = "user";
	return e;
}

static int read_scalars(const struct request *r, struct event_filter *f, struct fault *err)
{
	const char *order = request_query(r, "order");

	f->limit = LIMIT_DEFAULT;
	if (order && strcmp(order, "ascending") != 0 && strcmp(order, "descending") != 0)
		return fault_set(err, -EBADMSG,
				 "order in query should be one of [ascending descending]");
	f->descending = str_eq(order, "descending");
	f->message = request_query(r, "message");
	f->cluster_level = request_query_flag(r, "cluster_level");
	int e = query_uuid(r, "cluster_id", &f->cluster_id, err);
	if (e == 0)
		e = query_uuid(r, "infra_env_id", &f->infra_env_id, err);
	if (e == 0)
		e = query_number(r, "limit", &f->limit, err);
	if (e == 0)
		e = query_number(r, "offset", &f->offset, err);
	if (e == 0 && f->offset < 0)
		e = fault_set(err, -EBADMSG,
			      "offset in query should be greater than or equal to 0");
	return e;
}

static int read_query(const struct request *r, struct event_query *q, struct fault *err)
{
	struct event_filter *f = &q->filter;

	int e = read_lists(r, q, err);
	if (e == 0)
		e = read_scalars(r, f, err);
	f->host_ids = q->hosts.v;
	f->n_host_ids = q->hosts.n;
	f->severities = q->severities.v;
	f->n_severities = q->severities.n;
	f->categories = q->categories.v;
	f->n_categories = q->categories.n;
	f->scope_infra_env_id = r->caller.infra_env_id[0] ? r->caller.infra_env_id : NULL;
	return e;
}

static int view_event(void *ctx, void *obj)
{
	struct json_out *o = ctx;
	struct api_event *e = obj;

	jo_object(o, NULL);
	jo_opt_str(o, "name", e->name);
	jo_opt_str(o, "cluster_id", e->cluster_id);
	jo_opt_str(o, "host_id", e->host_id);
	jo_opt_str(o, "infra_env_id", e->infra_env_id);
	jo_str(o, "severity", e->severity);
	jo_str(o, "message", e->message);
	jo_time(o, "event_time", e->event_time);
	jo_opt_str(o, "props", e->props);
	jo_object_end(o);
	api_event_done(e);
	return o->r;
}

static int count_headers(struct request *r, const struct event_counts *counts, bool is_general)
{
	static const char *const names[SEVERITY_COUNT] = { "Severity-Count-Info",
							   "Severity-Count-Warning",
							   "Severity-Count-Error",
							   "Severity-Count-Critical" };
	char text[24];
	int e = 0;

	/* Without any object named, the reference counts nothing (assisted-v2 §3.4). */
	for (int i = 0; i < SEVERITY_COUNT && e == 0; i++) {
		snprintf(text, sizeof(text), "%" PRIu64, is_general ? 0 : counts->severity[i]);
		e = answer_header(r, names[i], text);
	}
	snprintf(text, sizeof(text), "%" PRIu64, is_general ? 0 : counts->total);
	return e < 0 ? e : answer_header(r, "Event-Count", text);
}

static int event_list(struct request *r, struct fault *err)
{
	AUTO(event_query_done) struct event_query q = { 0 };
	struct store *store = state_store(r->service->state);
	struct json_out o = json_out(&r->out);
	struct event_counts counts;

	int e = read_query(r, &q, err);
	if (e < 0)
		return e;
	jo_array(&o, NULL);
	e = store->ops->events(store, &q.filter, view_event, &o, &counts, err);
	jo_array_end(&o);
	if (e == 0)
		e = count_headers(r, &counts,
				  !q.filter.cluster_id && !q.filter.infra_env_id &&
					  !q.filter.n_host_ids);
	return e < 0 ? e : answer_out(r, 200, &o);
}

int v2_events_text(struct request *r, const char *cluster_id, struct buf *out, struct fault *err)
{
	static const char *const user[] = { "user" };
	const struct event_filter f = {
		.cluster_id = cluster_id,
		.categories = user,
		.n_categories = ARRAY_SIZE(user),
		.scope_infra_env_id = r->caller.infra_env_id[0] ? r->caller.infra_env_id : NULL,
		.limit = LIMIT_DEFAULT,
	};
	struct store *store = state_store(r->service->state);
	struct json_out o = json_out(out);

	jo_array(&o, NULL);
	int e = store->ops->events(store, &f, view_event, &o, NULL, err);
	jo_array_end(&o);
	return e < 0 ? e : o.r;
}

static void set_id(char to[UUID_LEN + 1], const char *id)
{
	str_copy(to, UUID_LEN + 1, id ? id : "");
}

static int event_fill(const json_t *b, struct api_event *e)
{
	const char *category = json_str(b, "category");

	set_id(e->cluster_id, json_str(b, "cluster_id"));
	set_id(e->host_id, json_str(b, "host_id"));
	set_id(e->infra_env_id, json_str(b, "infra_env_id"));
	if (str_set(&e->name, json_str(b, "name")) < 0 ||
	    str_set(&e->severity, json_str(b, "severity")) < 0 ||
	    str_set(&e->category, category ? category : "user") < 0 ||
	    str_set(&e->message, json_str(b, "message")) < 0 ||
	    str_set(&e->props, json_str(b, "props")) < 0)
		return -ENOMEM;
	return 0;
}

static bool names_own_objects(const struct request *r, const struct api_event *e)
{
	struct state *state = r->service->state;
	const struct cluster *c = e->cluster_id[0] ? state_cluster(state, e->cluster_id) : NULL;

	if (e->cluster_id[0] && (!c || !v2_sees_cluster(r, c)))
		return false;
	return !e->host_id[0] || state_host(state, e->infra_env_id, e->host_id);
}

/* An agent's event belongs to its infra-env, and can name no host and no cluster of others. */
static int event_scope(const struct request *r, struct api_event *e, struct fault *err)
{
	if (r->caller.scheme != AUTH_AGENT)
		return 0;
	if (!e->infra_env_id[0])
		set_id(e->infra_env_id, r->caller.infra_env_id);
	if (!e->host_id[0])
		set_id(e->host_id, r->caller.host_id);
	if (auth_in_scope(&r->caller, e->infra_env_id, e->host_id) && names_own_objects(r, e))
		return 0;
	return fault_set(err, -ENOENT, "Object Not Found");
}

/* All events share one place, where the oldest make room: agents must not push out what others need. */
static int count_posted(const struct request *r, const struct api_event *e, struct fault *err)
{
	struct infra_env *ie = r->caller.scheme == AUTH_AGENT
				       ? state_infra_env(r->service->state, e->infra_env_id)
				       : NULL;

	if (!ie)
		return 0;
	if (r->now_us - ie->posted_since_us >= POSTED_PERIOD_US ||
	    r->now_us < ie->posted_since_us) {
		ie->posted_since_us = r->now_us;
		ie->posted = 0;
	}
	if (ie->posted >= POSTED_MAX)
		return fault_set(err, -EAGAIN,
				 "the agents of infra-env %s have posted %d events within an hour",
				 ie->id, POSTED_MAX);
	ie->posted++;
	return 0;
}

static int event_post(struct request *r, struct fault *err)
{
	struct api_event e = { .event_time = r->now_us };

	int code = event_fill(r->body, &e);
	if (code == 0 && !str_eq(e.category, "user") && !str_eq(e.category, "metrics"))
		code = fault_set(err, -EINVAL, "event category %s is not known", e.category);
	if (code == 0)
		code = event_scope(r, &e, err);
	if (code == 0)
		code = count_posted(r, &e, err);
	if (code < 0) {
		api_event_done(&e);
		return code;
	}
	code = state_event(r->service->state, &e);
	return code < 0 ? code : answer_empty(r, 201);
}

const struct route v2_event_routes[] = {
	{ "GET", ROUTE_BASE "/v2/events", "v2ListEvents", AUTH_USER | AUTH_URL, 0, event_list },
	{ "POST", ROUTE_BASE "/v2/events", "v2TriggerEvent", AUTH_AGENT, 0, event_post,
	  &event_schema },
	ROUTE_END,
};
