#include "service/v2_common.h"

#include <errno.h>

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
