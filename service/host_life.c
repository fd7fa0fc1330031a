#include "service/host_life.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/life.h"

#define POOL_NAME "worker" /* the machine config pool of workers */

static void clear(char **text)
{
	free(*text);
	*text = NULL;
}

static void clear_cluster_checks(struct host *h)
{
	clear(&h->connectivity);
	clear(&h->api_vip_connectivity);
	clear(&h->tang_connectivity);
	clear(&h->domain_name_resolutions);
	clear(&h->target_ignition);
	clear(&h->install_id);
}

/* --- registration --- */

static int register_new(struct service *svc, struct infra_env *ie,
			const struct host_registration *reg, struct host **ret, struct fault *err)
{
	int64_t now = service_now_us(svc);
	struct host *h;
	size_t n;

	/* 503 and no other failure: agents that get it try again (assisted-v2 §4.1) */
	(void)state_hosts_of_infra_env(svc->state, ie->id, &n);
	if (n >= svc->config->max_hosts)
		return fault_set(
			err, -EAGAIN,
			"infra-env %s has %zu hosts, which is the most (max_hosts): delete those that are gone",
			ie->id, n);
	int r = state_add_host(svc->state, ie->id, reg->host_id, &h);
	if (r < 0)
		return r;
	bool is_bound = ie->cluster_id[0];
	r = state_host_set_cluster(svc->state, h, ie->cluster_id);
	h->kind = is_bound ? HOST_KIND_DAY2 : HOST_KIND_HOST;
	h->role = h->suggested_role = is_bound ? ROLE_WORKER : ROLE_AUTO_ASSIGN;
	h->status = is_bound ? HOST_DISCOVERING : HOST_DISCOVERING_UNBOUND;
	h->created_at = h->updated_at = h->registered_at = h->status_updated_at = h->checked_in_at =
		now;
	h->slipway_agent = reg->is_slipway_agent;
	if (r < 0 || str_set(&h->discovery_agent_version, reg->agent_version) < 0 ||
	    str_set(&h->user_name, ie->user_name) < 0 ||
	    str_set(&h->status_info, "Waiting for the host's inventory") < 0 ||
	    (is_bound && str_set(&h->machine_config_pool_name, POOL_NAME) < 0))
		return -ENOMEM;
	life_schedule(svc, h);
	*ret = h;
	return life_event_host(svc, h, "host_registration_succeeded", "info",
			       "Successfully registered");
}

/* "MODEL SERIAL (NAME, ID)" of the installation disk, as far as it is known. */
static char *disk_words(const struct host *h)
{
	const char *id = h->installation_disk_id ? h->installation_disk_id : "(unknown)";
	AUTO(json_decrefp) json_t *inventory = NULL;
	json_t *disk;

	if (h->inventory)
		inventory = json_parse(h->inventory, strlen(h->inventory), SIZE_MAX, true, NULL);
	if (!inventory || inventory_find_disk(inventory, id, false, &disk) != 1)
		return strdup(id);
	const char *model = json_str(disk, "model"), *serial = json_str(disk, "serial"),
		   *name = json_str(disk, "name");
	return str_printf("%s %s (%s, %s)", model ? model : "", serial ? serial : "",
			  name ? name : "", id);
}

/* The machine was told to boot its disk, but the discovery medium came up again. */
static int register_wrong_boot(struct service *svc, struct host *h, struct fault *err)
{
	if (h->status == HOST_INSTALLING_PENDING_USER_ACTION)
		return fault_set(err, -EINVAL, "Host is required to be booted from disk %s",
				 h->installation_disk_id ? h->installation_disk_id : "");
	AUTO(freep) char *disk = disk_words(h);
	AUTO(freep)
	char *info =
		disk ? str_printf(
			       "The host should have booted from its disk, but it booted the discovery medium: put the "
			       "disk first in the boot order and restart it: %s",
			       disk)
		     : NULL;
	h->registered_at = service_now_us(svc);
	return info ? life_move(svc, h, HT_REGISTER, HOST_INSTALLING_PENDING_USER_ACTION, info, err)
		    : -ENOMEM;
}

