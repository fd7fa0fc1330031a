#include "service/static_network.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "imagebuilder/cpio.h"
#include "service/ignition_look.h"
#include "service/ignition_merge.h"
#include "service/nmstate_yaml.h"
#include "service/tar.h"

#define FOLDER "etc/assisted/network"
#define SCRIPT "usr/local/bin/pre-network-manager-config.sh"
#define UNIT "pre-network-manager-config.service"
#define UNITS "etc/systemd/system"
#define PROXY_UNIT UNITS "/coreos-livepxe-rootfs.service.d/10-proxy.conf"
#define WHAT_LEN 64
#define DELAY_MAX_S 86400
#define FILE_OVERHEAD 1024 /* of a file in an archive, with the folders above it */

/* Waits for the machine's network cards, since drivers load beside it; a machine that is none of the hosts keeps what it has. */
static const char script[] =
	"#!/bin/bash\n"
	"# Gives this machine the network settings of the host in /" FOLDER
	" whose MAC addresses it has.\n"
	"set -u\n"
	"find_host() {\n"
	"	local own dir mac rest\n"
	"	own=\" $(cat /sys/class/net/*/address 2>/dev/null | tr '\\n' ' ')\"\n"
	"	for dir in /" FOLDER "/host*; do\n"
	"		[ -f \"$dir/mac_interface.ini\" ] || continue\n"
	"		while IFS== read -r mac rest || [ -n \"$mac\" ]; do\n"
	"			case $own in *\" ${mac,,} \"*) echo \"$dir\"; return ;; esac\n"
	"		done <\"$dir/mac_interface.ini\"\n"
	"	done\n"
	"	return 1\n"
	"}\n"
	"sleep \"${DISCOVERY_DELAY_SECONDS:-0}\"\n"
	"tries=0\n"
	"until dir=$(find_host); do\n"
	"	tries=$((tries + 1))\n"
	"	if [ \"$tries\" -gt 15 ]; then\n"
	"		echo \"this machine is none of the hosts with network settings\"\n"
	"		exit 0\n"
	"	fi\n"
	"	sleep 1\n"
	"done\n"
	"echo \"network settings: $dir\"\n"
	"mkdir -p /etc/nmstate\n"
	"cp \"$dir\"/*.yml /etc/nmstate/\n"
	"nmstatectl service\n"
	"# in an initrd: for the system that is booted from it\n"
	"if [ -e /etc/initrd-release ]; then\n"
	"	mkdir -p /etc/coreos-firstboot-network\n"
	"	cp /etc/NetworkManager/system-connections/* /etc/coreos-firstboot-network/\n"
	"	/usr/sbin/coreos-copy-firstboot-network\n"
	"fi\n";

bool static_network_is_set(const struct infra_env *ie)
{
	return !str_empty(ie->static_network_config) &&
	       strcmp(ie->static_network_config, "[]") != 0;
}

/* --- checking --- */

/* What can stand in a line of mac_interface.ini. */
static bool is_nic_name(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:@-";
	size_t n = strlen(name);

	return n && n <= 64 && strspn(name, allowed) == n;
}

static int check_nic(size_t host, size_t i, const json_t *entry, struct nmstate_nic *ret,
		     struct fault *err)
{
	ret->mac = json_str(entry, "mac_address");
	ret->name = json_str(entry, "logical_nic_name");
	if (!ret->mac || !mac_is_valid(ret->mac))
		return fault_set(
			err, -EBADMSG,
			"static_network_config.%zu.mac_interface_map.%zu.mac_address in body should be a MAC address",
			host, i);
	if (str_empty(ret->name) || !is_nic_name(ret->name))
		return fault_set(
			err, -EINVAL,
			"static_network_config.%zu.mac_interface_map.%zu needs a logical_nic_name of letters, digits and _.:@-",
			host, i);
	return 0;
}

/* Fills @nics; returns how many. */
static int read_map(size_t host, const json_t *map,
		    struct nmstate_nic nics[STATIC_NETWORK_MACS_MAX], struct fault *err)
{
	size_t n = json_array_size(map);

