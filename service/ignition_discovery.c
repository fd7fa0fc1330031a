/*
 * The Ignition document for a CoreOS live medium (assisted-v2 §8.1, §8.2): it starts the discovery agent. Our own media carry the same
 * facts in their token segment instead.
 */
#include <errno.h>
#include <string.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/csv.h"
#include "service/ignition_look.h"
#include "service/ignition_merge.h"
#include "service/rules.h"
#include "service/static_network.h"

#define UNIT_MAX (64 * 1024)
#define SSH_KEYS_MAX 1000
#define SERVICE_CA_PATH "/etc/assisted-service/service-ca-cert.crt"
#define TRUST_BUNDLE_PATH \
	"/etc/pki/ca-trust/source/anchors/assisted-infraenv-additional-trust-bundle.pem"
#define AGENT_ENV_PATH "/etc/slipway/agent.env"

struct discovery {
	const struct infra_env *ie;
	const struct rule_config *config;
	const char *service_url, *agent_token, *ca_pem;
	json_t *doc, *files, *units;
};

/* The medium's own agent when it has one, else the one in the image; an image is pulled for as long as it takes. */
static const char get_agent_script[] =
	"#!/bin/sh\n"
	"# Puts the discovery agent into /usr/local/bin/agent. $1: the image to take it from when the medium has none.\n"
	"set -eu\n"
	"target=/usr/local/bin/agent\n"
	"if [ -x /usr/bin/slipway-agent ]; then\n"
	"	ln -sf /usr/bin/slipway-agent \"$target\"\n"
	"	exit 0\n"
	"fi\n"
	"pause=5\n"
	"until podman image exists \"$1\" || podman pull --quiet \"$1\"; do\n"
	"	sleep \"$pause\"\n"
	"	[ \"$pause\" -ge 300 ] || pause=$((pause * 2))\n"
	"done\n"
	"id=$(podman create --pull=never \"$1\")\n"
	"trap 'podman rm --force \"$id\" >/dev/null' EXIT\n"
	"podman cp \"$id:/usr/bin/slipway-agent\" \"$target.new\" 2>/dev/null || podman cp \"$id:/usr/bin/agent\" \"$target.new\"\n"
	"chmod 0755 \"$target.new\"\n"
	"mv \"$target.new\" \"$target\"\n";

static const char motd[] =
	"\nThis machine was started from a discovery medium. It reports its hardware to its service and waits to be installed.\n"
	"What the agent says: journalctl -u agent.service\n\n";

/* DHCPv6 by MAC address, so that the installed system gets the address that the discovery system had. */
static const char ipv6_conf[] = "[connection]\nipv6.dhcp-iaid=mac\nipv6.dhcp-duid=ll\n";

static const char multipath_conf[] =
	"defaults {\n\tuser_friendly_names yes\n\tfind_multipaths yes\n}\n";

static const char iscsi_unit[] =
	"[Unit]\nDescription=Disks over iSCSI that the firmware knows\nBefore=agent.service\n\n"
	"[Service]\nType=oneshot\nExecStart=-/usr/sbin/modprobe iscsi_ibft\nExecStart=-/usr/sbin/iscsistart -f\nExecStart=-/usr/sbin/iscsistart -b\n\n"
	"[Install]\nWantedBy=multi-user.target\n";

static const char ntp_unit[] =
	"[Unit]\nDescription=Time sources of the infra-env\nBefore=chronyd.service\n\n"
	"[Service]\nType=oneshot\nExecStart=/bin/sh /usr/local/bin/add-ntp-sources.sh\n\n"
	"[Install]\nWantedBy=multi-user.target\n";

static int add(json_t *list, json_t *item)
{
	return json_array_append_new(list, item) ? -ENOMEM : 0;
}

static int add_text_file(struct discovery *d, const char *path, int mode, const char *text)
{
	return add(d->files, ignition_text_file(path, mode, text));
}

static int add_unit(struct discovery *d, const char *name, const char *contents)
{
	return add(d->units, ignition_unit(name, contents));
}

/* Both spellings, as programs differ; "%" is special in units. */
static int append_environment(struct buf *out, const char *upper, const char *lower,
			      const char *value)
{
	AUTO(buf_done) struct buf escaped;
	buf_init(&escaped, UNIT_MAX);
	int r = 0;
	for (const char *p = value ? value : ""; *p && r == 0; p++)
		r = *p == '%' ? buf_append_str(&escaped, "%%") : buf_append(&escaped, p, 1);
	const char *text = escaped.data ? escaped.data : "";
	return r < 0 ? r
		     : buf_printf(out, "Environment=\"%s=%s\"\nEnvironment=\"%s=%s\"\n", upper,
				  text, lower, text);
}

