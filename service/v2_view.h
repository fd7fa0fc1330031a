#pragma once
/*
 * Objects as the assisted-install API shows them (emission rules: assisted-v2 §1.2).
 */
#include "service/json_out.h"
#include "service/service.h"

/* Where the discovery image of @ie is downloaded; owned by the caller; NULL = no memory. */
char *view_download_url(const struct service *svc, const struct infra_env *ie);
void view_infra_env(struct json_out *o, const struct service *svc, const struct infra_env *ie);

enum view_host_flags {
	VIEW_HOST_NO_INVENTORY = 1 << 0,
	VIEW_HOST_NO_CONNECTIVITY = 1 << 1,
	VIEW_HOST_OPEN = 1 << 2, /* the object is left open: the caller adds fields and ends it */
};
void view_host(struct json_out *o, const struct host *h, unsigned flags);
/* With the hosts that @hosts_for may see; NULL = without hosts. */
void view_cluster(struct json_out *o, const struct service *svc, const struct cluster *c,
		  const struct caller *hosts_for);

/* Stages that this host goes through, for progress_stages and the percentage (assisted-v2 §4.4). */
const enum stage *view_stages(const struct host *h, size_t *ret_n);
unsigned view_percentage(const struct host *h);
