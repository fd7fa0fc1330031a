/*
 * Logs of hosts (assisted-v2 §3.6): taken as they come, given as tar files.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "service/host_logs.h"
#include "service/life.h"
#include "service/multipart.h"
#include "service/server.h"
#include "service/table.h"
#include "service/tar.h"
#include "service/v2_common.h"
#include "service/v2_event.h"

#define CLUSTER_PATH ROUTE_BASE "/v2/clusters/{cluster_id}"
#define HOST_NAME_LEN 63
#define FORM_ROOM (64u << 10) /* bytes of a body around the file */

enum logs_type { LOGS_HOST, LOGS_CONTROLLER, LOGS_ALL, LOGS_TYPE_COUNT };
static const char *const type_names[LOGS_TYPE_COUNT] = { "host", "controller", "all" };

struct upload {
	struct request *request;
	char infra_env_id[UUID_LEN + 1], host_id[UUID_LEN + 1], cluster_id[UUID_LEN + 1];
	struct multipart form;
	struct host_logs_file *file;
	struct fault why;
	bool has_data;
};

/* --- what both ask for --- */

/* @n: how many of the types are known here; no type is @otherwise (LOGS_TYPE_COUNT = it must be given). */
static int query_type(const struct request *r, size_t n, enum logs_type otherwise,
		      enum logs_type *ret, struct fault *err)
{
	const char *text = request_query(r, "logs_type");

	if (str_empty(text) && otherwise != LOGS_TYPE_COUNT) {
		*ret = otherwise;
		return 0;
	}
	if (str_empty(text))
		return fault_set(err, -EBADMSG, "logs_type in query is required");
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(text, type_names[i])) {
			*ret = (enum logs_type)i;
			return 0;
		}
	}
	return fault_set(err, -EBADMSG, "logs_type in query should be one of [host controller%s]",
			 n > LOGS_ALL ? " all" : "");
}

static int query_id(const struct request *r, const char *name, const char **ret, struct fault *err)
{
	*ret = request_query(r, name);
	if (str_empty(*ret))
		return fault_set(err, -EBADMSG, "%s in query is required", name);
	if (!uuid_is_valid(*ret))
		return fault_set(err, -EBADMSG, "%s in query must be of type uuid: \"%s\"", name,
				 *ret);
	return 0;
}

static int find_cluster(struct request *r, struct cluster **ret, struct fault *err)
{
	int e = v2_find_cluster(r, ret, err);

	if (e == 0 && !v2_sees_cluster(r, *ret))
		e = fault_set(err, -ENOENT, "Object Not Found");
	return e;
}

static int no_controller(struct fault *err)
{
	return fault_set(
		err, -ENOSYS,
		"logs of an installation's controller are not served by this version: hosts are added to clusters that exist");
}

/* --- upload --- */

static void upload_free(struct upload *u)
{
	host_logs_abandon(u->file);
	multipart_done(&u->form);
	free(u);
}

static int on_data(void *ctx, const void *data, size_t len, struct fault *err)
{
	struct upload *u = ctx;

	u->has_data = true;
	return host_logs_write(u->file, data, len, err);
}

/* The host may have gone, or been unbound, while it sent. */
static int take_file(struct request *r, struct upload *u, struct fault *err)
{
	struct host *h = state_host(r->service->state, u->infra_env_id, u->host_id);

	if (!h || strcmp(h->cluster_id, u->cluster_id) != 0)
		return fault_set(err, -ENOENT, "host %s is not in cluster %s", u->host_id,
				 u->cluster_id);
	int e = state_edit_host(r->service->state, h);
	if (e == 0)
		e = host_logs_finish(TAKE(u->file), h, err);
	if (e == 0)
		e = str_set(&h->logs_info, "completed");
	if (e < 0)
		return e;
	h->logs_collected_at = h->updated_at = r->now_us;
	e = life_event_host(r->service, h, "host_logs_uploaded", "info", "logs were uploaded");
	return e < 0 ? e : answer_empty(r, 204);
}

static int upload_taken(struct request *r, void *ctx, struct fault *err)
{
	struct upload *u = ctx;

	int e = u->why.code;
	if (e < 0)
		*err = u->why;
	if (e == 0)
		e = multipart_end(&u->form, err);
	if (e == 0 && !u->has_data)
		e = fault_set(err, -EBADMSG, "upfile in formData is empty");
	if (e == 0)
		e = take_file(r, u, err);
	upload_free(u);
	return e;
}