	if (!n)
		return fault_set(
			err, -EINVAL,
			"static_network_config.%zu needs at least one entry in mac_interface_map",
			host);
	if (n > STATIC_NETWORK_MACS_MAX)
		return fault_set(
			err, -EINVAL,
			"static_network_config.%zu should have at most %d entries in mac_interface_map",
			host, STATIC_NETWORK_MACS_MAX);
	for (size_t i = 0; i < n; i++) {
		int r = check_nic(host, i, json_array_get(map, i), &nics[i], err);
		if (r < 0)
			return r;
		for (size_t k = 0; k < i; k++) {
			if (!strcasecmp(nics[i].mac, nics[k].mac) ||
			    !strcmp(nics[i].name, nics[k].name))
				return fault_set(err, -EINVAL,
						 "static_network_config.%zu names %s or %s twice",
						 host, nics[i].mac, nics[i].name);
		}
	}
	return (int)n;
}

static int compare_nics(const void *a, const void *b)
{
	const struct nmstate_nic *x = a, *y = b;

	return strcasecmp(x->mac, y->mac);
}

int static_network_check(size_t i, const json_t *entry, struct fault *err)
{
	struct nmstate_nic nics[STATIC_NETWORK_MACS_MAX];
	const char *yaml = json_str(entry, "network_yaml");
	char what[WHAT_LEN];

	snprintf(what, sizeof(what), "static_network_config.%zu", i);
	if (str_empty(yaml))
		return fault_set(err, -EINVAL, "%s has no network_yaml", what);
	int n = read_map(i, json_child(entry, "mac_interface_map"), nics, err);
	return n < 0 ? n : nmstate_check(what, yaml, nics, (size_t)n, err);
}

/* --- files --- */

/* Gets one file; @path has no leading slash. */
typedef int (*file_fn)(void *ctx, const char *path, unsigned mode, const struct buf *text);

static int map_file(const struct nmstate_nic *nics, size_t n, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = buf_printf(out, "%s%s=%s", i ? "\n" : "", nics[i].mac, nics[i].name);
	return r;
}

static int host_files(size_t i, const json_t *entry, file_fn fn, void *ctx, struct fault *err)
{
	struct nmstate_nic nics[STATIC_NETWORK_MACS_MAX];
	AUTO(buf_done) struct buf map, policy;
	const char *yaml = json_str(entry, "network_yaml");
	char path[96];

	buf_init(&map, 64u << 10);
	buf_init(&policy, 16 * NMSTATE_YAML_MAX);
	int n = read_map(i, json_child(entry, "mac_interface_map"), nics, err);
	if (n < 0)
		return n;
	qsort(nics, (size_t)n, sizeof(*nics), compare_nics);
	int r = map_file(nics, (size_t)n, &map);
	snprintf(path, sizeof(path), FOLDER "/host%zu/mac_interface.ini", i);
	if (r == 0)
		r = fn(ctx, path, 0600, &map);
	if (r == 0)
		r = nmstate_policy(yaml ? yaml : "", nics, (size_t)n, &policy, err);
	snprintf(path, sizeof(path), FOLDER "/host%zu/ymlFile%zu.yml", i, i);
	return r < 0 ? r : fn(ctx, path, 0600, &policy);
}

static int all_files(const struct infra_env *ie, file_fn fn, void *ctx, struct fault *err)
{
	if (!static_network_is_set(ie))
		return 0;
	AUTO(json_decrefp) json_t *list = json_loads(ie->static_network_config, 0, NULL);
	if (!json_is_array(list))
		return fault_set(err, -EINVAL, "static_network_config is damaged");
	json_t *entry;
	size_t i;
	int r = 0;

	json_array_foreach(list, i, entry) {
		if (r == 0)
			r = host_files(i, entry, fn, ctx, err);
	}
	return r;
}

static int to_sum(void *ctx, const char *path, unsigned mode, const struct buf *text)
{
	size_t *sum = ctx;

	*sum += text->len + FILE_OVERHEAD;
	return 0;
}

