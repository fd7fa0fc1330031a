#include "common/wire/step.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

/* step-type of the API's schema. */
static const char *const names[STEP_TYPE_COUNT] = {
	[STEP_UNKNOWN] = "",
	[STEP_INVENTORY] = "inventory",
	[STEP_CONNECTIVITY_CHECK] = "connectivity-check",
	[STEP_API_VIP_CONNECTIVITY_CHECK] = "api-vip-connectivity-check",
	[STEP_TANG_CONNECTIVITY_CHECK] = "tang-connectivity-check",
	[STEP_NTP_SYNCHRONIZER] = "ntp-synchronizer",
	[STEP_DOMAIN_RESOLUTION] = "domain-resolution",
	[STEP_INSTALL] = "install",
	[STEP_LOGS_GATHER] = "logs-gather",
	[STEP_STOP_INSTALLATION] = "stop-installation",
	[STEP_UPGRADE_AGENT] = "upgrade-agent",
	[STEP_DOWNLOAD_BOOT_ARTIFACTS] = "download-boot-artifacts",
	[STEP_REBOOT_FOR_RECLAIM] = "reboot-for-reclaim",
	[STEP_FREE_NETWORK_ADDRESSES] = "free-network-addresses",
	[STEP_DHCP_LEASE_ALLOCATE] = "dhcp-lease-allocate",
	[STEP_INSTALLATION_DISK_SPEED_CHECK] = "installation-disk-speed-check",
	[STEP_CONTAINER_IMAGE_AVAILABILITY] = "container-image-availability",
	[STEP_VERIFY_VIPS] = "verify-vips",
	[STEP_EXECUTE] = "execute",
	[STEP_NEXT_STEP_RUNNER] = "next-step-runner",
};

const char *step_type_name(enum step_type t)
{
	return (unsigned)t < STEP_TYPE_COUNT ? names[t] : "";
}

enum step_type step_type_parse(const char *name)
{
	for (size_t i = STEP_UNKNOWN + 1; name && i < STEP_TYPE_COUNT; i++) {
		if (strcmp(names[i], name) == 0)
			return (enum step_type)i;
	}
	return STEP_UNKNOWN;
}

static const struct json_field step_fields[] = {
	JSON_FIELD(step, step_type, "step_type", JSON_F_STR, 0),
	JSON_FIELD(step, step_id, "step_id", JSON_F_STR, 0),
	JSON_FIELD(step, args, "args", JSON_F_STRS, 0),
	JSON_FIELD_END,
};

/* The plain members; the array of steps is read by hand. */
static const struct json_field steps_fields[] = {
	JSON_FIELD(steps, next_instruction_seconds, "next_instruction_seconds", JSON_F_I64, 0),
	JSON_FIELD(steps, post_step_action, "post_step_action", JSON_F_STR, 0),
	JSON_FIELD_END,
};

void steps_done(struct steps *s)
{
	for (size_t i = 0; i < s->n; i++)
		json_map_done(step_fields, &s->v[i]);
	free(s->v);
	json_map_done(steps_fields, s);
	*s = (struct steps){ 0 };
}

static int decode_instructions(json_t *array, struct steps *s, struct fault *err)
{
	size_t i;
	json_t *item;
	if (!array || json_is_null(array))
		return 0;
	if (!json_is_array(array))
		return fault_set(err, -EINVAL, "instructions in body must be of type array");
	if (json_array_size(array) > STEPS_MAX)
		return fault_set(err, -EMSGSIZE, "%zu instructions are more than %d",
				 json_array_size(array), STEPS_MAX);
	s->v = calloc(MAX_OF(json_array_size(array), (size_t)1), sizeof(*s->v));
	if (!s->v)
		return fault_oom(err);
	json_array_foreach(array, i, item) {
		s->n = i + 1; /* first, so that a half-read step is freed, too */
		int r = json_map_decode(step_fields, item, &s->v[i], 0, err);
		if (r < 0)
			return fault_prefix(err, r, "instruction %zu", i);
	}
	return 0;
}

int steps_decode(json_t *obj, struct steps *ret, struct fault *err)
{
	AUTO(steps_done) struct steps s = { 0 };
	int r = json_map_decode(steps_fields, obj, &s, 0, err);
	if (r == 0)
		r = decode_instructions(json_object_get(obj, "instructions"), &s, err);
	if (r < 0)
		return r;
	*ret = s;
	s = (struct steps){ 0 };
	return 0;
}

/* install_cmd_request of the API's schema. */
const struct json_field install_cmd_fields[] = {
	JSON_FIELD(install_cmd, cluster_id, "cluster_id", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(install_cmd, infra_env_id, "infra_env_id", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(install_cmd, host_id, "host_id", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(install_cmd, role, "role", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(install_cmd, boot_device, "boot_device", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(install_cmd, controller_image, "controller_image", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(install_cmd, installer_image, "installer_image", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(install_cmd, installer_args, "installer_args", JSON_F_STR, JSON_OMIT_EMPTY),
	JSON_FIELD(install_cmd, proxy, "proxy", JSON_F_JSON, JSON_OMIT_EMPTY),
	JSON_FIELD(install_cmd, disks_to_format, "disks_to_format", JSON_F_STRS, 0),
	JSON_FIELD(install_cmd, disks_named, "disks_named", JSON_F_STRS, JSON_OMIT_EMPTY),
	JSON_FIELD(install_cmd, skip_installation_disk_cleanup, "skip_installation_disk_cleanup",
		   JSON_F_BOOL, JSON_OMIT_EMPTY),
	JSON_FIELD(install_cmd, check_cvo, "check_cvo", JSON_F_BOOL, 0),
	JSON_FIELD(install_cmd, enable_skip_mco_reboot, "enable_skip_mco_reboot", JSON_F_BOOL,
		   JSON_OMIT_EMPTY),
	JSON_FIELD(install_cmd, notify_num_reboots, "notify_num_reboots", JSON_F_BOOL,
		   JSON_OMIT_EMPTY),
	JSON_FIELD(install_cmd, coreos_image, "coreos_image", JSON_F_STR, JSON_OMIT_EMPTY),
	JSON_FIELD(install_cmd, service_ips, "service_ips", JSON_F_JSON, 0),
	JSON_FIELD(install_cmd, control_plane_count, "control_plane_count", JSON_F_JSON,
		   JSON_OMIT_EMPTY),
	JSON_FIELD(install_cmd, must_gather_image, "must_gather_image", JSON_F_STR,
		   JSON_OMIT_EMPTY),
	JSON_FIELD(install_cmd, mco_image, "mco_image", JSON_F_STR, JSON_OMIT_EMPTY),
	JSON_FIELD(install_cmd, openshift_version, "openshift_version", JSON_F_STR,
		   JSON_OMIT_EMPTY),
	JSON_FIELD_END,
};
