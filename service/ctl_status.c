#include <errno.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/ctl_verbs.h"

static json_t *hosts_by_status(struct state *state)
{
	size_t counts[HOST_STATUS_COUNT] = { 0 };
	struct host *h;
	json_t *out = json_object();

	for (size_t i = 0; (h = state_host_at(state, i)); i++)
		counts[h->status]++;
	for (int s = 0; s < HOST_STATUS_COUNT; s++) {
		if (counts[s] && json_object_set_new(out, host_status_name((enum host_status)s),
						     json_integer((json_int_t)counts[s]))) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

static json_int_t count_infra_envs(struct state *state)
{
	size_t n = 0;
	while (state_infra_env_at(state, n))
		n++;
	return (json_int_t)n;
}

static json_int_t count_clusters(struct state *state)
{
	size_t n = 0;
	while (state_cluster_at(state, n))
		n++;
	return (json_int_t)n;
}

static json_int_t count_os_images(struct state *state)
{
	size_t n = 0;
	while (state_os_image_at(state, n))
		n++;
	return (json_int_t)n;
}

static json_t *base_images(const struct images *im)
{
	json_t *list = json_array();

	for (size_t i = 0; i < im->n_base; i++) {
		if (json_array_append_new(list, ctl_base_image_json(&im->base[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static int run(struct ctl_call *c, json_t **ret, struct fault *err)
{
	struct service *s = c->service;

	*ret = json_pack("{s:s, s:s?, s:s?, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o}", "version",
			 SLIPWAY_VERSION, "https", s->https_addr, "http", s->http_addr, "auth",
			 s->config->auth, "service_url", s->service_url, "uptime_seconds",
			 (json_int_t)((service_now_us(s) - s->started_us) / 1000000), "infra_envs",
			 count_infra_envs(s->state), "clusters", count_clusters(s->state),
			 "os_images", count_os_images(s->state), "hosts", hosts_by_status(s->state),
			 "base_images", base_images(s->images));
	return *ret ? 0 : fault_oom(err);
}

const struct ctl_verb ctl_status = { .name = "status", .run = run };
