#include "service/text_check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/hostname.h"
#include "service/static_network.h"

#define HOST_NAME_MAX_LEN 63
#define CLUSTER_NAME_MAX_LEN 54
#define DOMAIN_MAX_LEN 253
#define LABEL_MAX_LEN 63
#define PULL_SECRET_MAX (1u << 20)
/* Both are compared with one another, in the only thread. */
#define NO_PROXY_ITEMS_MAX 1024

static bool all_of(const char *s, size_t len, bool (*fits)(int c))
{
	for (size_t i = 0; i < len; i++) {
		if (!fits((unsigned char)s[i]))
			return false;
	}
	return true;
}

int check_texts_by(const struct text_rule *rules, const json_t *body, struct fault *err)
{
	for (; rules->key; rules++) {
		const char *text = json_str(body, rules->key);
		int r = str_empty(text) ? 0 : rules->check(text, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_lower_alnum(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_name_char(int c)
{
	return is_lower_alnum(c) || c == '-';
}

/* --- pull secret --- */

static int check_registry_auth(const char *registry, const json_t *entry, struct fault *err)
{
	const json_t *auth = json_object_get(entry, "auth");
	void *plain = NULL;
	size_t len;

	if (!auth || json_is_null(auth) || (json_is_string(auth) && !json_string_length(auth)))
		return 0;
	if (!json_is_string(auth))
		return fault_set(err, -EINVAL, "the entry of %s has an auth that is not a string",
				 registry);
	if (base64_decode(json_string_value(auth), json_string_length(auth), &plain, &len) < 0)
		return fault_set(err, -EINVAL, "the auth of %s is not base64", registry);
	bool good = memchr(plain, ':', len) != NULL;
	free(plain);
	return good ? 0 : fault_set(err, -EINVAL, "the auth of %s is not USER:PASSWORD", registry);
}

int check_pull_secret(const char *what, const char *text, struct fault *err)
{
	AUTO(json_decrefp) json_t *v = json_parse(text, strlen(text), PULL_SECRET_MAX, false, NULL);
	struct fault why = FAULT_INIT;
	const char *registry;
	json_t *entry;

	if (!json_is_object(v))
		return fault_set(
			err, -EINVAL,
			"pull secret for %s is invalid: it must be a well-formed JSON object",
			what);
	json_t *auths = json_object_get(v, "auths");
	if (!json_is_object(auths) || !json_object_size(auths))
		return fault_set(err, -EINVAL, "pull secret for %s is invalid: it has no \"auths\"",
				 what);
	json_object_foreach(auths, registry, entry) {
		if (check_registry_auth(registry, entry, &why) < 0)
			return fault_set(err, -EINVAL, "pull secret for %s is invalid: %s", what,
					 fault_text(&why));
	}
	return 0;
}

/* --- SSH keys --- */

static bool is_ssh_key(char *line)
{
	static const char *const types[] = { "ssh-rsa",
					     "ssh-ed25519",
					     "ssh-dss",
					     "ecdsa-sha2-nistp256",
					     "ecdsa-sha2-nistp384",
					     "ecdsa-sha2-nistp521",
					     "sk-ssh-ed25519@openssh.com",
					     "sk-ecdsa-sha2-nistp256@openssh.com" };
	char *save = NULL, *type = strtok_r(line, " \t", &save),
	     *key = strtok_r(NULL, " \t", &save);
	void *blob = NULL;
	size_t len;

	for (size_t i = 0; type && key && i < ARRAY_SIZE(types); i++) {
		if (strcmp(type, types[i]) != 0)
			continue;
		if (base64_decode(key, strlen(key), &blob, &len) < 0)
			return false;
		/* RFC 4253 §6.6: the blob starts with its own type as a string. */
		size_t n = strlen(type);
		bool good = len > 4 + n && !memcmp((const char *)blob + 4, type, n);
		free(blob);
		return good;
	}
	return false;
}

int check_ssh_keys(const char *text, struct fault *err)
{
	AUTO(freep) char *copy = strdup(text);
	char *save = NULL;

	if (!copy)
		return fault_oom(err);
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		line = str_trim(line);
		if (*line && !is_ssh_key(line))
			return fault_set(
				err, -EINVAL,
				"SSH key is not valid: a line is not \"TYPE BASE64 [COMMENT]\" of a known type");
	}
	return 0;
}

/* --- proxy, NTP --- */

static int check_proxy_url(const char *name, const char *url, bool https_too, struct fault *err)
{
	if (str_empty(url))
		return 0;
	bool good = (str_starts(url, "http://") && url[7]) ||
		    (https_too && str_starts(url, "https://") && url[8]);
	if (!good || strpbrk(url, " \t\r\n\"\\"))
		return fault_set(err, -EINVAL,
				 "%s must be a URL that begins with http://%s, not \"%s\"", name,
				 https_too ? " or https://" : "", url);
	return 0;
}

/* Is the item of @len bytes at @item already in the list before it? */
static bool is_repeated(const char *list, const char *item, size_t len)
{
	for (const char *p = list; p < item; p += strcspn(p, ",") + 1) {
		if (strcspn(p, ",") == len && !memcmp(p, item, len))
			return true;
	}
	return false;
}

int check_proxy(const char *http_proxy, const char *https_proxy, const char *no_proxy,
		struct fault *err)
{
	int r = check_proxy_url("http_proxy", http_proxy, false, err);
	if (r == 0)
		r = check_proxy_url("https_proxy", https_proxy, true, err);
	if (r < 0 || str_empty(no_proxy) || !strcmp(no_proxy, "*"))
		return r;
	size_t n = 0;
	for (const char *p = no_proxy;; p++) {
		size_t len = strcspn(p, ",");
		if (++n > NO_PROXY_ITEMS_MAX)
			return fault_set(err, -EINVAL, "no_proxy should have at most %d items",
					 NO_PROXY_ITEMS_MAX);
		if (!len || strcspn(p, " \t\r\n\"\\*") < len)
			return fault_set(
				err, -EINVAL,
				"no_proxy must be \"*\" or a comma-separated list, not \"%s\"",
				no_proxy);
		if (is_repeated(no_proxy, p, len))
			return fault_set(err, -EINVAL, "no_proxy names \"%.*s\" twice", (int)len,
					 p);
		p += len;
		if (!*p)
			return 0;
	}
}

static bool is_address(const char *s)
{
	unsigned char raw[16];

	return inet_pton(AF_INET, s, raw) == 1 || inet_pton(AF_INET6, s, raw) == 1;
}

/* ^[a-z0-9][a-z0-9\-\.]{0,61}[a-z0-9]$ (assisted-v2 §10.15) */
static bool is_ntp_name(const char *s)
{
	size_t n = strlen(s);

	if (n < 2 || n > 63 || !is_lower_alnum((unsigned char)s[0]) ||
	    !is_lower_alnum((unsigned char)s[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_name_char((unsigned char)s[i]) && s[i] != '.')
			return false;
	}
	return true;
}

int check_ntp_sources(const char *text, struct fault *err)
{
	AUTO(freep) char *copy = strdup(text);
	char *rest = copy;

	if (!copy)
		return fault_oom(err);
	if (!*copy)
		return 0;
	for (char *item; (item = strsep(&rest, ","));) {
		item = str_trim(item);
		if (!is_address(item) && !is_ntp_name(item))
			return fault_set(err, -EINVAL, "Invalid NTP source: %s", item);
	}
	return 0;
}

/* --- kernel arguments, static network, trust bundle --- */

/* ^(?:(?:[^ \t\n\r"]+)|(?:"[^"]*"))+$, and the empty text, which the original takes too */
static bool is_kernel_value(const char *s)
{
	bool in_quotes = false;

	for (; *s; s++) {
		if (*s == '"')
			in_quotes = !in_quotes;
		else if (!in_quotes && strchr(" \t\n\r", *s))
			return false;
		else if (*s == '\n' || *s == '\r')
			return false; /* nothing may end the line of the boot loader's file */
	}
	return !in_quotes;
}

int check_kernel_arguments(const json_t *list, struct fault *err)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item) {
		const char *operation = json_str(item, "operation"),
			   *value = json_str(item, "value");
		if (!str_eq(operation, "append"))
			return fault_set(err, -EINVAL,
					 "only kernel argument operation append is supported");
		if (value && !is_kernel_value(value))
			return fault_set(
				err, -EBADMSG,
				"kernel_arguments.%zu.value in body is not one kernel argument: \"%s\"",
				i, value);
	}
	return 0;
}

int check_static_network(const json_t *list, struct fault *err)
{
	return static_network_check_list(list, err);
}

int check_trust_bundle(const char *text, struct fault *err)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----",
			  end[] = "-----END CERTIFICATE-----";
	const char *p = text;
	size_t n = 0;

	while ((p = strstr(p, begin))) {
		const char *stop = strstr(p, end), *next = strstr(p + 1, begin);
		if (!stop || (next && next < stop))
			return fault_set(err, -EINVAL,
					 "additional_trust_bundle: certificate %zu has no end",
					 n + 1);
		p = stop + sizeof(end) - 1;
		n++;
	}
	return n ? 0 : fault_set(err, -EINVAL, "additional_trust_bundle has no PEM certificate");
}

/* --- names --- */

/* Every label of @name: 1 to 63 of [a-z0-9-], first and last no dash. */
static bool are_labels(const char *name)
{
	for (;;) {
		size_t n = strcspn(name, ".");
		if (!n || n > LABEL_MAX_LEN || !all_of(name, n, is_name_char) || name[0] == '-' ||
		    name[n - 1] == '-')
			return false;
		name += n;
		if (!*name++)
			return true;
	}
}

int check_host_name(const char *name, struct fault *err)
{
	if (!hostname_is_valid(name))
		return fault_set(
			err, -EINVAL,
			"Hostname does not pass validation: \"%s\" (at most %d lower-case letters, digits, '-' and '.')",
			name, HOST_NAME_MAX_LEN);
	if (hostname_is_forbidden(name))
		return fault_set(err, -EINVAL, "The host name %s is forbidden", name);
	return 0;
}

int check_cluster_name(const char *name, struct fault *err)
{
	size_t n = strlen(name);
	/* ^([a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ */
	if (n > CLUSTER_NAME_MAX_LEN || !all_of(name, n, is_name_char) ||
	    (n && (name[0] == '-' || name[n - 1] == '-')))
		return fault_set(
			err, -EINVAL,
			"Cluster name \"%s\" is not valid: lower-case letters, digits and '-' inside, at most %d",
			name, CLUSTER_NAME_MAX_LEN);
	return 0;
}

int check_domain(const char *name, struct fault *err)
{
	if (!*name || (strlen(name) <= DOMAIN_MAX_LEN && are_labels(name)))
		return 0;
	return fault_set(err, -EINVAL, "\"%s\" is not a DNS domain", name);
}

static bool is_label_char(int c)
{
	return isalnum(c) || c == '-' || c == '_' || c == '.';
}

/* Kubernetes: up to 63 of [A-Za-z0-9_.-], first and last alphanumeric. */
static bool is_label_part(const char *s)
{
	size_t n = strlen(s);

	return n >= 1 && n <= LABEL_MAX_LEN && all_of(s, n, is_label_char) &&
	       isalnum((unsigned char)s[0]) && isalnum((unsigned char)s[n - 1]);
}

int check_node_label(const char *key, const char *value, struct fault *err)
{
	const char *slash = strchr(key, '/');
	AUTO(freep) char *prefix = slash ? strndup(key, (size_t)(slash - key)) : NULL;

	if (slash && !prefix)
		return fault_oom(err);
	if ((prefix && (strlen(prefix) > DOMAIN_MAX_LEN || !are_labels(prefix))) ||
	    !is_label_part(slash ? slash + 1 : key))
		return fault_set(err, -EINVAL, "\"%s\" is not a label's key", key);
	if (*value && !is_label_part(value))
		return fault_set(err, -EINVAL, "\"%s\" is not a label's value", value);
	return 0;
}

int check_installer_arg(const char *arg, struct fault *err)
{
	static const char *const options[] = {
		"--append-karg",    "--delete-karg", "-n",
		"--copy-network",   "--network-dir", "--save-partlabel",
		"--save-partindex", "--image-url",   "--image-file"
	};
	/* The reference's class has the range +-= (0x2b to 0x3d) in it, so '<', ':' and ';' pass as well. */
	static const char other[] = "@!#$%*()_.,\";':{}[]";

	if (arg[0] == '-') {
		for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
			if (!strcmp(options[i], arg))
				return 0;
		}
		return fault_set(err, -EINVAL, "found unexpected flag %s for installer", arg);
	}
	for (const char *p = arg; *p; p++) {
		if (!isalnum((unsigned char)*p) && !(*p >= 0x2b && *p <= 0x3d) &&
		    !strchr(other, *p))
			return fault_set(err, -EINVAL,
					 "found unexpected chars in value %s for installer", arg);
	}
	return *arg ? 0 : fault_set(err, -EINVAL, "an installer argument is empty");
}
