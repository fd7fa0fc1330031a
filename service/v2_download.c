/*
 * What an infra-env offers for download (assisted-v2 §3.1, §8).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/route.h"
#include "service/static_network.h"
#include "service/v2_common.h"
#include "service/v2_view.h"

#define INFRA_ENV_PATH ROUTE_BASE "/v2/infra-envs/{infra_env_id}"

static int answer_url(struct request *r, const char *url)
{
	struct json_out o = json_out(&r->out);

	jo_object(&o, NULL);
	jo_time(&o, "expires_at", 0);
	jo_str(&o, "url", url);
	jo_object_end(&o);
	return answer_out(r, 200, &o);
}

static int image_url(struct request *r, struct fault *err)
{
	struct infra_env *ie;

	int e = v2_find_infra_env(r, &ie, err);
	if (e < 0)
		return e;
	AUTO(freep) char *url = view_download_url(r->service, ie);
	return url ? answer_url(r, url) : -ENOMEM;
}

/* --- files --- */

/* Only full media have nothing else to carry it. */
static bool has_network_in_ignition(const struct request *r, const struct infra_env *ie)
{
	const char *type = request_query(r, "discovery_iso_type");

	return str_eq(str_empty(type) ? ie->image_type : type, "full-iso");
}

static int discovery_ignition(struct request *r, const struct infra_env *ie, struct fault *err)
{
	struct service *svc = r->service;
	AUTO(freep) char *token = NULL;
	AUTO(freep) char *text = NULL;

	int e = auth_agent_token(svc->auth, ie, NULL, r->now_us,
				 (int64_t)svc->config->agent_token_ttl_ms / 1000, &token, err);
	if (e == 0)
		e = ignition_discovery(ie, &svc->rules, svc->service_url, token, svc->ca_pem,
				       has_network_in_ignition(r, ie), &text, err);
	if (e == 0)
		e = answer_data(r, 200, "application/octet-stream", text, strlen(text));
	if (token)
		secret_wipe(token, strlen(token));
	return e;
}

/* The arguments that the user appended, each after a space. */
static int append_kernel_arguments(const struct infra_env *ie, struct buf *b)
{
	AUTO(json_decrefp)
	json_t *list = ie->kernel_arguments ? json_loads(ie->kernel_arguments, 0, NULL) : NULL;
	json_t *item;
	size_t i;
	int e = 0;

	json_array_foreach(list, i, item) {
		const char *value = json_str(item, "value");
		if (e == 0 && !str_empty(value))
			e = buf_printf(b, " %s", value);
	}
	return e;
}

static int boot_script(struct request *r, const struct infra_env *ie)
{
	const struct service *svc = r->service;
	const char *base = svc->payload_url ? svc->payload_url : svc->image_url;
	bool with_key = auth_mode(svc->auth) == AUTH_MODE_LOCAL;

	int e = buf_printf(
		&r->out,
		"#!ipxe\ninitrd --name initrd %s/images/%s/pxe-initrd?arch=%s&version=%s%s%s\n",
		base, ie->id, ie->cpu_architecture, ie->openshift_version,
		with_key ? "&api_key=" : "", with_key ? ie->image_token_key : "");
	if (e == 0)
		e = buf_printf(
			&r->out,
			"kernel %s/boot-artifacts/kernel?arch=%s&version=%s initrd=initrd random.trust_cpu=on console=tty1 "
			"console=ttyS0,115200n8",
			base, ie->cpu_architecture, ie->openshift_version);
	if (e == 0)
		e = append_kernel_arguments(ie, &r->out);
	return e < 0 ? e : buf_append_str(&r->out, "\nboot\n");
}

/* A host that is installed, or about to boot what was installed: its firmware must fall through to the disk (assisted-v2 §8.6). */
static bool boots_from_disk(const struct host *h)
{
	return h->status == HOST_INSTALLED || h->status == HOST_ADDED_TO_EXISTING_CLUSTER ||
	       (h->status == HOST_INSTALLING_IN_PROGRESS && h->stage >= STAGE_REBOOTING &&
		h->stage <= STAGE_DONE);
}

