#pragma once
/*
 * Steps: what the service asks of a host (GET …/instructions) and what the host answers (POST …/instructions).
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "common/fault.h"
#include "common/json_map.h"

enum step_type {
	STEP_UNKNOWN,
	STEP_INVENTORY,
	STEP_CONNECTIVITY_CHECK,
	STEP_API_VIP_CONNECTIVITY_CHECK,
	STEP_TANG_CONNECTIVITY_CHECK,
	STEP_NTP_SYNCHRONIZER,
	STEP_DOMAIN_RESOLUTION,
	STEP_INSTALL,
	STEP_LOGS_GATHER,
	STEP_STOP_INSTALLATION,
	STEP_UPGRADE_AGENT,
	STEP_DOWNLOAD_BOOT_ARTIFACTS,
	STEP_REBOOT_FOR_RECLAIM,
	STEP_FREE_NETWORK_ADDRESSES,
	STEP_DHCP_LEASE_ALLOCATE,
	STEP_INSTALLATION_DISK_SPEED_CHECK,
	STEP_CONTAINER_IMAGE_AVAILABILITY,
	STEP_VERIFY_VIPS,
	STEP_EXECUTE,
	STEP_NEXT_STEP_RUNNER,
	STEP_TYPE_COUNT
};
const char *step_type_name(enum step_type t);
enum step_type step_type_parse(const char *name); /* STEP_UNKNOWN */

struct step {
	char *step_type, *step_id;
	struct json_strs args;
};

struct steps {
	int64_t next_instruction_seconds; /* absent = 0 */
	char *post_step_action;           /* "continue" (default) or "exit" */
	struct step *v;                   /* owned */
	size_t n;
};
#define STEPS_MAX 64
int steps_decode(json_t *obj, struct steps *ret,
		 struct fault *err); /* null arrays are fine; more than STEPS_MAX: -EMSGSIZE */
void steps_done(struct steps *s);

/* The argument of an install step (assisted-v2 §5.8). */
struct install_cmd {
	char *cluster_id, *infra_env_id, *host_id, *role, *boot_device;
	char *controller_image, *installer_image;
	char *installer_args; /* JSON array as text; NULL = none */
	json_t *proxy;        /* object or NULL */
	struct json_strs disks_to_format;
	/*
	 * Slipway's own, always there: disks that a person has named (disks_skip_formatting: false). A
	 * service lists every disk with a boot sector in disks_to_format without being asked; this
	 * says that somebody meant it.
	 */
	struct json_strs disks_named;
	bool skip_installation_disk_cleanup, check_cvo, enable_skip_mco_reboot, notify_num_reboots;
	char *coreos_image;
	json_t *service_ips, *control_plane_count;
	char *must_gather_image, *mco_image, *openshift_version;
};
extern const struct json_field install_cmd_fields[];
