#include "hwprobe/bmc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/context.h"
#include "hwprobe/explain.h"
#include "hwprobe/probe.h"
#include "hwprobe/record.h"
#include "hwprobe/smbios_host.h"

/* What the API calls "none"; the suffix of the IPv6 value is part of it. */
#define BMC_NO_ADDRESS "0.0.0.0"
#define BMC_NO_V6ADDRESS "::/0"

enum {
	BMC_CACHE_MS = 10 * 60 * 1000,
	BMC_RETRY_MS = 60 * 1000, /* a BMC that restarts is back after a minute or two */
};

/* --- the running machine's BMC: asked by the worker, remembered in the context ------------------------------------ */

static bool has_node(struct survey *s)
{
	for (size_t i = 0; ipmi_nodes[i]; i++)
		if (root_exists(s->root, ipmi_nodes[i]))
			return true;
	return false;
}

void bmc_begin(struct survey *s)
{
	struct bmc_cache *c = &s->ctx->bmc;
	if (!s->root->is_live || s->opt->flags & HWP_NO_DEVICE_READ || c->worker ||
	    c->until_ms > time_mono_ms() || (!c->exchange && !has_node(s)))
		return;
	c->rc = bmc_worker_start(&c->worker, c->exchange, s->opt->bmc_timeout_ms,
				 s->opt->flags & HWP_MORE);
}

void bmc_forget(struct bmc_cache *c)
{
	c->until_ms = 0;
	c->has_info = false;
}

void bmc_close(struct bmc_cache *c)
{
	bmc_worker_leave(TAKE(c->worker));
}

static void record_transcript(struct survey *s, char *text)
{
	char *save = NULL;
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		record_line(s->root, "ipmi.txt", "%s", line);
}

/*
 * Takes over what the worker has found. Whoever knows something already does not wait for it: the news come with the next probe.
 * -ETIMEDOUT: it still asks.
 */
static int collect(struct survey *s, struct bmc_cache *c)
{
	struct bmc_answer answer;
	int64_t now = time_mono_ms(), limit = now + s->opt->bmc_timeout_ms;
	int rc = bmc_worker_wait(c->worker, c->has_info ? now : MIN_OF(limit, s->deadline_ms),
				 &answer);
	if (rc < 0)
		return c->has_info ? 0 : rc;
	AUTO(freep) char *transcript = answer.transcript;
	record_transcript(s, transcript);
	c->rc = answer.rc;
	c->info = answer.info;
	c->has_info = true;
	c->until_ms = time_mono_ms() + (answer.rc < 0 ? BMC_RETRY_MS : BMC_CACHE_MS);
	bmc_worker_leave(TAKE(c->worker));
	return 0;
}

/* The search for the device came before this probe, so that the BMC has time to answer. */
static void explain_nodes(struct survey *s)
{
	for (size_t i = 0; ipmi_nodes[i]; i++)
		explain_read(s, ipmi_nodes[i], root_exists(s->root, ipmi_nodes[i]) ? 0 : ENOENT);
}

static const struct bmc_info *ask_live(struct survey *s)
{
	struct bmc_cache *c = &s->ctx->bmc;
	if (s->opt->flags & HWP_EXPLAIN)
		explain_nodes(s);
	int rc = c->worker ? collect(s, c) : 0;
	if (!rc)
		rc = c->rc;
	if (rc < 0)
		survey_error(s, "ipmi", -rc, "the BMC does not answer: %s", strerror(-rc));
	return c->has_info ? &c->info : NULL;
}

static const struct bmc_info *ask_record(struct survey *s)
{
	char *text = NULL;
	struct ipmi i;
	struct bmc_info *info = arena_alloc(s->tmp, sizeof(*info));
	if (!info || attr_file(s, "ipmi.txt", ROOT_TABLE_MAX, &text, NULL) < 0)
		return NULL;
	if (*text && !ipmi_is_record(text))
		survey_error(s, "ipmi.txt", EBADMSG, "no answers of a BMC");
	ipmi_open_record(&i, text);
	(void)bmc_ask(&i, s->opt->flags & HWP_MORE, info); /* a record always answers */
	return info;
}

/* --- into the inventory ------------------------------------------------------------------------------------------- */

static void put_ip(struct survey *s, struct hwp_str *dst, int family, const void *address)
{
	char text[INET6_ADDRSTRLEN];
	if (inet_ntop(family, address, text, sizeof(text)))
		put_str(s, dst, text, "ipmi");
}

static void put_info(struct survey *s, const struct bmc_info *i)
{
	static const char *const sources[] = { NULL, "static", "dhcp", "bios", "other" };
	struct hwp_bmc *b = &s->inv->bmc;
	char mac[sizeof("00:00:00:00:00:00")];
	if (i->has_v4)
		put_ip(s, &b->address, AF_INET, i->v4);
	if (i->has_v6)
		put_ip(s, &b->v6address, AF_INET6, i->v6);
	if (i->channel)
		put_num(s, &b->channel, i->channel, "ipmi");
	if (i->source < ARRAY_SIZE(sources))
		put_str(s, &b->address_source, sources[i->source], "ipmi");
	if (i->has_netmask)
		put_ip(s, &b->netmask, AF_INET, i->netmask);
	if (i->has_gateway)
		put_ip(s, &b->gateway, AF_INET, i->gateway);
	if (i->vlan_id)
		put_num(s, &b->vlan_id, i->vlan_id, "ipmi");
	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", i->mac[0], i->mac[1], i->mac[2],
		 i->mac[3], i->mac[4], i->mac[5]);
	if (i->has_mac)
		put_str(s, &b->mac_address, mac, "ipmi");
}

/* DSP0134 7.39, type 38: which interface the firmware says there is. */
static void find_interface(struct survey *s, bool has_device)
{
	static const char *const types[] = { NULL, "KCS", "SMIC", "BT", "SSIF" };
	struct hwp_bmc *b = &s->inv->bmc;
	struct smbios_item item;
	if (!smbios_find(survey_smbios(s), SMBIOS_IPMI, &item))
		return;
	uint8_t type = smbios_u8(&item, 4);
	put_str(s, &b->interface, type < ARRAY_SIZE(types) ? types[type] : NULL, "smbios 38");
	put_bool(s, &b->is_without_driver, !has_device, "smbios 38");
}

/* Where the host reaches the BMC's Redfish service, without IPMI. */
static void find_redfish(struct survey *s)
{
	struct smbios_item item = { 0 };
	struct smbios_redfish r;
	char text[INET6_ADDRSTRLEN];
	for (int n = 0; n < SMBIOS_STRUCTURES_MAX && smbios_next(survey_smbios(s), &item); n++)
		if (smbios_redfish(&item, &r) &&
		    inet_ntop(r.family, r.service_address, text, sizeof(text)))
			put_strs(s, &s->inv->bmc.redfish_addresses, text, "smbios 42");
}

static void run(struct survey *s)
{
	struct hwp_bmc *b = &s->inv->bmc;
	const struct bmc_info *info = s->root->is_live ? ask_live(s) : ask_record(s);
	if (info)
		put_info(s, info);
	if (!b->address.s)
		put_str(s, &b->address, BMC_NO_ADDRESS, "default");
	if (!b->v6address.s)
		put_str(s, &b->v6address, BMC_NO_V6ADDRESS, "default");
	if (!(s->opt->flags & HWP_MORE))
		return;
	find_interface(s, info || has_node(s));
	find_redfish(s);
}

const struct probe probe_bmc = { .name = "bmc", .part = HWP_BMC, .run = run };