static const struct host *find_by_mac(struct request *r, const struct infra_env *ie,
				      const char *mac, size_t *ret_n)
{
	const struct host *found = NULL;
	size_t n;
	struct host *const *hosts = state_hosts_of_infra_env(r->service->state, ie->id, &n);

	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		if (boots_from_disk(hosts[i]) && hosts[i]->inventory &&
		    strcasestr(hosts[i]->inventory, mac)) {
			found = hosts[i];
			(*ret_n)++;
		}
	}
	return found;
}

static int ipxe_script(struct request *r, const struct infra_env *ie, struct fault *err)
{
	const char *type = request_query(r, "ipxe_script_type"), *mac = request_query(r, "mac"),
		   *key = request_query(r, "api_key");
	size_t n;

	r->status = 200;
	r->content_type = "application/octet-stream";
	if (str_eq(type, "boot-order-control") && !mac)
		return buf_printf(
			&r->out,
			"#!ipxe\nchain %s" ROUTE_BASE
			"/v2/infra-envs/%s/downloads/files?file_name=ipxe-script%s%s&mac=${net0/mac}\n",
			r->service->payload_url ? r->service->payload_url : r->service->service_url,
			ie->id, key ? "&api_key=" : "", key ? key : "");
	if (mac && find_by_mac(r, ie, mac, &n))
		return n > 1 ? fault_set(err, -EPROTO, "%zu hosts have the address %s", n, mac)
			     : fault_set(err, -ENOENT,
					 "the host with the address %s boots from its disk", mac);
	return boot_script(r, ie);
}

/* Empty when there is none (assisted-v2 §3.1). */
static int static_network_file(struct request *r, const struct infra_env *ie, struct fault *err)
{
	r->status = 200;
	r->content_type = "application/octet-stream";
	return static_network_tar(ie, &r->out, err);
}

static int file_headers(struct request *r, const struct infra_env *ie, const char *name)
{
	char text[160];
	time_t t = (time_t)(ie->updated_at / 1000000);
	struct tm tm;

	/* the ignition is called as it is asked for, the others after their infra-env (seen on the wire) */
	if (!strcmp(name, "discovery.ign"))
		snprintf(text, sizeof(text), "attachment; filename=\"%s\"", name);
	else
		snprintf(text, sizeof(text), "attachment; filename=\"%s-%s%s\"", ie->id, name,
			 strcmp(name, "static-network-config") ? "" : ".tar");
	int e = answer_header(r, "Content-Disposition", text);
	if (e < 0 || !gmtime_r(&t, &tm) ||
	    !strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm))
		return e;
	return answer_header(r, "Last-Modified", text);
}

/* Is a query that is there one of the words of @values, "a b c"? */
static int check_choice(const struct request *r, const char *name, const char *values,
			struct fault *err)
{
	const char *text = request_query(r, name);
	size_t len;

	if (!text)
		return 0;
	for (const char *p = values; *p; p += len + (p[len] == ' ')) {
		len = strcspn(p, " ");
		if (strlen(text) == len && !memcmp(p, text, len))
			return 0;
	}
	return fault_set(err, -EBADMSG, "%s in query should be one of [%s]", name, values);
}

/* @names: the files that can be asked for. */
static int check_file_query(const struct request *r, const char *names, struct fault *err)
{
	const char *mac = request_query(r, "mac");

	if (str_empty(request_query(r, "file_name")))
		return fault_set(err, -EBADMSG, "file_name in query is required");
	int e = check_choice(r, "file_name", names, err);
	if (e == 0)
		e = check_choice(r, "ipxe_script_type", "discovery-image-always boot-order-control",
				 err);
	if (e == 0)
		e = check_choice(r, "discovery_iso_type", "full-iso minimal-iso disconnected-iso",
				 err);
	if (e == 0 && mac && !mac_is_valid(mac))
		e = fault_set(err, -EBADMSG, "mac in query must be of type mac: \"%s\"", mac);
	if (e == 0 && request_query(r, "ipxe_script_type") &&
	    !str_eq(request_query(r, "file_name"), "ipxe-script"))
		e = fault_set(err, -EINVAL,
			      "\"ipxe_script_type\" can be set only for \"ipxe-script\"");
	return e;
}