static int register_afresh(struct service *svc, struct host *h, const struct host_registration *reg,
			   struct fault *err)
{
	bool is_bound = h->cluster_id[0];

	host_clear_findings(h);
	h->kind = is_bound ? HOST_KIND_DAY2 : HOST_KIND_HOST;
	h->registered_at = h->checked_in_at = service_now_us(svc);
	h->slipway_agent = reg->is_slipway_agent;
	h->media_disconnected = 0;
	if (str_set(&h->discovery_agent_version, reg->agent_version) < 0)
		return -ENOMEM;
	return life_move(svc, h, HT_REGISTER,
			 is_bound ? HOST_DISCOVERING : HOST_DISCOVERING_UNBOUND,
			 "Waiting for the host's inventory", err);
}

static bool has_rebooted(const struct host *h)
{
	return h->status == HOST_INSTALLING_PENDING_USER_ACTION ||
	       h->status == HOST_ADDED_TO_EXISTING_CLUSTER ||
	       (h->status == HOST_INSTALLING_IN_PROGRESS && h->stage >= STAGE_REBOOTING &&
		h->stage <= STAGE_DONE);
}

static int register_again(struct service *svc, struct host *h, const struct host_registration *reg,
			  struct fault *err)
{
	if (has_rebooted(h))
		return register_wrong_boot(svc, h, err);

	switch (h->status) {
	case HOST_INSTALLING:
	case HOST_INSTALLING_IN_PROGRESS:
		return life_move(svc, h, HT_REGISTER, HOST_ERROR,
				 "The host restarted unexpectedly during its installation", err);
	case HOST_ERROR:
		return 0;
	case HOST_INSTALLED:
		return fault_set(err, -EBUSY, "host %s is installed already", h->id);
	case HOST_PREPARING_FOR_INSTALLATION:
	case HOST_PREPARING_SUCCESSFUL:
		return life_move(svc, h, HT_REGISTER, HOST_KNOWN, "The host can be installed", err);
	default:
		break;
	}
	if (register_afresh(svc, h, reg, NULL) < 0)
		return fault_set(err, -EINVAL, "a host that is %s cannot register",
				 host_status_name(h->status));
	return 0;
}

int host_register(struct service *svc, struct infra_env *ie, const struct host_registration *reg,
		  struct host **ret, bool *ret_is_new, struct fault *err)
{
	struct host *h = state_host(svc->state, ie->id, reg->host_id);

	*ret_is_new = !h;
	if (str_eq(ie->image_type, "disconnected-iso"))
		return fault_set(err, -EINVAL,
				 "hosts of a disconnected-iso infra-env do not register here");
	if (!h)
		return register_new(svc, ie, reg, ret, err);
	*ret = h;
	AUTO(freep) char *old_name = host_effective_name(h);
	bool had_api_vip = host_has_api_vip(h);
	int r = old_name ? state_edit_host(svc->state, h) : -ENOMEM;
	if (r == 0)
		r = register_again(svc, h, reg, err);
	/* what called it by its name is gone with the inventory */
	return r < 0 ? r : host_refresh_peers(svc, h, old_name, had_api_vip, err);
}

/* --- binding --- */

int host_bind(struct service *svc, struct host *h, const char *cluster_id, struct fault *err)
{
	if (h->cluster_id[0])
		return fault_set(err, -EBUSY, "Host %s is already bound to cluster %s", h->id,
				 h->cluster_id);
	const struct cluster *c = state_cluster(svc->state, cluster_id);
	if (!c)
		return fault_set(err, -EINVAL, "Failed to find cluster %s", cluster_id);
	const struct infra_env *ie = state_infra_env(svc->state, h->infra_env_id);
	if (ie && !str_empty(c->cpu_architecture) &&
	    !str_eq(c->cpu_architecture, ie->cpu_architecture))
		return fault_set(err, -EINVAL,
				 "Cannot bind: the infra-env is for %s, the cluster for %s",
				 ie->cpu_architecture, c->cpu_architecture);
	if (!host_may_move(HT_BIND, h->status, HOST_BINDING) || h->status == HOST_BINDING)
		return fault_set(err, -EPROTO,
				 "a host that is %s cannot be bound: it must be known-unbound",
				 host_status_name(h->status));

	int r = state_host_set_cluster(svc->state, h, cluster_id);
	if (r < 0)
		return r;
	clear(&h->inventory);
	clear(&h->inventory_hostname);
	clear(&h->stage_text);
	clear(&h->progress_info);
	h->stage = STAGE_NONE;
	h->bootstrap = false;
	r = life_move(svc, h, HT_BIND, HOST_BINDING,
		      "The host is being bound: its agent will register again", err);
	return r < 0 ? r
		     : life_event_host(svc, h, "host_bind_succeeded", "info",
				       "Successfully bound to cluster %s", cluster_id);
}

