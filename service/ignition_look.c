#include "service/ignition_look.h"

#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/cidr.h"

#define KUBECONFIG_PATH "/etc/kubernetes/kubeconfig"

static json_t *luks_list(const json_t *ignition)
{
	return json_child(json_child(ignition, "storage"), "luks");
}

enum ignition_luks ignition_luks_of(const json_t *ignition)
{
	enum ignition_luks found = IGNITION_LUKS_NONE;
	size_t i;
	json_t *luks;

	json_array_foreach(luks_list(ignition), i, luks) {
		json_t *clevis = json_child(luks, "clevis");
		if (json_array_size(json_child(clevis, "tang")))
			return IGNITION_LUKS_TANG;
		if (json_flag(clevis, "tpm2"))
			found = IGNITION_LUKS_TPM2;
	}
	return found;
}

json_t *ignition_tang_servers(const json_t *ignition)
{
	AUTO(json_decrefp) json_t *list = json_array();
	size_t i, k;
	json_t *luks, *server;

	json_array_foreach(luks_list(ignition), i, luks) {
		json_array_foreach(json_child(json_child(luks, "clevis"), "tang"), k, server) {
			const char *url = json_str(server, "url"),
				   *thumbprint = json_str(server, "thumbprint");
			json_t *item = json_pack("{s:s, s:s}", "url", url ? url : "", "thumbprint",
						 thumbprint ? thumbprint : "");
			if (json_array_append_new(list, item))
				return NULL;
		}
	}
	return json_array_size(list) ? TAKE(list) : NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int percent_decode(const char *s, char **ret, size_t *ret_len)
{
	char *out = malloc(strlen(s) + 1);
	size_t n = 0;
	if (!out)
		return -ENOMEM;

	for (; *s; s++) {
		int hi = *s == '%' ? hex_digit(s[1]) : -1;
		int lo = hi >= 0 ? hex_digit(s[2]) : -1;
		if (*s == '%' && lo < 0) {
			free(out);
			return -EINVAL;
		}
		out[n++] = lo >= 0 ? (char)(hi << 4 | lo) : *s;
		s += lo >= 0 ? 2 : 0;
	}
	out[n] = '\0';
	*ret = out;
	*ret_len = n;
	return 0;
}

int data_url_decode(const char *url, char **ret, size_t *ret_len)
{
	const char *comma = strchr(url, ',');
	if (!str_starts(url, "data:") || !comma)
		return -EINVAL;

	static const char marker[] = ";base64";
	size_t head = (size_t)(comma - url), tail = sizeof(marker) - 1;
	if (head < tail || memcmp(comma - tail, marker, tail) != 0)
		return percent_decode(comma + 1, ret, ret_len);

	void *data;
	int r = base64_decode(comma + 1, strlen(comma + 1), &data, ret_len);
	if (r < 0)
		return r;
	*ret = data;
	return 0;
}

char *data_url_base64(const char *text, size_t len)
{
	AUTO(freep) char *code = base64_encode(text, len);

	return code ? str_printf("data:text/plain;base64,%s", code) : NULL;
}

char *data_url_plain(const char *text)
{
	AUTO(freep) char *code = url_encode(text, true);

	return code ? str_printf("data:,%s", code) : NULL;
}

/* Does the kubeconfig name its server by address ("server: https://192.0.2.1:6443", "server: https://[2001:db8::1]:6443")? */
static bool names_server_by_address(const char *kubeconfig)
{
	static const char key[] = "server: https://";
	const char *p = strstr(kubeconfig, key);
	if (!p)
		return false;
	p += sizeof(key) - 1;

	char host[128];
	bool bracket = *p == '[';
	size_t len = bracket ? strcspn(++p, "]") : strcspn(p, ":/ \r\n");
	snprintf(host, sizeof(host), "%.*s", (int)MIN_OF(len, sizeof(host) - 1), p);
	return cidr_is_address(host);
}

static bool file_shows_managed_networking(const json_t *file)
{
	static const char *const pods[] = { "/etc/kubernetes/manifests/coredns.yaml",
					    "/etc/kubernetes/manifests/keepalived.yaml" };
	const char *path = json_str(file, "path");
	if (!path)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(pods); i++) {
		if (strcmp(path, pods[i]) == 0)
			return true;
	}
	if (strcmp(path, KUBECONFIG_PATH) != 0)
		return false;

	AUTO(freep) char *text = NULL;
	size_t len;
	const char *source = json_str(json_child(file, "contents"), "source");
	return source && data_url_decode(source, &text, &len) == 0 && names_server_by_address(text);
}

bool ignition_has_managed_networking(const json_t *ignition)
{
	size_t i;
	json_t *file;

	json_array_foreach(json_child(json_child(ignition, "storage"), "files"), i, file) {
		if (file_shows_managed_networking(file))
			return true;
	}
	return false;
}