static void upload_end(void *ctx, int code)
{
	struct upload *u = ctx;

	if (code < 0)
		fault_set(&u->why, -EBADMSG, "the body is not whole");
	server_continue(u->request->service->server, u->request, upload_taken, u);
}

static int upload_write(void *ctx, const void *data, size_t len)
{
	struct upload *u = ctx;

	int e = multipart_feed(&u->form, data, len, &u->why);
	if (e < 0)
		server_continue(u->request->service->server, u->request, upload_taken, u);
	return e;
}

static int find_uploader(struct request *r, const struct cluster *c, struct host **ret,
			 struct fault *err)
{
	const char *host_id, *infra_env_id;

	int e = query_id(r, "host_id", &host_id, err);
	if (e == 0)
		e = query_id(r, "infra_env_id", &infra_env_id, err);
	if (e < 0)
		return e;
	if (!auth_in_scope(&r->caller, infra_env_id, host_id))
		return fault_set(err, -ENOENT, "Object Not Found");
	*ret = state_host(r->service->state, infra_env_id, host_id);
	if (!*ret || strcmp((*ret)->cluster_id, c->id) != 0)
		return fault_set(err, -ENOENT, "host %s is not in cluster %s", host_id, c->id);
	return 0;
}

static int upload_begin(struct request *r, const struct host *h, struct upload *u,
			struct fault *err)
{
	uint64_t len = http_request_length(r->http), max = r->service->config->logs_max_size;

	if (len != UINT64_MAX && len > FORM_ROOM && len - FORM_ROOM > max)
		return fault_set(err, -E2BIG,
				 "the logs of a host have more than %llu bytes (logs_max_size)",
				 (unsigned long long)max);
	int e = multipart_init(&u->form, request_header(r, "Content-Type"), "upfile", err);
	if (e == 0)
		e = host_logs_begin(r->service->logs, h, &u->file, err);
	u->form.data = on_data;
	u->form.ctx = u;
	u->request = r;
	memcpy(u->infra_env_id, h->infra_env_id, sizeof(u->infra_env_id));
	memcpy(u->host_id, h->id, sizeof(u->host_id));
	memcpy(u->cluster_id, h->cluster_id, sizeof(u->cluster_id));
	return e;
}

static int upload(struct request *r, struct fault *err)
{
	enum logs_type type;
	struct cluster *c;
	struct host *h = NULL;

	int e = query_type(r, LOGS_ALL, LOGS_TYPE_COUNT, &type, err);
	if (e == 0)
		e = find_cluster(r, &c, err);
	if (e == 0 && type == LOGS_CONTROLLER)
		e = no_controller(err);
	if (e == 0)
		e = find_uploader(r, c, &h, err);
	if (e < 0)
		return e;
	struct upload *u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	e = upload_begin(r, h, u, err);
	if (e < 0) {
		upload_free(u);
		return e;
	}
	return answer_after_body(r, (struct http_sink){ upload_write, upload_end, u });
}

/* --- download --- */

struct listing {
	struct request *r;
	const struct cluster *c;
	struct tar *tar;
	struct table names; /* members so far; keys are owned */
	size_t n;
};

static void listing_done(struct listing *l)
{
	for (size_t i = 0; i < l->names.size; i++)
		free(l->names.slots[i].value);
	table_done(&l->names);
	tar_free(l->tar);
}

/* A machine may call itself anything, "../../x" too: what could be no file's name everywhere is "_". */
static void plain_name(const struct host *h, char ret[HOST_NAME_LEN + 1])
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

	str_copy(ret, HOST_NAME_LEN + 1, host_name(h));
	for (char *p = ret; *(p += strspn(p, allowed)); p++)
		*p = '_';
}

/*
 * CLUSTER_ROLE_HOSTNAME.tar.gz, or with the id in it where that is taken, or with the infra-env's, too: two may know one machine. Owned by
 * the caller.
 */
static char *member_name(const struct listing *l, const struct host *h)
{
	static const char suffix[] = ".tar.gz";
	const char *cluster = str_empty(l->c->name) ? "cluster" : l->c->name;
	char host[HOST_NAME_LEN + 1];

	plain_name(h, host);
	AUTO(freep)
	char *name = str_printf("%.20s_%s_%s%s", cluster, host_role_name(h->role), host, suffix);

	if (!name || !table_get(&l->names, name))
		return TAKE(name);
	free(name);
	name = str_printf("%.20s_%s_%s%s", cluster, host_role_name(h->role), h->id, suffix);
	if (!name || !table_get(&l->names, name))
		return TAKE(name);
	return str_printf("%.20s_%s_%s_%.8s%s", cluster, host_role_name(h->role), h->id,
			  h->infra_env_id, suffix);
}

