/*
 * The install step (assisted-v2 §5.8): what the host's own installer is told.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/cidr.h"
#include "service/csv.h"
#include "service/requirement.h"
#include "service/step_args.h"

#define STORED_JSON_MAX (8u << 20)
#define NO_PROXY_MAX (64 * 1024)

struct install {
	const struct rule_ctx *ctx;
	const struct host *host;
	json_t *inventory; /* NULL = none */
	json_t *disk;      /* of the inventory; NULL = not known */
	json_t *args;      /* installer_args that grow */
};

static json_t *parse(const char *text)
{
	return str_empty(text) ? NULL : json_parse(text, strlen(text), STORED_JSON_MAX, true, NULL);
}

static const char *text_of(const json_t *obj, const char *key)
{
	const char *s = json_str(obj, key);
	return s ? s : "";
}

static bool has_arg(const json_t *args, const char *prefix)
{
	size_t i;
	json_t *a;

	json_array_foreach(args, i, a) {
		const char *s = json_string_value(a);
		if (s && str_starts(s, prefix))
			return true;
	}
	return false;
}

static int add_two(struct install *in, const char *option, const char *value)
{
	return json_array_append_new(in->args, json_string(option)) ||
			       json_array_append_new(in->args, json_string(value))
		       ? -ENOMEM
		       : 0;
}

static int add_karg(struct install *in, const char *value)
{
	return add_two(in, "--append-karg", value);
}

static bool mac_with_dashes(const json_t *nic, char ret[MAC_LEN + 1])
{
	const char *mac = text_of(nic, "mac_address");

	if (!mac_is_valid(mac))
		return false;
	for (size_t i = 0; i <= MAC_LEN; i++)
		ret[i] = mac[i] == ':' ? '-' : mac[i];
	return true;
}

/* Does a nic have an address inside of @net (or the address itself)? */
static bool nic_has(const json_t *nic, const struct cidr *net)
{
	size_t i;
	json_t *text;

	json_array_foreach(json_child(nic, net->is_v6 ? "ipv6_addresses" : "ipv4_addresses"), i,
			   text) {
		struct cidr own;
		if (cidr_parse(json_string_value(text), &own) == 0 && cidr_contains(net, &own))
			return true;
	}
	return false;
}

static int add_nic_dhcp(struct install *in, const json_t *nic, const char *how)
{
	char mac[MAC_LEN + 1], karg[MAC_LEN + 32];

	if (!mac_with_dashes(nic, mac))
		return 0;
	snprintf(karg, sizeof(karg), "ip=%s:%s", mac, how);
	return add_karg(in, karg);
}

/* A root file system over iSCSI needs its nic up before anything else. */
static int args_iscsi(struct install *in)
{
	const char *address = text_of(json_child(in->disk, "iscsi"), "host_ip_address");
	struct cidr host_ip;
	size_t i;
	json_t *nic;

	int r = add_karg(in, "rd.iscsi.firmware=1");
	if (r < 0 || cidr_parse(address, &host_ip) < 0)
		return r;
	json_array_foreach(json_child(in->inventory, "interfaces"), i, nic) {
		if (nic_has(nic, &host_ip))
			return add_nic_dhcp(in, nic, host_ip.is_v6 ? "dhcp6" : "dhcp");
	}
	return 0;
}

static int args_multipath(struct install *in)
{
	int r = add_karg(in, "rw");

	return r < 0 ? r : add_karg(in, "rd.multipath=default");
}

static int args_raid(struct install *in)
{
	int r = add_karg(in, "rd.md=1");

	return r < 0 ? r : add_karg(in, "rd.auto=1");
}

static int args_for_disk(struct install *in)
{
	static const struct {
		const char *drive_type;
		int (*add)(struct install *in);
	} kinds[] = { { "Multipath", args_multipath },
		      { "iSCSI", args_iscsi },
		      { "RAID", args_raid } };
	const char *type = text_of(in->disk, "drive_type");

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(type, kinds[i].drive_type) == 0)
			return kinds[i].add(in);
	}
	return 0;
}

/* On s390x the arguments that name disks and network of the machine come from its operator: they must reach the installed system. */
static int args_s390x(struct install *in)
{
	if (strcmp(text_of(json_child(in->inventory, "cpu"), "architecture"), "s390x") != 0)
		return 0;
	AUTO(freep)
	char *line = str_dup(text_of(json_child(in->inventory, "boot"), "command_line"));
	char *save = NULL;
	int r = line ? 0 : -ENOMEM;
	for (char *word = line ? strtok_r(line, " \t\n", &save) : NULL; word && r == 0;
	     word = strtok_r(NULL, " \t\n", &save)) {
		if (str_starts(word, "rd.") || str_starts(word, "ip="))
			r = add_karg(in, word);
	}
	return r;
}

struct families {
	bool v4, v6;
};

static struct families nic_families(const json_t *nic, const json_t *networks)
{
	struct families f = { false, false };
	size_t i;
	json_t *network;

	json_array_foreach(networks, i, network) {
		struct cidr net;
		const char *text = json_str(network, "cidr");
		if (!text || cidr_parse(text, &net) < 0 || !nic_has(nic, &net))
			continue;
		f.v4 |= !net.is_v6;
		f.v6 |= net.is_v6;
	}
	return f;
}