int host_check_unbind(struct service *svc, const struct host *h, struct fault *err)
{
	const struct infra_env *ie = state_infra_env(svc->state, h->infra_env_id);

	if (!h->cluster_id[0])
		return fault_set(err, -EBUSY, "Host %s is already unbound", h->id);
	if (ie && ie->cluster_id[0])
		return fault_set(err, -EBUSY,
				 "Cannot unbind Host %s. InfraEnv %s is bound to Cluster %s", h->id,
				 ie->id, ie->cluster_id);
	switch (h->status) {
	case HOST_PREPARING_FOR_INSTALLATION:
	case HOST_PREPARING_SUCCESSFUL:
	case HOST_INSTALLING:
	case HOST_INSTALLING_IN_PROGRESS:
	case HOST_INSTALLING_PENDING_USER_ACTION:
		return fault_set(err, -EBUSY, "Cannot unbind Host %s while it is %s", h->id,
				 host_status_name(h->status));
	default:
		return 0;
	}
}

int host_unbind(struct service *svc, struct host *h, struct fault *err)
{
	bool running = host_may_move(HT_UNBIND, h->status, HOST_UNBINDING);
	enum host_status to = running ? HOST_UNBINDING : HOST_UNBINDING_PENDING_USER_ACTION;

	if (!host_may_move(HT_UNBIND, h->status, to))
		return fault_set(err, -EPROTO, "a host that is %s cannot be unbound",
				 host_status_name(h->status));

	char cluster_id[UUID_LEN + 1];
	memcpy(cluster_id, h->cluster_id, sizeof(cluster_id));
	int r = state_host_set_cluster(svc->state, h, "");
	if (r < 0)
		return r;
	clear_cluster_checks(h);
	h->kind = HOST_KIND_HOST;
	h->role = h->suggested_role = ROLE_AUTO_ASSIGN;
	clear(&h->machine_config_pool_name);
	clear(&h->stage_text);
	clear(&h->progress_info);
	clear(&h->logs_info);
	h->stage = STAGE_NONE;
	h->stage_started_at = h->stage_updated_at = h->logs_started_at = h->logs_collected_at = 0;
	r = life_move(
		svc, h, HT_UNBIND, to,
		running ? "The host is being unbound: its agent will register again"
			: "Boot the host from its discovery medium to bring it back to its pool",
		err);
	return r < 0 ? r
		     : life_event_host(svc, h, "host_unbind_succeeded", "info",
				       "Successfully unbound from cluster %s", cluster_id);
}

/* --- reset, install --- */

int host_reset(struct service *svc, struct host *h, struct fault *err)
{
	if (!h->cluster_id[0])
		return fault_set(err, -EBUSY, "Host %s is not bound to any cluster", h->id);
	if (h->kind != HOST_KIND_DAY2)
		return fault_set(err, -EBUSY,
				 "Host %s is not a host that is added to an existing cluster",
				 h->id);
	if (!host_may_move(HT_RESET, h->status, HOST_RESETTING_PENDING_USER_ACTION))
		return fault_set(err, -EBUSY, "a host that is %s cannot be reset",
				 host_status_name(h->status));
	int r = life_move(svc, h, HT_RESET, HOST_RESETTING_PENDING_USER_ACTION,
			  "Boot the host from its discovery medium to complete the reset", err);
	return r < 0 ? r
		     : life_event_host(svc, h, "host_installation_reset", "info",
				       "the installation was reset");
}