/* A name that becomes what was captured under it grows tenfold: what is stored must be possible to serve. */
int static_network_check_list(const json_t *list, struct fault *err)
{
	json_t *entry;
	size_t i, sum = 0;

	json_array_foreach(list, i, entry) {
		int r = static_network_check(i, entry, err);
		if (r == 0)
			r = host_files(i, entry, to_sum, &sum, err);
		if (r < 0)
			return r;
		if (sum > STATIC_NETWORK_BYTES_MAX)
			return fault_set(err, -EINVAL,
					 "static_network_config makes more than %u MiB of files",
					 STATIC_NETWORK_BYTES_MAX >> 20);
	}
	return 0;
}

/* --- as a tar --- */

static int to_tar(void *ctx, const char *path, unsigned mode, const struct buf *text)
{
	char absolute[128];

	snprintf(absolute, sizeof(absolute), "/%s", path);
	return tar_append(ctx, absolute, text->data, text->len);
}

int static_network_tar(const struct infra_env *ie, struct buf *out, struct fault *err)
{
	int r = all_files(ie, to_tar, out, err);

	return r < 0 || !out->len ? r : tar_append_end(out);
}

/* --- in an Ignition document --- */

static int to_ignition(void *ctx, const char *path, unsigned mode, const struct buf *text)
{
	char absolute[128];

	snprintf(absolute, sizeof(absolute), "/%s", path);
	AUTO(freep) char *url = data_url_base64(text->data ? text->data : "", text->len);
	return !url || json_array_append_new(ctx, ignition_file(absolute, (int)mode, url)) ? -ENOMEM
											   : 0;
}

/* @before: what needs the network; @wanted_by: the target of the system it runs in. */
static int unit_text(const struct infra_env *ie, const char *order, const char *wanted_by,
		     struct buf *out)
{
	long long delay_s = MIN_OF(ie->network_discovery_delay_seconds, (int64_t)DELAY_MAX_S);

	return buf_printf(
		out,
		"[Unit]\nDescription=Network settings of this host\n%s"
		"DefaultDependencies=no\n\n"
		"[Service]\nType=oneshot\nTimeoutSec=%lld\nEnvironment=DISCOVERY_DELAY_SECONDS=%lld\n"
		"ExecStart=/bin/bash /" SCRIPT "\n\n[Install]\nWantedBy=%s\n",
		order, 60 + delay_s, delay_s, wanted_by);
}

int static_network_ignition(const struct infra_env *ie, json_t *files, json_t *units,
			    struct fault *err)
{
	AUTO(buf_done) struct buf unit;

	buf_init(&unit, 4096);
	if (!static_network_is_set(ie))
		return 0;
	int r = all_files(ie, to_ignition, files, err);
	if (r == 0)
		r = json_array_append_new(files, ignition_text_file("/" SCRIPT, 0755, script))
			    ? -ENOMEM
			    : 0;
	if (r == 0)
		r = unit_text(
			ie,
			"After=NetworkManager-wait-online.service\nBefore=nmstate.service agent.service\n",
			"multi-user.target", &unit);
	if (r == 0)
		r = json_array_append_new(units, ignition_unit(UNIT, unit.data)) ? -ENOMEM : 0;
	return r;
}

/* --- in an initrd --- */

/* Every folder above @path, each time anew: the kernel does not mind (init/initramfs.c do_name()). */
static int add_parents(struct cpio_writer *w, const char *path)
{
	char dir[128];
	int r = 0;

	for (const char *p = strchr(path, '/'); p && r == 0; p = strchr(p + 1, '/')) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(p - path), path);
		r = cpio_dir(w, dir, 0755);
	}
	return r;
}

static int to_cpio(void *ctx, const char *path, unsigned mode, const struct buf *text)
{
	int r = add_parents(ctx, path);

	return r < 0 ? r : cpio_file(ctx, path, mode, text->data, text->len);
}

static int text_to_cpio(struct cpio_writer *w, const char *path, unsigned mode, const char *text)
{
	const struct buf b = { .data = (char *)text, .len = strlen(text) };

	return to_cpio(w, path, mode, &b);
}

