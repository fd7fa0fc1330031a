#pragma once
/*
 * What users and agents do to hosts (assisted-v2 §7.2), apart from HTTP. Hosts must be announced by state_edit_host() before. Errors:
 * -EINVAL 400, -ENOENT 404, -EBUSY 409, -EPROTO wrong state of a kind that the reference answers with 500.
 */
#include "service/service.h"

struct host_registration {
	const char *host_id, *agent_version;
	bool is_slipway_agent;
};
/* First or repeated registration; *ret_is_new. The host of the answer is borrowed. */
int host_register(struct service *svc, struct infra_env *ie, const struct host_registration *reg,
		  struct host **ret, bool *ret_is_new, struct fault *err);
int host_bind(struct service *svc, struct host *h, const char *cluster_id, struct fault *err);
/* Without the checks that only a user's request needs: host_check_unbind(). */
int host_unbind(struct service *svc, struct host *h, struct fault *err);
int host_check_unbind(struct service *svc, const struct host *h, struct fault *err);
int host_reset(struct service *svc, struct host *h, struct fault *err);
int host_install(struct service *svc, struct host *h, struct fault *err);

struct host_report {
	const char *stage, *info; /* "" = none */
	bool is_slipway_agent;
	bool is_installed_system; /* the token is bound to this host */
	const char *install_id;   /* the installation that left the token; "" = unknown */
};
/* PUT …/progress with the rule "joined means joined" (assisted-v2 §4.4, and for our agents: stays in progress until Done). */
int host_progress(struct service *svc, struct host *h, const struct host_report *report,
		  struct fault *err);
/* Refreshes other hosts of the cluster for which something changed because @h did. @old_name: its name before. */
int host_refresh_peers(struct service *svc, struct host *h, const char *old_name, bool had_api_vip,
		       struct fault *err);
/* Refreshes the hosts of a cluster ("" = none) that are called @name: another one of that name came, left or was renamed. */
int host_refresh_namesakes(struct service *svc, const char *cluster_id, const char *name,
			   struct fault *err);
/* Has the host fetched its cluster's configuration? */
bool host_has_api_vip(const struct host *h);
