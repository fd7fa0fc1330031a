/*
 * What hosts send, field by field (assisted-v2 §5.3–5.7, §6).
 */
#include <stddef.h>
#include "service/shape.h"

#define STR(k)                                \
	{                                     \
		.key = (k), .type = SHAPE_STR \
	}
#define INT(k)                                \
	{                                     \
		.key = (k), .type = SHAPE_INT \
	}
#define NUM(k)                                \
	{                                     \
		.key = (k), .type = SHAPE_NUM \
	}
#define BOOL(k)                                \
	{                                      \
		.key = (k), .type = SHAPE_BOOL \
	}
#define STRS(k)                                \
	{                                      \
		.key = (k), .type = SHAPE_STRS \
	}
#define OBJ(k, t)                                         \
	{                                                 \
		.key = (k), .type = SHAPE_OBJ, .sub = (t) \
	}
#define OBJS(k, t)                                         \
	{                                                  \
		.key = (k), .type = SHAPE_OBJS, .sub = (t) \
	}
#define NEED(k)                                                    \
	{                                                          \
		.key = (k), .type = SHAPE_STR, .flags = SHAPE_KEEP \
	}
#define END                 \
	{                   \
		.key = NULL \
	}

static const struct shape interface_shape[] = { STR("biosdevname"),
						STR("client_id"),
						STRS("flags"),
						BOOL("has_carrier"),
						STRS("ipv4_addresses"),
						STRS("ipv6_addresses"),
						STR("mac_address"),
						INT("mtu"),
						STR("name"),
						STR("product"),
						INT("speed_mbps"),
						STR("type"),
						STR("vendor"),
						END };

static const struct shape eligibility_shape[] = { BOOL("eligible"), STRS("not_eligible_reasons"),
						  END };
static const struct shape io_perf_shape[] = { INT("sync_duration"), END };
static const struct shape iscsi_shape[] = { STR("host_ip_address"), END };

static const struct shape disk_shape[] = { BOOL("bootable"),
					   STR("by_id"),
					   STR("by_path"),
					   STR("drive_type"),
					   BOOL("has_uuid"),
					   STR("hctl"),
					   STR("holders"),
					   STR("id"),
					   OBJ("installation_eligibility", eligibility_shape),
					   OBJ("io_perf", io_perf_shape),
					   BOOL("is_installation_media"),
					   OBJ("iscsi", iscsi_shape),
					   STR("model"),
					   STR("name"),
					   STR("partitionTypes"),
					   STR("path"),
					   BOOL("removable"),
					   STR("serial"),
					   INT("size_bytes"),
					   STR("smart"),
					   STR("vendor"),
					   STR("wwn"),
					   END };

static const struct shape boot_shape[] = { STR("command_line"),      STR("current_boot_mode"),
					   STR("device_type"),       STR("pxe_interface"),
					   STR("secure_boot_state"), END };
static const struct shape cpu_shape[] = { STR("architecture"), INT("count"),      STRS("flags"),
					  NUM("frequency"),    STR("model_name"), END };
static const struct shape gpu_shape[] = { STR("address"), STR("device_id"), STR("name"),
					  STR("vendor"),  STR("vendor_id"), END };
static const struct shape memory_shape[] = { INT("physical_bytes"), STR("physical_bytes_method"),
					     INT("usable_bytes"), END };
static const struct shape route_shape[] = { STR("destination"), INT("family"), STR("gateway"),
					    STR("interface"),   INT("metric"), END };
static const struct shape vendor_shape[] = { STR("manufacturer"), STR("product_name"),
					     STR("serial_number"), BOOL("virtual"), END };
static const struct shape truncation_shape[] = { NEED("type"), STRS("reasons"), END };

const struct shape shape_inventory[] = { STR("bmc_address"),
					 STR("bmc_v6address"),
					 OBJ("boot", boot_shape),
					 OBJ("cpu", cpu_shape),
					 OBJS("disks", disk_shape),
					 OBJS("gpus", gpu_shape),
					 STR("hostname"),
					 OBJS("interfaces", interface_shape),
					 OBJ("memory", memory_shape),
					 OBJS("routes", route_shape),
					 OBJ("system_vendor", vendor_shape),
					 STR("tpm_version"),
					 OBJ("truncation", truncation_shape),
					 END };

static const struct shape l2_shape[] = { STR("outgoing_ip_address"), STR("outgoing_nic"),
					 STR("remote_ip_address"),   STR("remote_mac"),
					 BOOL("successful"),         END };
static const struct shape l3_shape[] = {
	NUM("average_rtt_ms"),    STR("outgoing_nic"), NUM("packet_loss_percentage"),
	STR("remote_ip_address"), BOOL("successful"),  END
};
static const struct shape mtu_shape[] = { BOOL("mtu_successful"), STR("outgoing_nic"),
					  STR("remote_ip_address"), END };
static const struct shape remote_host_shape[] = { STR("host_id"), OBJS("l2_connectivity", l2_shape),
						  OBJS("l3_connectivity", l3_shape),
						  OBJS("mtu_report", mtu_shape), END };
const struct shape shape_connectivity[] = { OBJS("remote_hosts", remote_host_shape), END };

const struct shape shape_api_vip[] = { STR("download_error"), STR("ignition"), BOOL("is_success"),
				       STR("url"), END };

static const struct shape signature_shape[] = { STR("protected"), STR("signature"), END };
static const struct shape tang_server_shape[] = { STR("payload"),
						  OBJS("signatures", signature_shape),
						  STR("tang_url"), END };
const struct shape shape_tang[] = { BOOL("is_success"),
				    OBJS("tang_server_response", tang_server_shape), END };

static const struct shape ntp_source_shape[] = { STR("source_name"), STR("source_state"), END };
const struct shape shape_ntp[] = { OBJS("ntp_sources", ntp_source_shape), END };

static const struct shape resolution_shape[] = { STRS("cnames"), NEED("domain_name"),
						 STRS("ipv4_addresses"), STRS("ipv6_addresses"),
						 END };
const struct shape shape_domains[] = { OBJS("resolutions", resolution_shape), END };

const struct shape shape_upgrade[] = { STR("agent_image"), STR("result"), END };