static int part_agent_unit(struct discovery *d)
{
	const struct infra_env *ie = d->ie;
	AUTO(buf_done) struct buf u;
	buf_init(&u, UNIT_MAX);

	int r = buf_append_str(
		&u,
		"[Unit]\nDescription=Discovery agent\nWants=network-online.target\nAfter=network-online.target\n"
		"StartLimitIntervalSec=0\n\n[Service]\nType=simple\nRestart=always\nRestartSec=3\n");
	if (r == 0 && (!str_empty(ie->http_proxy) || !str_empty(ie->https_proxy)))
		r = append_environment(&u, "HTTP_PROXY", "http_proxy", ie->http_proxy);
	if (r == 0 && (!str_empty(ie->http_proxy) || !str_empty(ie->https_proxy)))
		r = append_environment(&u, "HTTPS_PROXY", "https_proxy", ie->https_proxy);
	if (r == 0 && !str_empty(ie->no_proxy))
		r = append_environment(&u, "NO_PROXY", "no_proxy", ie->no_proxy);
	if (r == 0)
		r = buf_printf(
			&u,
			"EnvironmentFile=-" AGENT_ENV_PATH
			"\nTimeoutStartSec=600\nExecStartPre=/usr/local/bin/slipway-get-agent %s\n"
			"ExecStart=/usr/local/bin/agent --url %s --infra-env-id %s --agent-version %s%s\n\n"
			"[Install]\nWantedBy=multi-user.target\n",
			d->config->agent_image, d->service_url, ie->id, d->config->agent_image,
			str_empty(d->ca_pem) ? "" : " --cacert " SERVICE_CA_PATH);
	return r < 0 ? -ENOMEM : add_unit(d, "agent.service", u.data);
}

static int part_agent_files(struct discovery *d)
{
	int r = add_text_file(d, "/usr/local/bin/slipway-get-agent", 0755, get_agent_script);

	if (r == 0 && !str_empty(d->ca_pem))
		r = add_text_file(d, SERVICE_CA_PATH, 0644, d->ca_pem);
	if (r == 0 && !str_empty(d->agent_token)) {
		/* not in the unit: units can be read by everybody on the machine */
		AUTO(freep) char *env = str_printf("PULL_SECRET_TOKEN=%s\n", d->agent_token);
		r = env ? add_text_file(d, AGENT_ENV_PATH, 0600, env) : -ENOMEM;
	}
	if (r == 0 && secret_is_set(&d->ie->pull_secret))
		r = add_text_file(d, "/root/.docker/config.json", 0600,
				  secret_reveal(&d->ie->pull_secret));
	return r;
}

static int part_system(struct discovery *d)
{
	int r = add_text_file(d, "/etc/motd", 0644, motd);

	if (r == 0)
		r = add_text_file(d, "/etc/NetworkManager/conf.d/01-ipv6.conf", 0644, ipv6_conf);
	if (r == 0)
		r = add_text_file(d, "/etc/multipath.conf", 0644, multipath_conf);
	if (r == 0)
		r = add_unit(d, "multipathd.service", NULL);
	if (r == 0)
		r = add_unit(d, "iscsistart.service", iscsi_unit);
	if (r == 0 && !str_empty(d->ie->additional_trust_bundle))
		r = add_text_file(d, TRUST_BUNDLE_PATH, 0644, d->ie->additional_trust_bundle);
	return r;
}

/* Only what a host name or an address is made of gets into the script. */
static int append_sources(struct buf *out, const char *csv)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:";
	const char *item;
	size_t len;
	int r = 0;

	while (r == 0 && (item = csv_next(&csv, &len))) {
		if (strspn(item, allowed) >= len)
			r = buf_printf(out, "echo 'server %.*s iburst' >>/etc/chrony.conf\n",
				       (int)len, item);
	}
	return r;
}

static int part_ntp(struct discovery *d)
{
	const struct infra_env *ie = d->ie;
	bool replaces = !str_empty(ie->ntp_sources);
	if (!replaces && str_empty(ie->additional_ntp_sources))
		return 0;

	AUTO(buf_done) struct buf script;
	buf_init(&script, UNIT_MAX);
	int r = buf_append_str(&script, "#!/bin/sh\nset -eu\n");
	if (r == 0 && replaces)
		r = buf_append_str(&script,
				   "sed -i -E '/^(server|pool|peer) /d' /etc/chrony.conf\n");
	if (r == 0)
		r = append_sources(&script,
				   replaces ? ie->ntp_sources : ie->additional_ntp_sources);
	if (r == 0)
		r = add_text_file(d, "/usr/local/bin/add-ntp-sources.sh", 0755, script.data);
	return r < 0 ? -ENOMEM : add_unit(d, "add-ntp-sources.service", ntp_unit);
}