static int network_to_cpio(const struct infra_env *ie, struct cpio_writer *w, struct fault *err)
{
	AUTO(buf_done) struct buf unit;

	buf_init(&unit, 4096);
	if (!static_network_is_set(ie))
		return 0;
	int r = all_files(ie, to_cpio, w, err);
	if (r == 0)
		r = text_to_cpio(w, SCRIPT, 0755, script);
	if (r == 0)
		r = unit_text(ie,
			      "After=systemd-udev-settle.service nm-initrd.service\n"
			      "Before=coreos-livepxe-rootfs.service\n",
			      "initrd.target", &unit);
	if (r == 0)
		r = text_to_cpio(w, UNITS "/" UNIT, 0644, unit.data);
	if (r == 0)
		r = add_parents(w, UNITS "/initrd.target.wants/" UNIT);
	return r < 0 ? r : cpio_symlink(w, UNITS "/initrd.target.wants/" UNIT, "/" UNITS "/" UNIT);
}

/* In a unit "%" is special; both spellings, as programs differ. */
static int append_variable(struct buf *out, const char *upper, const char *lower, const char *value)
{
	int r = 0;

	for (int i = 0; i < 2 && r == 0 && !str_empty(value); i++) {
		r = buf_printf(out, "Environment=\"%s=", i ? lower : upper);
		for (const char *p = value; r == 0 && *p; p++)
			r = buf_append(out, "%%", *p == '%') < 0 ? -ENOMEM : buf_append(out, p, 1);
		if (r == 0)
			r = buf_append_str(out, "\"\n");
	}
	return r;
}

static int proxy_to_cpio(const struct infra_env *ie, struct cpio_writer *w)
{
	AUTO(buf_done) struct buf text;

	buf_init(&text, 256u << 10);
	if (str_empty(ie->http_proxy) && str_empty(ie->https_proxy))
		return 0;
	int r = buf_append_str(&text, "[Service]\n");
	if (r == 0)
		r = append_variable(&text, "HTTP_PROXY", "http_proxy", ie->http_proxy);
	if (r == 0)
		r = append_variable(&text, "HTTPS_PROXY", "https_proxy", ie->https_proxy);
	if (r == 0)
		r = append_variable(&text, "NO_PROXY", "no_proxy", ie->no_proxy);
	return r < 0 ? r : to_cpio(w, PROXY_UNIT, 0644, &text);
}

static la_ssize_t gzip_write(struct archive *a, void *ctx, const void *data, size_t len)
{
	return buf_append(ctx, data, len) < 0 ? -1 : (la_ssize_t)len;
}

static int gzip_entry(struct archive *a, const struct buf *plain)
{
	struct archive_entry *e = archive_entry_new();

	if (!e)
		return -ENOMEM;
	archive_entry_set_filetype(e, AE_IFREG);
	bool is_good = archive_write_header(a, e) == ARCHIVE_OK &&
		       archive_write_data(a, plain->data, plain->len) == (la_ssize_t)plain->len &&
		       archive_write_close(a) == ARCHIVE_OK;
	archive_entry_free(e);
	return is_good ? 0 : -ENOMEM;
}

/* Without a date, so that the same settings are the same bytes. */
static int gzip(const struct buf *plain, struct buf *out)
{
	struct archive *a = archive_write_new();

	if (!a)
		return -ENOMEM;
	int r = archive_write_add_filter_gzip(a) == ARCHIVE_OK &&
				archive_write_set_filter_option(a, "gzip", "timestamp", NULL) ==
					ARCHIVE_OK &&
				archive_write_set_format_raw(a) == ARCHIVE_OK &&
				archive_write_set_bytes_per_block(a, 0) == ARCHIVE_OK &&
				archive_write_open(a, out, NULL, gzip_write, NULL) == ARCHIVE_OK
			? gzip_entry(a, plain)
			: -ENOMEM;
	archive_write_free(a);
	return r;
}

int static_network_initrd(const struct infra_env *ie, struct buf *out, struct fault *err)
{
	AUTO(buf_done) struct buf plain;
	struct cpio_writer w;

	buf_init(&plain, 2 * STATIC_NETWORK_BYTES_MAX);
	cpio_writer_init_buf(&w, &plain, 0);
	int r = network_to_cpio(ie, &w, err);
	if (r == 0)
		r = proxy_to_cpio(ie, &w);
	if (r < 0 || !plain.len)
		return r;
	r = cpio_end(&w);
	return r < 0 ? r : gzip(&plain, out);
}
