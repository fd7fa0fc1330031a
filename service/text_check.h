#pragma once
/*
 * Checks of texts that users give for infra-envs, clusters and hosts; sentences for people. -EINVAL = refused (400).
 */
#include <jansson.h>
#include "common/fault.h"

/* A field of a body and the check of its text; absent and empty texts are not checked. The table ends with .key == NULL. */
struct text_rule {
	const char *key;
	int (*check)(const char *text, struct fault *err);
};
int check_texts_by(const struct text_rule *rules, const json_t *body, struct fault *err);

/* JSON object with a non-empty "auths"; every non-empty "auth" is base64 of user:password (assisted-v2 §3.1). @what: for the sentence. */
int check_pull_secret(const char *what, const char *text, struct fault *err);
/* Public keys, one a line. */
int check_ssh_keys(const char *text, struct fault *err);
/* http_proxy must be http://, https_proxy http:// or https://; no_proxy "*" or a list without duplicates. NULL and "" are fine. */
int check_proxy(const char *http_proxy, const char *https_proxy, const char *no_proxy,
		struct fault *err);
/* Comma-separated addresses or names (§10.15). */
int check_ntp_sources(const char *text, struct fault *err);
/* A list of {operation, value}; only "append" is taken (§3.1). */
int check_kernel_arguments(const json_t *list, struct fault *err);
/* Each host at least one MAC address; MAC addresses and names unique within the host. */
int check_static_network(const json_t *list, struct fault *err);
/* PEM certificates. */
int check_trust_bundle(const char *text, struct fault *err);
/* A host name (§3.3). */
int check_host_name(const char *name, struct fault *err);
/* A cluster's name. */
int check_cluster_name(const char *name, struct fault *err);
/* A DNS domain. */
int check_domain(const char *name, struct fault *err);
/* Kubernetes label: key with optional prefix, value. */
int check_node_label(const char *key, const char *value, struct fault *err);
/* One installer argument (§3.3, §10.14). */
int check_installer_arg(const char *arg, struct fault *err);