static int files(struct request *r, struct fault *err)
{
	const char *name = request_query(r, "file_name");
	struct infra_env *ie;

	int e = check_file_query(r, "discovery.ign ipxe-script static-network-config", err);
	if (e == 0)
		e = v2_find_infra_env(r, &ie, err);
	if (e < 0)
		return e;
	/* Without TLS only the script, for firmware that has none (assisted-v2 §1): the ignition carries a token. */
	bool is_script = !strcmp(name, "ipxe-script");
	if (!is_script && !http_request_is_tls(r->http) &&
	    auth_mode(r->service->auth) != AUTH_MODE_NONE && !r->service->config->plain_api)
		return fault_set(err, -ENOENT, "%s is served over HTTPS only", name);
	if (!strcmp(name, "static-network-config"))
		e = static_network_file(r, ie, err);
	else
		e = is_script ? ipxe_script(r, ie, err) : discovery_ignition(r, ie, err);
	return e < 0 ? e : file_headers(r, ie, name);
}

static int files_presigned(struct request *r, struct fault *err)
{
	const char *name = request_query(r, "file_name"),
		   *type = request_query(r, "ipxe_script_type");
	bool with_key = auth_mode(r->service->auth) == AUTH_MODE_LOCAL;
	struct infra_env *ie;

	int e = check_file_query(r, "discovery.ign ipxe-script", err);
	if (e == 0)
		e = v2_find_infra_env(r, &ie, err);
	if (e < 0)
		return e;
	const char *base = !strcmp(name, "ipxe-script") && r->service->payload_url
				   ? r->service->payload_url
				   : r->service->service_url;
	AUTO(freep)
	char *url =
		str_printf("%s" ROUTE_BASE "/v2/infra-envs/%s/downloads/files?file_name=%s%s%s%s%s",
			   base, ie->id, name, type ? "&ipxe_script_type=" : "", type ? type : "",
			   with_key ? "&api_key=" : "", with_key ? ie->image_token_key : "");
	return url ? answer_url(r, url) : -ENOMEM;
}

/* For CoreOS media; ours carry the same in their token segment. */
static int minimal_initrd(struct request *r, struct fault *err)
{
	struct infra_env *ie;

	int e = v2_find_infra_env(r, &ie, err);
	if (e == 0)
		e = static_network_initrd(ie, &r->out, err);
	if (e < 0)
		return e;
	if (!r->out.len)
		return answer_empty(r, 204);
	r->status = 200;
	r->content_type = "application/octet-stream";
	return 0;
}

const struct route v2_download_routes[] = {
	{ "GET", INFRA_ENV_PATH "/downloads/image-url", "GetInfraEnvDownloadURL", AUTH_USER, 0,
	  image_url },
	{ "GET", INFRA_ENV_PATH "/downloads/files", "v2DownloadInfraEnvFiles",
	  AUTH_USER | AUTH_AGENT | AUTH_URL, ROUTE_OCTET | ROUTE_PLAIN, files },
	{ "GET", INFRA_ENV_PATH "/downloads/files-presigned", "GetInfraEnvPresignedFileURL",
	  AUTH_USER, 0, files_presigned },
	{ "GET", INFRA_ENV_PATH "/downloads/minimal-initrd", "DownloadMinimalInitrd",
	  AUTH_USER | AUTH_URL, ROUTE_OCTET, minimal_initrd },
	ROUTE_END,
};
