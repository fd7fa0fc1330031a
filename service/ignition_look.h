#pragma once
/*
 * Reading an Ignition configuration: what a cluster's machine configuration says about the cluster (assisted-v2 §5.4, §7.4).
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum ignition_luks { IGNITION_LUKS_NONE, IGNITION_LUKS_TPM2, IGNITION_LUKS_TANG };

/* How the nodes' disks are encrypted; Tang wins when both are named. @ignition may be NULL. */
enum ignition_luks ignition_luks_of(const json_t *ignition);
/* The Tang servers as [{"url","thumbprint"}]: new reference, NULL = none. */
json_t *ignition_tang_servers(const json_t *ignition);
/*
 * Does the cluster run its own load balancer and DNS (coredns or keepalived as static pods, or an API server named by address)? Then no
 * name needs to be resolvable before a node joins.
 */
bool ignition_has_managed_networking(const json_t *ignition);
/* "data:[type][;base64],content": *ret is owned by the caller, NUL behind *ret_len bytes. 0, -EINVAL, -ENOMEM. */
int data_url_decode(const char *url, char **ret, size_t *ret_len);
/* "data:text/plain;base64,…" of @text; owned by the caller; NULL = no memory. */
char *data_url_base64(const char *text, size_t len);
/* "data:,…", percent-encoded; owned by the caller; NULL = no memory. */
char *data_url_plain(const char *text);
