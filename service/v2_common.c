#include "service/v2_common.h"

#include <errno.h>
#include <string.h>

#include "service/v2_view.h"

int v2_find_infra_env(struct request *r, struct infra_env **ret, struct fault *err)
{
	*ret = state_infra_env(r->service->state, request_param(r, "infra_env_id"));
	return *ret ? 0 : fault_set(err, -ENOENT, "record not found");
}

int v2_find_cluster(struct request *r, struct cluster **ret, struct fault *err)
{
	*ret = state_cluster(r->service->state, request_param(r, "cluster_id"));
	return *ret ? 0 : fault_set(err, -ENOENT, "record not found");
}

bool v2_sees_cluster(const struct request *r, const struct cluster *c)
{
	const char *scope = r->caller.infra_env_id;
	size_t n;

	if (!scope[0])
		return true;
	const struct infra_env *ie = state_infra_env(r->service->state, scope);
	if (ie && !strcmp(ie->cluster_id, c->id))
		return true;
	struct host *const *hosts = state_hosts_of_cluster(r->service->state, c->id, &n);
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(hosts[i]->infra_env_id, scope))
			return true;
	}
	return false;
}

int v2_find_host(struct request *r, struct host **ret, struct fault *err)
{
	const char *infra_env_id = request_param(r, "infra_env_id"),
		   *host_id = request_param(r, "host_id");

	*ret = state_host(r->service->state, infra_env_id, host_id);
	return *ret ? 0
		    : fault_set(err, -ENOENT,
				"failed to get host %s in infra_env %s: record not found", host_id,
				infra_env_id);
}

int answer_out(struct request *r, int status, const struct json_out *o)
{
	r->status = status;
	r->content_type = "application/json";
	return o->r;
}

int answer_host(struct request *r, int status, const struct host *h)
{
	struct json_out o = json_out(&r->out);

	view_host(&o, h, 0);
	return answer_out(r, status, &o);
}