static int list_host(struct listing *l, const struct host *h, struct fault *err)
{
	char file[HOST_LOGS_NAME_LEN];
	uint64_t size;

	int e = host_logs_find(l->r->service->logs, h, file, &size, err);
	if (e < 0)
		return e;
	AUTO(freep) char *name = member_name(l, h);
	e = name ? tar_add_file(l->tar, name, file, size, h->logs_collected_at / 1000000) : -ENOMEM;
	if (e == 0)
		e = table_add(&l->names, name, name);
	if (e == -EEXIST)
		e = 0; /* the infra-envs' ids begin alike, too */
	else if (e == 0)
		TAKE(name);
	l->n++;
	return e;
}

/* What happened to the cluster stands beside the logs. */
static int list_events(struct listing *l, struct fault *err)
{
	AUTO(buf_done) struct buf text;

	buf_init(&text, EVENTS_TEXT_MAX);
	int e = v2_events_text(l->r, l->c->id, &text, err);
	size_t len = text.len;
	char *data = e == 0 ? buf_take(&text) : NULL;
	if (e == 0)
		e = data ? tar_add_text(l->tar, "cluster_events.json", data, len,
					l->r->now_us / 1000000)
			 : -ENOMEM;
	return e;
}

static int list_all(struct listing *l, struct fault *err)
{
	size_t n;
	struct host *const *hosts = state_hosts_of_cluster(l->r->service->state, l->c->id, &n);

	int e = list_events(l, err);
	for (size_t i = 0; e == 0 && i < n; i++) {
		if (!hosts[i]->logs_collected_at ||
		    !auth_in_scope(&l->r->caller, hosts[i]->infra_env_id, hosts[i]->id))
			continue;
		e = list_host(l, hosts[i], err);
		if (e == -ENOENT)
			e = 0;
	}
	return e;
}

/* The hosts of a cluster that are called @id: several infra-envs may know one machine. */
static int list_one(struct listing *l, struct fault *err)
{
	const char *id;
	size_t n;
	struct host *const *hosts = state_hosts_of_cluster(l->r->service->state, l->c->id, &n);

	int e = query_id(l->r, "host_id", &id, err);
	if (e < 0)
		return e;
	for (size_t i = 0; e == 0 && i < n; i++) {
		if (!strcmp(hosts[i]->id, id) &&
		    auth_in_scope(&l->r->caller, hosts[i]->infra_env_id, id))
			e = list_host(l, hosts[i], err);
	}
	if (e == 0 && !l->n)
		e = fault_set(err, -ENOENT, "host %s is not in cluster %s", id, l->c->id);
	return e;
}

static int give(struct listing *l, enum logs_type type)
{
	struct request *r = l->r;
	AUTO(freep)
	char *disposition = str_printf("attachment; filename=\"%s_logs.tar\"",
				       type == LOGS_ALL ? l->c->id : request_query(r, "host_id"));

	if (!disposition)
		return -ENOMEM;
	int e = answer_header(r, "Content-Disposition", disposition);
	return e < 0 ? e
		     : answer_source(r, "application/octet-stream", NULL, 0,
				     tar_source(TAKE(l->tar)));
}

static int download(struct request *r, struct fault *err)
{
	AUTO(listing_done) struct listing l = { .r = r };
	enum logs_type type;
	struct cluster *c;

	int e = query_type(r, LOGS_TYPE_COUNT, LOGS_ALL, &type, err);
	if (e == 0)
		e = find_cluster(r, &c, err);
	if (e == 0 && type == LOGS_CONTROLLER)
		e = no_controller(err);
	if (e < 0)
		return e;
	l.c = c;
	l.tar = tar_new(host_logs_dirfd(r->service->logs));
	if (!l.tar)
		return -ENOMEM;
	e = type == LOGS_ALL ? list_all(&l, err) : list_one(&l, err);
	return e < 0 ? e : give(&l, type);
}

const struct route v2_logs_routes[] = {
	{ "POST", CLUSTER_PATH "/logs", "v2UploadLogs", AUTH_AGENT, 0, upload },
	{ "GET", CLUSTER_PATH "/logs", "v2DownloadClusterLogs", AUTH_USER | AUTH_URL, ROUTE_OCTET,
	  download },
	ROUTE_END,
};