static int append_export(struct buf *out, const char *upper, const char *lower, const char *value)
{
	/* a quote cannot be in a URL that was accepted; refuse to be talked into shell code all the same */
	if (str_empty(value) || strchr(value, '\''))
		return 0;
	return buf_printf(out, "export %s='%s'\nexport %s='%s'\n", upper, value, lower, value);
}

static json_t *no_proxy_list(const char *csv)
{
	json_t *list = json_array();
	const char *item;
	size_t len;

	while (list && (item = csv_next(&csv, &len))) {
		if (json_array_append_new(list, json_stringn(item, len))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static int set_string(json_t *obj, const char *key, const char *value)
{
	return str_empty(value) ? 0 : json_object_set_new(obj, key, json_string(value));
}

static int part_proxy(struct discovery *d)
{
	const struct infra_env *ie = d->ie;
	if (str_empty(ie->http_proxy) && str_empty(ie->https_proxy))
		return 0;

	json_t *proxy = json_object();
	int bad = json_object_set_new(json_object_get(d->doc, "ignition"), "proxy", proxy);
	bad = bad || set_string(proxy, "httpProxy", ie->http_proxy) ||
	      set_string(proxy, "httpsProxy", ie->https_proxy);
	if (!bad && !str_empty(ie->no_proxy))
		bad = json_object_set_new(proxy, "noProxy", no_proxy_list(ie->no_proxy));
	if (bad)
		return -ENOMEM;

	AUTO(buf_done) struct buf profile;
	buf_init(&profile, UNIT_MAX);
	int r = append_export(&profile, "HTTP_PROXY", "http_proxy", ie->http_proxy);
	if (r == 0)
		r = append_export(&profile, "HTTPS_PROXY", "https_proxy", ie->https_proxy);
	if (r == 0)
		r = append_export(&profile, "NO_PROXY", "no_proxy", ie->no_proxy);
	if (r < 0)
		return -ENOMEM;
	return profile.len ? add_text_file(d, "/etc/profile.d/proxy.sh", 0644, profile.data) : 0;
}

static json_t *ssh_key_list(const char *text)
{
	AUTO(json_decrefp) json_t *list = json_array();
	AUTO(freep) char *copy = str_dup(text ? text : "");
	char *save = NULL;

	for (char *line = copy ? strtok_r(copy, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		line = str_trim(line);
		if (*line && json_array_size(list) < SSH_KEYS_MAX &&
		    json_array_append_new(list, json_string(line)))
			return NULL;
	}
	return copy ? TAKE(list) : NULL;
}

static int part_users(struct discovery *d)
{
	AUTO(json_decrefp) json_t *keys = ssh_key_list(d->ie->ssh_authorized_key);
	json_t *users = keys ? json_array() : NULL;
	if (!users)
		return -ENOMEM;

	int r = 0;
	if (json_array_size(keys))
		r = add(users, json_pack("{s:s, s:s, s:O, s:[s]}", "name", "core", "passwordHash",
					 "!", "sshAuthorizedKeys", keys, "groups", "sudo"));
	return json_object_set_new(d->doc, "passwd", json_pack("{s:o}", "users", users)) ? -ENOMEM
											 : r;
}

static int (*const parts[])(struct discovery *) = {
	part_users, part_agent_unit, part_agent_files, part_system, part_ntp, part_proxy,
};

int ignition_discovery(const struct infra_env *ie, const struct rule_config *c,
		       const char *service_url, const char *agent_token, const char *service_ca_pem,
		       bool with_network, char **ret_text, struct fault *err)
{
	AUTO(json_decrefp)
	json_t *doc = json_pack("{s:{s:s}, s:{s:[]}, s:{s:[]}}", "ignition", "version", "3.1.0",
				"storage", "files", "systemd", "units");
	struct discovery d = { ie, c, service_url, agent_token, service_ca_pem, doc, NULL, NULL };
	d.files = json_child(json_child(doc, "storage"), "files");
	d.units = json_child(json_child(doc, "systemd"), "units");
	int r = doc ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++)
		r = parts[i](&d);
	if (r < 0)
		return fault_oom(err);
	if (with_network)
		r = static_network_ignition(ie, d.files, d.units, err);
	if (r < 0)
		return r;

	AUTO(json_decrefp) json_t *full = NULL;
	r = ignition_merge_text(doc, ie->ignition_config_override, &full, err);
	if (r < 0)
		return r;
	char *text = json_text(full, false);
	if (!text)
		return fault_oom(err);
	*ret_text = text;
	return 0;
}