static int start_installation(struct service *svc, struct host *h, struct fault *err)
{
	char install_id[UUID_LEN + 1];
	char *ignition;

	h->role = ROLE_WORKER;
	if (str_empty(h->machine_config_pool_name) &&
	    str_set(&h->machine_config_pool_name, POOL_NAME) < 0)
		return -ENOMEM;
	struct rule_ctx ctx = life_ctx(svc, h);
	int r = ignition_target(&ctx, h, &ignition, err);
	if (r < 0)
		return r == -ENOMEM ? r : -EPROTO;
	free(h->target_ignition);
	h->target_ignition = ignition;

	uuid_random(install_id);
	clear(&h->stage_text);
	clear(&h->progress_info);
	clear(&h->logs_info);
	h->stage = STAGE_NONE;
	h->stage_started_at = h->stage_updated_at = h->logs_started_at = h->logs_collected_at = 0;
	h->stage_timed_out = false;
	r = str_set(&h->install_id, install_id);
	return r < 0 ? r
		     : life_move(svc, h, HT_INSTALL, HOST_INSTALLING,
				 "The installation was asked for", err);
}

int host_install(struct service *svc, struct host *h, struct fault *err)
{
	if (!h->cluster_id[0])
		return fault_set(err, -ENOENT, "Host %s is not bound to any cluster", h->id);
	if (h->kind != HOST_KIND_DAY2)
		return fault_set(err, -EBUSY,
				 "Host %s is not a host that is added to an existing cluster",
				 h->id);
	int r = life_refresh(svc, h, h->status, err);
	if (r < 0)
		return r;
	if (h->status != HOST_KNOWN)
		return fault_set(err, -EBUSY, "cannot install host in state %s",
				 host_status_name(h->status));
	return start_installation(svc, h, err);
}

/* --- other hosts of the cluster --- */

bool host_has_api_vip(const struct host *h)
{
	return h->api_vip_connectivity && strstr(h->api_vip_connectivity, "\"is_success\":true");
}

static int refresh_peer(struct service *svc, struct host *peer, struct fault *err)
{
	int r = state_edit_host(svc->state, peer);

	return r < 0 ? r : life_refresh(svc, peer, peer->status, err);
}

int host_refresh_namesakes(struct service *svc, const char *cluster_id, const char *name,
			   struct fault *err)
{
	size_t n;
	struct host *const *hosts = state_hosts_of_cluster(svc->state, cluster_id, &n);
	struct host *called[2];
	size_t n_called = 0;
	int r = 0;

	/* with three or more nothing turns for anybody when one comes or goes; there may be thousands of a default name */
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(host_name(hosts[i]), name))
			continue;
		if (n_called == ARRAY_SIZE(called))
			return 0;
		called[n_called++] = hosts[i];
	}
	for (size_t i = 0; i < n_called && r == 0; i++)
		r = refresh_peer(svc, called[i], err);
	return r;
}

/* Names of a cluster can be checked once any host has fetched its configuration (assisted-v2 §7.4). */
static int refresh_waiting(struct service *svc, const struct host *first, struct fault *err)
{
	size_t n;
	struct host *const *hosts = state_hosts_of_cluster(svc->state, first->cluster_id, &n);
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		if (hosts[i] != first && host_has_api_vip(hosts[i]))
			return 0;
	}
	for (size_t i = 0; i < n && r == 0; i++) {
		if (hosts[i] != first && hosts[i]->status == HOST_INSUFFICIENT)
			r = refresh_peer(svc, hosts[i], err);
	}
	return r;
}

int host_refresh_peers(struct service *svc, struct host *h, const char *old_name, bool had_api_vip,
		       struct fault *err)
{
	int r = 0;

	if (!h->cluster_id[0])
		return 0;
	if (!str_eq(old_name, host_name(h))) {
		r = host_refresh_namesakes(svc, h->cluster_id, old_name, err);
		if (r == 0)
			r = host_refresh_namesakes(svc, h->cluster_id, host_name(h), err);
	}
	if (r == 0 && host_has_api_vip(h) && !had_api_vip)
		r = refresh_waiting(svc, h, err);
	return r;
}
