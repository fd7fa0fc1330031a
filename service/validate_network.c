#include "service/validate.h"

#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/connection.h"

#define SECONDS_US 1000000ll
#define SERVICE_AHEAD_MAX_S \
	(20 * 60) /* a certificate of the cluster must not be from the host's future */
#define HOST_AHEAD_MAX_S (60 * 60)

static const char *text_of(const json_t *obj, const char *key)
{
	const char *s = json_str(obj, key);
	return s ? s : "";
}

static int connected(struct validation_check *c)
{
	return validation_decide(c, host_is_connected(c->ctx, c->host),
				 "The host talks to the service",
				 "The host does not talk to the service");
}

static int media_connected(struct validation_check *c)
{
	return validation_decide(c, c->host->media_disconnected != HOST_MEDIA_DISCONNECTED,
				 "The host can read its boot medium",
				 "The host cannot read its boot medium any more");
}

static int ignition_downloadable(struct validation_check *c)
{
	const char *error = text_of(c->api_vip, "download_error"),
		   *url = text_of(c->api_vip, "url");

	if (!c->api_vip)
		return validation_say(
			c, VALIDATION_PENDING,
			"Waiting for the host to try the download of the cluster's configuration");
	if (json_flag(c->api_vip, "is_success"))
		return validation_say(c, VALIDATION_SUCCESS,
				      "The host can download the cluster's configuration");
	return validation_say(
		c, VALIDATION_FAILURE,
		"The host cannot download the cluster's configuration from %s (%s): make that address reachable",
		*url ? url : "the cluster", *error ? error : "no reason given");
}

static int platform_network(struct validation_check *c)
{
	const char *product = text_of(json_child(c->inventory, "system_vendor"), "product_name");

	/* instances of it get their addresses from their cloud, which a node of a bare-metal cluster cannot rely on */
	if (strcmp(product, "OpenStack Compute") == 0)
		return validation_say(
			c, VALIDATION_FAILURE,
			"Machines of the kind %s are not supported: their network is managed elsewhere",
			product);
	return validation_say(c, VALIDATION_SUCCESS, "The kind of machine is supported");
}

static bool has_synced_source(const char *sources_text)
{
	AUTO(json_decrefp)
	json_t *sources = str_empty(sources_text) ? NULL
						  : json_parse(sources_text, strlen(sources_text),
							       1u << 20, true, NULL);
	size_t i;
	json_t *source;

	json_array_foreach(sources, i, source) {
		if (strcmp(text_of(source, "source_state"), "synced") == 0)
			return true;
	}
	return false;
}

static int ntp_synced(struct validation_check *c)
{
	if (has_synced_source(c->host->ntp_sources))
		return validation_say(c, VALIDATION_SUCCESS,
				      "The host's clock follows an NTP source");
	/* a pool host is told which sources to use once it has a cluster */
	if (!c->ctx->cluster)
		return VALIDATION_SUPPRESSED;
	return validation_say(c, VALIDATION_FAILURE,
			      "The host's clock follows no NTP source: add a reachable one");
}

static int time_synced(struct validation_check *c)
{
	const struct host *h = c->host;
	if (!h->timestamp)
		return validation_say(c, VALIDATION_PENDING, "The host has not told its time");

	int64_t service_s = (h->checked_in_at ? h->checked_in_at : c->ctx->now_us) / SECONDS_US;
	if (service_s - h->timestamp > SERVICE_AHEAD_MAX_S)
		return validation_say(c, VALIDATION_FAILURE,
				      "The host's clock is more than %d minutes slow",
				      SERVICE_AHEAD_MAX_S / 60);
	if (h->timestamp - service_s > HOST_AHEAD_MAX_S)
		return validation_say(c, VALIDATION_FAILURE,
				      "The host's clock is more than %d minutes fast",
				      HOST_AHEAD_MAX_S / 60);
	return validation_say(c, VALIDATION_SUCCESS, "The host's clock and the service's agree");
}

static int has_default_route(struct validation_check *c)
{
	size_t i;
	json_t *route;

	json_array_foreach(json_child(c->inventory, "routes"), i, route) {
		const char *destination = text_of(route, "destination");
		bool is_default = strcmp(destination, "0.0.0.0") == 0 ||
				  strcmp(destination, "::") == 0;
		if (is_default && *text_of(route, "gateway"))
			return validation_say(c, VALIDATION_SUCCESS,
					      "The host has a default route");
	}
	return validation_say(c, VALIDATION_FAILURE,
			      "The host has no default route with a gateway");
}

static int images_available(struct validation_check *c)
{
	return validation_say(c, VALIDATION_SUCCESS,
			      "No container image has to be fetched before an installation");
}

static int no_collisions(struct validation_check *c)
{
	return validation_say(
		c, VALIDATION_SUCCESS,
		"Addresses are not compared between hosts that join a running cluster");
}

/* What only a new cluster needs: a host that joins one brings its addresses with it (assisted-v2 §7.4, "always success"). */
static int not_for_joining(struct validation_check *c)
{
	return validation_say(c, VALIDATION_SUCCESS,
			      "Not needed for a host that joins a running cluster");
}

#define BLOCKS (VALIDATE_BOUND | VALIDATE_BOUND_BLOCKS)
#define BOTH (VALIDATE_BOTH | VALIDATE_BOUND_BLOCKS)

const struct validation_rule validation_network[] = {
	{ "connected", BOTH | VALIDATE_NO_IGNORE, connected },
	{ "media-connected", BOTH, media_connected },
	{ "machine-cidr-defined", BLOCKS | VALIDATE_NO_IGNORE, not_for_joining },
	{ "belongs-to-machine-cidr", BLOCKS, not_for_joining },
	{ "ignition-downloadable", BLOCKS, ignition_downloadable },
	{ "belongs-to-majority-group", BLOCKS, not_for_joining },
	{ "mtu-valid", VALIDATE_BOUND, not_for_joining },
	{ "valid-platform-network-settings", BOTH | VALIDATE_INVENTORY, platform_network },
	{ "ntp-synced", VALIDATE_BOTH, ntp_synced },
	{ "time-synced-between-host-and-service", BOTH, time_synced },
	{ "container-images-available", BOTH, images_available },
	{ "sufficient-network-latency-requirement-for-role", BLOCKS, not_for_joining },
	{ "sufficient-packet-loss-requirement-for-role", BLOCKS, not_for_joining },
	{ "has-default-route", BOTH | VALIDATE_INVENTORY, has_default_route },
	{ "api-domain-name-resolved-correctly", BLOCKS | VALIDATE_INVENTORY, validate_api_name },
	{ "api-int-domain-name-resolved-correctly", BLOCKS | VALIDATE_INVENTORY,
	  validate_api_int_name },
	{ "apps-domain-name-resolved-correctly", BLOCKS | VALIDATE_INVENTORY, validate_apps_name },
	{ "dns-wildcard-not-configured", BLOCKS, not_for_joining },
	{ "non-overlapping-subnets", BLOCKS | VALIDATE_INVENTORY, validate_subnets },
	{ "no-ip-collisions-in-network", BOTH, no_collisions },
	{ NULL },
};