/* Static settings are copied; else each nic of a known machine network is configured as it was found. Imported clusters name none. */
static int args_network(struct install *in)
{
	const char *config = in->ctx->infra_env->static_network_config;
	if (!str_empty(config) && strcmp(config, "[]") != 0)
		return json_array_append_new(in->args, json_string("--copy-network")) ? -ENOMEM : 0;

	AUTO(json_decrefp) json_t *extra = parse(in->ctx->cluster->extra);
	size_t i;
	json_t *nic;
	json_array_foreach(json_child(in->inventory, "interfaces"), i, nic) {
		struct families f = nic_families(nic, json_child(extra, "machine_networks"));
		if (!f.v4 && !f.v6)
			continue;
		int r = add_nic_dhcp(in, nic,
				     f.v4 && f.v6 ? "dhcp,dhcp6"
				     : f.v6       ? "dhcp6"
						  : "dhcp");
		if (r < 0)
			return r;
	}
	return 0;
}

static int args_image(struct install *in)
{
	const char *url = in->ctx->os_image_url ? in->ctx->os_image_url
						: in->ctx->config->os_image_url;

	if (str_empty(url) || has_arg(in->args, "--image-url") || has_arg(in->args, "--image-file"))
		return 0;
	return add_two(in, "--image-url", url);
}

static int compose_args(struct install *in)
{
	static int (*const parts[])(struct install *) = { args_s390x, args_for_disk, args_network,
							  args_image };
	json_t *user = parse(in->host->installer_args);

	in->args = json_is_array(user) ? json_incref(user) : json_array();
	json_decref(user);
	int r = in->args ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++)
		r = parts[i](in);
	return r;
}

/* The host must always reach itself and its cluster without the proxy. */
static char *no_proxy_of(const struct cluster *c)
{
	AUTO(buf_done) struct buf out;
	buf_init(&out, NO_PROXY_MAX);
	if (!str_empty(c->no_proxy) && strcmp(c->no_proxy, "*") == 0)
		return strdup("*");

	int r = buf_printf(&out, "%s%s127.0.0.1,localhost,.svc,.cluster.local",
			   c->no_proxy ? c->no_proxy : "", str_empty(c->no_proxy) ? "" : ",");
	if (r == 0 && !str_empty(c->name) && !str_empty(c->base_dns_domain))
		r = buf_printf(&out, ",api-int.%s.%s", c->name, c->base_dns_domain);
	return r < 0 ? NULL : buf_take(&out);
}

static int set_proxy(const struct cluster *c, json_t *request)
{
	if (str_empty(c->http_proxy) && str_empty(c->https_proxy))
		return 0;
	AUTO(freep) char *no_proxy = no_proxy_of(c);
	json_t *proxy = no_proxy ? json_pack("{s:s}", "no_proxy", no_proxy) : NULL;
	int bad = proxy ? 0 : -1;
	if (!bad && !str_empty(c->http_proxy))
		bad = json_object_set_new(proxy, "http_proxy", json_string(c->http_proxy));
	if (!bad && !str_empty(c->https_proxy))
		bad = json_object_set_new(proxy, "https_proxy", json_string(c->https_proxy));
	if (bad) {
		json_decref(proxy);
		return -ENOMEM;
	}
	return json_object_set_new(request, "proxy", proxy) ? -ENOMEM : 0;
}

/* @csv without the installation disk, if that keeps partitions. */
static json_t *disks_of(const struct install *in, const char *csv, bool keeps_partitions)
{
	json_t *list = json_array();
	const char *p = csv, *id;
	size_t len;

	while ((id = csv_next(&p, &len))) {
		AUTO(freep) char *name = strndup(id, len);
		if (keeps_partitions && name && strcmp(name, in->host->installation_disk_id) == 0)
			continue;
		if (!name || json_array_append_new(list, json_string(name))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *make_request(const struct install *in)
{
	const struct host *h = in->host;
	bool keeps_partitions = has_arg(in->args, "--save-part");
	json_t *format = disks_of(in, h->disks_to_be_formatted, keeps_partitions);
	if (!format)
		return NULL;
	json_t *request =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:n, s:o}", "cluster_id",
			  h->cluster_id, "infra_env_id", h->infra_env_id, "host_id", h->id, "role",
			  host_role_name(requirement_role(in->ctx, h)), "boot_device",
			  h->installation_disk_id ? h->installation_disk_id : "",
			  "controller_image", in->ctx->config->controller_image, "installer_image",
			  in->ctx->config->installer_image, "check_cvo", 0, "notify_num_reboots", 1,
			  "service_ips", "disks_to_format", format);
	bool is_bad = request && keeps_partitions &&
		      json_object_set_new(request, "skip_installation_disk_cleanup", json_true());
	/* Which of them a person has meant, and which are only listed: no other agent asks. */
	if (request && !is_bad && h->slipway_agent)
		is_bad = json_object_set_new(request, "disks_named",
					     disks_of(in, h->formatting_disks, keeps_partitions));
	if (!is_bad)
		return request;
	json_decref(request);
	return NULL;
}

static int set_installer_args(const struct install *in, json_t *request)
{
	if (!json_array_size(in->args))
		return 0;
	AUTO(freep) char *text = json_text(in->args, false);
	return !text || json_object_set_new(request, "installer_args", json_string(text)) ? -ENOMEM
											  : 0;
}

int step_args_install(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
		      struct fault *err)
{
	struct install in = { .ctx = ctx, .host = h };
	*ret = NULL;
	if (!ctx->cluster || str_empty(h->installation_disk_id))
		return 0;

	AUTO(json_decrefp) json_t *inventory = parse(h->inventory);
	in.inventory = inventory;
	(void)inventory_find_disk(inventory, h->installation_disk_id, false, &in.disk);
	int r = compose_args(&in);
	AUTO(json_decrefp) json_t *args = in.args; /* released at the end */
	AUTO(json_decrefp) json_t *request = r == 0 ? make_request(&in) : NULL;
	if (!request || set_installer_args(&in, request) < 0 ||
	    set_proxy(ctx->cluster, request) < 0)
		return fault_oom(err);
	return step_args_of_json(json_incref(request), ret, err);
}
