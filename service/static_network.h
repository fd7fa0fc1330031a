#pragma once
/*
 * Network settings of an infra-env on their way to CoreOS media (assisted-v2 §8.3, §8.4): one folder of files for each host, and what
 * picks the right one by the MAC addresses that a machine has. nmstate, which is on the medium, turns them into connections.
 */
#include <jansson.h>
#include <stdbool.h>
#include "common/buf.h"
#include "common/fault.h"
#include "service/model.h"

#define STATIC_NETWORK_MACS_MAX 128          /* of one host */
#define STATIC_NETWORK_BYTES_MAX (32u << 20) /* of all files */

/* Is there anything? */
bool static_network_is_set(const struct infra_env *ie);
/*
 * One entry of static_network_config, for sentences called static_network_config.@i: a state that nmstate_check() takes, and at least one
 * entry in the map, every address and name once. -EINVAL, -EBADMSG.
 */
int static_network_check(size_t i, const json_t *entry, struct fault *err);
/* All of them; -EINVAL also when their files would have more than STATIC_NETWORK_BYTES_MAX. */
int static_network_check_list(const json_t *list, struct fault *err);

/* The three forms. All three append nothing when nothing is set; -EINVAL when what is stored cannot be turned over. */
int static_network_tar(const struct infra_env *ie, struct buf *out, struct fault *err);
/* Adds to the lists of an Ignition document. */
int static_network_ignition(const struct infra_env *ie, json_t *files, json_t *units,
			    struct fault *err);
/* The gzip'd initrd for minimal ISOs and network boots; it has the proxy, too. Empty: there is neither. */
int static_network_initrd(const struct infra_env *ie, struct buf *out, struct fault *err);
