#include "hwprobe/fields.h"

#include "hwprobe/inventory.h"

#define F(st, kind_, member, key_, flags_)                                                   \
	{                                                                                    \
		.key = (key_), .kind = VALUE_##kind_, .offset = offsetof(struct st, member), \
		.flags = (flags_)                                                            \
	}
#define LIST(st, member, count, key_, item, table)                                            \
	{                                                                                     \
		.key = (key_), .kind = VALUE_LIST, .offset = offsetof(struct st, member),     \
		.count_offset = offsetof(struct st, count), .item_size = sizeof(struct item), \
		.items = (table)                                                              \
	}
#define OBJECT(st, member, key_, table)                                                     \
	{                                                                                   \
		.key = (key_), .kind = VALUE_OBJECT, .offset = offsetof(struct st, member), \
		.items = (table)                                                            \
	}
#define END                 \
	{                   \
		.key = NULL \
	}

const struct field hugepages_fields[] = {
	F(hwp_hugepages, NUM, size_bytes, "size_bytes", 0),
	F(hwp_hugepages, NUM, total, "total", 0),
	F(hwp_hugepages, NUM, free, "free", 0),
	F(hwp_hugepages, NUM, reserved, "reserved", 0),
	F(hwp_hugepages, NUM, surplus, "surplus", 0),
	END,
};

const struct field numa_fields[] = {
	F(hwp_numa_node, NUM, id, "id", 0),
	F(hwp_numa_node, STR, cpus, "cpus", 0),
	F(hwp_numa_node, NUM, memory_bytes, "memory_bytes", 0),
	F(hwp_numa_node, NUM, memory_free_bytes, "memory_free_bytes", 0),
	LIST(hwp_numa_node, hugepages, hugepages_count, "hugepages", hwp_hugepages,
	     hugepages_fields),
	END,
};

const struct field dimm_fields[] = {
	F(hwp_dimm, STR, locator, "locator", 0),
	F(hwp_dimm, STR, bank, "bank", 0),
	F(hwp_dimm, NUM, size_bytes, "size_bytes", 0),
	F(hwp_dimm, STR, type, "type", 0),
	F(hwp_dimm, NUM, speed_mts, "speed_mts", 0),
	F(hwp_dimm, STR, manufacturer, "manufacturer", FIELD_FIRMWARE),
	F(hwp_dimm, STR, part_number, "part_number", FIELD_FIRMWARE),
	F(hwp_dimm, STR, serial_number, "serial_number", FIELD_FIRMWARE),
	END,
};

const struct field partition_fields[] = {
	F(hwp_partition, STR, name, "name", 0),
	F(hwp_partition, NUM, number, "number", 0),
	F(hwp_partition, NUM, start_bytes, "start_bytes", 0),
	F(hwp_partition, NUM, size_bytes, "size_bytes", 0),
	F(hwp_partition, STR, type, "type", 0),
	F(hwp_partition, STR, uuid, "uuid", 0),
	F(hwp_partition, STR, label, "label", 0),
	F(hwp_partition, STR, fs_type, "fs_type", 0),
	F(hwp_partition, STR, fs_uuid, "fs_uuid", 0),
	F(hwp_partition, STR, fs_label, "fs_label", 0),
	F(hwp_partition, STRS, mounts, "mounts", 0),
	F(hwp_partition, STR, holders, "holders", 0),
	END,
};

const struct field address_fields[] = {
	F(hwp_address, STR, address, "address", 0),
	F(hwp_address, STRS, flags, "flags", 0),
	F(hwp_address, NUM, valid_s, "valid_s", 0),
	F(hwp_address, NUM, preferred_s, "preferred_s", 0),
	F(hwp_address, STR, protocol, "protocol", 0),
	F(hwp_address, STR, method, "method", 0),
	F(hwp_address, NUM, on_link_prefix, "on_link_prefix", 0),
	END,
};

static const struct field vf_fields[] = {
	F(hwp_vf, NUM, index, "index", 0),
	F(hwp_vf, STR, mac_address, "mac_address", 0),
	F(hwp_vf, STR, pci_address, "pci_address", 0),
	F(hwp_vf, NUM, vlan_id, "vlan_id", 0),
	F(hwp_vf, BOOL, spoof_check, "spoof_check", 0),
	F(hwp_vf, BOOL, trusted, "trusted", 0),
	F(hwp_vf, STR, link_state, "link_state", 0),
	END,
};

static const struct field lldp_fields[] = {
	F(hwp_lldp, STR, chassis_id, "chassis_id", 0),
	F(hwp_lldp, STR, chassis_id_type, "chassis_id_type", 0),
	F(hwp_lldp, STR, port_id, "port_id", 0),
	F(hwp_lldp, STR, port_id_type, "port_id_type", 0),
	F(hwp_lldp, NUM, ttl_s, "ttl_s", 0),
	F(hwp_lldp, STR, port_description, "port_description", 0),
	F(hwp_lldp, STR, system_name, "system_name", 0),
	F(hwp_lldp, STR, system_description, "system_description", 0),
	F(hwp_lldp, STRS, capabilities, "capabilities", 0),
	F(hwp_lldp, STRS, management_addresses, "management_addresses", 0),
	F(hwp_lldp, NUM, port_vlan_id, "port_vlan_id", 0),
	F(hwp_lldp, NUM, link_aggregation_id, "link_aggregation_id", 0),
	F(hwp_lldp, NUM, max_frame_bytes, "max_frame_bytes", 0),
	F(hwp_lldp, STR, source_mac, "source_mac", 0),
	END,
};

static const struct field nexthop_fields[] = {
	F(hwp_nexthop, STR, gateway, "gateway", 0),
	F(hwp_nexthop, STR, interface, "interface", 0),
	F(hwp_nexthop, NUM, weight, "weight", 0),
	END,
};

static const struct field swap_fields[] = {
	F(hwp_swap, STR, name, "name", 0),
	F(hwp_swap, STR, type, "type", 0),
	F(hwp_swap, NUM, size_bytes, "size_bytes", 0),
	F(hwp_swap, NUM, used_bytes, "used_bytes", 0),
	F(hwp_swap, NUM, priority, "priority", 0),
	END,
};

const struct field cpu_fields[] = {
	F(hwp_cpu, STR, architecture, "architecture", FIELD_WIRE),
	F(hwp_cpu, NUM, count, "count", FIELD_WIRE),
	/* Of all CPUs where all of them are looked at, as the wire has it of the first one. */
	F(hwp_cpu, STRS, flags, "flags", FIELD_WIRE | FIELD_ALWAYS | FIELD_WIRE_ONLY),
	F(hwp_cpu, STRS, common_flags, "flags", 0),
	/* The current clock, where nothing better is known. */
	F(hwp_cpu, REAL, frequency_mhz, "frequency", FIELD_WIRE | FIELD_VARIES),
	F(hwp_cpu, STR, model_name, "model_name", FIELD_WIRE),
	F(hwp_cpu, NUM, offline, "offline", 0),
	F(hwp_cpu, STR, offline_cpus, "offline_cpus", 0),
	F(hwp_cpu, NUM, sockets, "sockets", 0),
	F(hwp_cpu, NUM, cores, "cores", 0),
	F(hwp_cpu, NUM, threads, "threads", 0),
	F(hwp_cpu, NUM, numa_nodes, "numa_nodes", 0),
	F(hwp_cpu, REAL, base_mhz, "base_mhz", 0),
	F(hwp_cpu, REAL, max_mhz, "max_mhz", 0),
	LIST(hwp_cpu, numa, numa_count, "numa", hwp_numa_node, numa_fields),
	END,
};

const struct field memory_fields[] = {
	F(hwp_memory, NUM, physical_bytes, "physical_bytes", FIELD_WIRE),
	F(hwp_memory, STR, physical_bytes_method, "physical_bytes_method", FIELD_WIRE),
	F(hwp_memory, NUM, usable_bytes, "usable_bytes", FIELD_WIRE),
	F(hwp_memory, NUM, swap_bytes, "swap_bytes", 0),
	LIST(hwp_memory, swap, swap_count, "swap", hwp_swap, swap_fields),
	F(hwp_memory, STR, error_correction, "error_correction", 0),
	LIST(hwp_memory, dimms, dimm_count, "dimms", hwp_dimm, dimm_fields),
	F(hwp_memory, NUM, default_hugepage_bytes, "default_hugepage_bytes", 0),
	LIST(hwp_memory, hugepages, hugepages_count, "hugepages", hwp_hugepages, hugepages_fields),
	END,
};

const struct field boot_fields[] = {
	F(hwp_boot, STR, command_line, "command_line", FIELD_WIRE),
	F(hwp_boot, STR, current_boot_mode, "current_boot_mode", FIELD_WIRE),
	F(hwp_boot, STR, device_type, "device_type", FIELD_WIRE),
	F(hwp_boot, STR, pxe_interface, "pxe_interface", FIELD_WIRE),
	F(hwp_boot, STR, secure_boot_state, "secure_boot_state", FIELD_WIRE),
	F(hwp_boot, STR, pxe_mac, "pxe_mac", 0),
	F(hwp_boot, STR, boot_entry, "boot_entry", 0),
	F(hwp_boot, NUM, boot_current, "boot_current", 0),
	F(hwp_boot, STR, boot_uri, "boot_uri", 0),
	F(hwp_boot, BOOL, setup_mode, "setup_mode", 0),
	F(hwp_boot, BOOL, shim_validation, "shim_validation", 0),
	END,
};

const struct field vendor_fields[] = {
	F(hwp_vendor, STR, manufacturer, "manufacturer", FIELD_WIRE | FIELD_FIRMWARE),
	F(hwp_vendor, STR, product_name, "product_name", FIELD_WIRE | FIELD_FIRMWARE),
	F(hwp_vendor, STR, serial_number, "serial_number", FIELD_WIRE | FIELD_FIRMWARE),
	F(hwp_vendor, BOOL, is_virtual, "virtual", FIELD_WIRE),
	F(hwp_vendor, STR, virtualization, "virtualization", 0),
	F(hwp_vendor, STR, uuid, "uuid", FIELD_FIRMWARE),
	F(hwp_vendor, STR, sku, "sku", FIELD_FIRMWARE),
	F(hwp_vendor, STR, version, "version", FIELD_FIRMWARE),
	F(hwp_vendor, STR, family, "family", FIELD_FIRMWARE),
	F(hwp_vendor, STR, board_vendor, "board_vendor", FIELD_FIRMWARE),
	F(hwp_vendor, STR, board_name, "board_name", FIELD_FIRMWARE),
	F(hwp_vendor, STR, board_version, "board_version", FIELD_FIRMWARE),
	F(hwp_vendor, STR, board_serial, "board_serial", FIELD_FIRMWARE),
	F(hwp_vendor, STR, board_asset_tag, "board_asset_tag", FIELD_FIRMWARE),
	F(hwp_vendor, STR, chassis_vendor, "chassis_vendor", FIELD_FIRMWARE),
	F(hwp_vendor, STR, chassis_type, "chassis_type", 0),
	F(hwp_vendor, STR, chassis_serial, "chassis_serial", FIELD_FIRMWARE),
	F(hwp_vendor, STR, chassis_asset_tag, "chassis_asset_tag", FIELD_FIRMWARE),
	F(hwp_vendor, STR, firmware_vendor, "firmware_vendor", FIELD_FIRMWARE),
	F(hwp_vendor, STR, firmware_version, "firmware_version", FIELD_FIRMWARE),
	F(hwp_vendor, STR, firmware_date, "firmware_date", FIELD_FIRMWARE),
	F(hwp_vendor, STR, firmware_release, "firmware_release", 0),
	END,
};

const struct field clock_fields[] = {
	F(hwp_clock, NUM, realtime_s, "realtime", 0),       F(hwp_clock, BOOL, synced, "synced", 0),
	F(hwp_clock, NUM, max_error_us, "max_error_us", 0), F(hwp_clock, NUM, rtc_s, "rtc", 0),
	F(hwp_clock, STR, rtc_name, "rtc_name", 0),         END,
};

static const struct field disk_boot_fields[] = {
	F(hwp_disk_boot, BOOL, mbr_code, "mbr_code", 0),
	F(hwp_disk_boot, BOOL, active, "active", 0),
	F(hwp_disk_boot, BOOL, esp, "esp", 0),
	F(hwp_disk_boot, BOOL, bios_boot, "bios_boot", 0),
	F(hwp_disk_boot, BOOL, eltorito, "eltorito", 0),
	END,
};

static const struct field nvme_fields[] = {
	F(hwp_nvme, STR, nqn, "nqn", 0),
	F(hwp_nvme, NUM, nsid, "nsid", 0),
	F(hwp_nvme, STR, subsystem, "subsystem", 0),
	F(hwp_nvme, STR, transport, "transport", 0),
	F(hwp_nvme, STR, ana_state, "ana_state", 0),
	END,
};

static const struct field fc_fields[] = {
	F(hwp_fc, STR, host_wwpn, "host_wwpn", 0),
	F(hwp_fc, STR, host_wwnn, "host_wwnn", 0),
	F(hwp_fc, STR, host_state, "host_state", 0),
	F(hwp_fc, STR, host_speed, "host_speed", 0),
	F(hwp_fc, STR, target_wwpn, "target_wwpn", 0),
	F(hwp_fc, STR, target_wwnn, "target_wwnn", 0),
	F(hwp_fc, STR, target_state, "target_state", 0),
	F(hwp_fc, NUM, lun, "lun", 0),
	END,
};

static const struct field iscsi_fields[] = {
	F(hwp_iscsi, STR, host_ip_address, "host_ip_address", FIELD_WIRE),
	F(hwp_iscsi, STR, session, "session", 0),
	F(hwp_iscsi, STR, target, "target", 0),
	F(hwp_iscsi, STR, portal, "portal", 0),
	F(hwp_iscsi, STR, initiator, "initiator", 0),
	F(hwp_iscsi, BOOL, is_boot_target, "boot_target", 0),
	END,
};

static const struct field dasd_fields[] = {
	F(hwp_dasd, STR, bus_id, "bus_id", 0),
	F(hwp_dasd, STR, discipline, "discipline", 0),
	F(hwp_dasd, STR, uid, "uid", 0),
	F(hwp_dasd, STR, vendor, "vendor", 0),
	F(hwp_dasd, STR, status, "status", 0),
	F(hwp_dasd, BOOL, ese, "ese", 0),
	END,
};

static const struct field md_fields[] = {
	F(hwp_md, STR, level, "level", 0),
	F(hwp_md, STR, metadata, "metadata", 0),
	F(hwp_md, STR, state, "state", 0),
	F(hwp_md, NUM, members, "members", 0),
	F(hwp_md, NUM, degraded, "degraded", 0),
	F(hwp_md, BOOL, container, "container", 0),
	END,
};

static const struct field user_fields[] = {
	F(hwp_user, STR, name, "name", 0),
	F(hwp_user, STR, label, "label", 0),
	F(hwp_user, STR, on, "on", 0),
	F(hwp_user, STR, kind, "kind", 0),
	F(hwp_user, STRS, mounts, "mounts", 0),
	F(hwp_user, BOOL, swap, "swap", 0),
	END,
};

static const struct field path_fields[] = {
	F(hwp_path, STR, name, "name", 0),
	F(hwp_path, STR, controller, "controller", 0),
	F(hwp_path, STR, transport, "transport", 0),
	F(hwp_path, STR, address, "address", 0),
	F(hwp_path, STR, state, "state", 0),
	F(hwp_path, STR, ana_state, "ana_state", 0),
	END,
};

const struct field disk_fields[] = {
	F(hwp_disk, BOOL, bootable, "bootable", FIELD_WIRE),
	F(hwp_disk, STR, by_id, "by_id", FIELD_WIRE),
	F(hwp_disk, STR, by_path, "by_path", FIELD_WIRE),
	F(hwp_disk, STR, drive_type, "drive_type", FIELD_WIRE),
	F(hwp_disk, BOOL, has_uuid, "has_uuid", FIELD_WIRE),
	F(hwp_disk, STR, hctl, "hctl", FIELD_WIRE),
	F(hwp_disk, STR, holders, "holders", FIELD_WIRE),
	F(hwp_disk, STR, id, "id", FIELD_WIRE),
	F(hwp_disk, BOOL, is_installation_media, "is_installation_media", FIELD_WIRE),
	F(hwp_disk, STR, model, "model", FIELD_WIRE),
	F(hwp_disk, STR, name, "name", FIELD_WIRE),
	F(hwp_disk, STR, path, "path", FIELD_WIRE),
	F(hwp_disk, BOOL, removable, "removable", FIELD_WIRE),
	F(hwp_disk, STR, serial, "serial", FIELD_WIRE),
	F(hwp_disk, NUM, size_bytes, "size_bytes", FIELD_WIRE),
	F(hwp_disk, STR, vendor, "vendor", FIELD_WIRE),
	F(hwp_disk, STR, wwn, "wwn", FIELD_WIRE),
	F(hwp_disk, STR, model_full, "model_full", 0),
	OBJECT(hwp_disk, iscsi, "iscsi", iscsi_fields),
	F(hwp_disk, STR, vendor_full, "vendor_full", 0),
	F(hwp_disk, STR, drive_type_full, "drive_type_full", 0),
	F(hwp_disk, STR, wwn_no_extension, "wwn_no_extension", 0),
	F(hwp_disk, STR, wwn_vendor_extension, "wwn_vendor_extension", 0),
	F(hwp_disk, STR, transport, "transport", 0),
	F(hwp_disk, STR, firmware, "firmware", 0),
	F(hwp_disk, NUM, logical_block_size, "logical_block_size", 0),
	F(hwp_disk, NUM, physical_block_size, "physical_block_size", 0),
	F(hwp_disk, NUM, diskseq, "diskseq", 0),
	F(hwp_disk, NUM, numa_node, "numa_node", 0),
	F(hwp_disk, BOOL, rotational, "rotational", 0),
	F(hwp_disk, BOOL, read_only, "read_only", 0),
	F(hwp_disk, NUM, rpm, "rpm", 0),
	F(hwp_disk, STR, zoned, "zoned", 0),
	F(hwp_disk, NUM, discard_max_bytes, "discard_max_bytes", 0),
	F(hwp_disk, BOOL, dax, "dax", 0),
	F(hwp_disk, BOOL, hotplug, "hotplug", 0),
	F(hwp_disk, STR, smart, "smart", 0),
	F(hwp_disk, BOOL, id_conflict, "id_conflict", 0),
	F(hwp_disk, STR, id_stability, "id_stability", 0),
	F(hwp_disk, BOOL, uninitialized, "uninitialized", 0),
	F(hwp_disk, STR, fs_type, "fs_type", 0),
	F(hwp_disk, STR, fs_uuid, "fs_uuid", 0),
	F(hwp_disk, STR, fs_label, "fs_label", 0),
	F(hwp_disk, STR, partition_table, "partition_table", 0),
	F(hwp_disk, STR, partition_table_uuid, "partition_table_uuid", 0),
	F(hwp_disk, STR, pci_address, "pci_address", 0),
	F(hwp_disk, STR, bcache, "bcache", 0),
	OBJECT(hwp_disk, boot, "boot", disk_boot_fields),
	OBJECT(hwp_disk, nvme, "nvme", nvme_fields),
	OBJECT(hwp_disk, fc, "fc", fc_fields),
	OBJECT(hwp_disk, dasd, "dasd", dasd_fields),
	OBJECT(hwp_disk, md, "md", md_fields),
	F(hwp_disk, STRS, mounts, "mounts", 0),
	LIST(hwp_disk, paths, path_count, "paths", hwp_path, path_fields),
	LIST(hwp_disk, users, user_count, "users", hwp_user, user_fields),
	LIST(hwp_disk, partitions, partition_count, "partitions", hwp_partition, partition_fields),
	END,
};

const struct field nic_fields[] = {
	F(hwp_nic, STR, biosdevname, "biosdevname", FIELD_WIRE),
	F(hwp_nic, STRS, flags, "flags", FIELD_WIRE | FIELD_ALWAYS),
	F(hwp_nic, BOOL, has_carrier, "has_carrier", FIELD_WIRE),
	F(hwp_nic, STRS, ipv4_addresses, "ipv4_addresses", FIELD_WIRE | FIELD_ALWAYS),
	F(hwp_nic, STRS, ipv6_addresses, "ipv6_addresses", FIELD_WIRE | FIELD_ALWAYS),
	F(hwp_nic, STR, mac_address, "mac_address", FIELD_WIRE),
	F(hwp_nic, NUM, mtu, "mtu", FIELD_WIRE),
	F(hwp_nic, STR, name, "name", FIELD_WIRE),
	F(hwp_nic, STR, product, "product", FIELD_WIRE),
	F(hwp_nic, NUM, speed_mbps, "speed_mbps", FIELD_WIRE),
	F(hwp_nic, STR, type, "type", FIELD_WIRE),
	F(hwp_nic, STR, vendor, "vendor", FIELD_WIRE),
	F(hwp_nic, NUM, ifindex, "ifindex", 0),
	F(hwp_nic, STR, permanent_mac, "permanent_mac", 0),
	F(hwp_nic, STR, driver, "driver", 0),
	F(hwp_nic, STR, firmware, "firmware", 0),
	F(hwp_nic, STR, master, "master", 0),
	F(hwp_nic, STRS, members, "members", 0),
	F(hwp_nic, STRS, alt_names, "alt_names", 0),
	F(hwp_nic, STR, bond_mode, "bond_mode", 0),
	F(hwp_nic, STR, bond_active, "bond_active", 0),
	F(hwp_nic, STR, bond_primary, "bond_primary", 0),
	F(hwp_nic, NUM, bond_miimon_ms, "bond_miimon_ms", 0),
	F(hwp_nic, NUM, bond_aggregator, "bond_aggregator", 0),
	F(hwp_nic, STR, bond_partner_mac, "bond_partner_mac", 0),
	F(hwp_nic, NUM, vlan_id, "vlan_id", 0),
	F(hwp_nic, STR, vlan_protocol, "vlan_protocol", 0),
	F(hwp_nic, STR, lower, "lower", 0),
	F(hwp_nic, BOOL, bridge_vlan_filtering, "bridge_vlan_filtering", 0),
	F(hwp_nic, NUM, sriov_total, "sriov_total", 0),
	F(hwp_nic, NUM, sriov_vfs, "sriov_vfs", 0),
	F(hwp_nic, STR, sriov_pf, "sriov_pf", 0),
	F(hwp_nic, NUM, sriov_vf_index, "sriov_vf_index", 0),
	LIST(hwp_nic, vfs, vf_count, "vfs", hwp_vf, vf_fields),
	F(hwp_nic, STR, pci_address, "pci_address", 0),
	F(hwp_nic, STR, usb_vendor, "usb_vendor", 0),
	F(hwp_nic, STR, usb_product, "usb_product", 0),
	F(hwp_nic, STRS, rdma, "rdma", 0),
	F(hwp_nic, NUM, numa_node, "numa_node", 0),
	F(hwp_nic, NUM, speed_current_mbps, "speed_current_mbps", 0),
	F(hwp_nic, NUM, speed_max_mbps, "speed_max_mbps", 0),
	F(hwp_nic, STR, duplex, "duplex", 0),
	F(hwp_nic, STR, port, "port", 0),
	F(hwp_nic, BOOL, has_link, "has_link", 0),
	F(hwp_nic, STR, link_fault, "link_fault", 0),
	F(hwp_nic, STR, name_onboard, "name_onboard", 0),
	F(hwp_nic, STR, name_slot, "name_slot", 0),
	F(hwp_nic, STR, name_path, "name_path", 0),
	F(hwp_nic, STR, name_mac, "name_mac", 0),
	F(hwp_nic, NUM, acpi_index, "acpi_index", 0),
	F(hwp_nic, NUM, firmware_index, "firmware_index", 0),
	F(hwp_nic, BOOL, uninitialized, "uninitialized", 0),
	LIST(hwp_nic, addresses, address_count, "addresses", hwp_address, address_fields),
	LIST(hwp_nic, lldp, lldp_count, "lldp", hwp_lldp, lldp_fields),
	END,
};

const struct field route_fields[] = {
	F(hwp_route, STR, destination, "destination", FIELD_WIRE),
	F(hwp_route, NUM, family, "family", FIELD_WIRE),
	F(hwp_route, STR, gateway, "gateway", FIELD_WIRE),
	F(hwp_route, STR, interface, "interface", FIELD_WIRE),
	F(hwp_route, NUM, metric, "metric", FIELD_WIRE),
	F(hwp_route, NUM, prefixlen, "prefixlen", 0),
	F(hwp_route, NUM, protocol, "protocol", 0),
	F(hwp_route, NUM, table, "table", 0),
	F(hwp_route, STR, type, "type", 0),
	F(hwp_route, STR, scope, "scope", 0),
	F(hwp_route, STR, source, "source", 0),
	F(hwp_route, NUM, mtu, "mtu", 0),
	F(hwp_route, STR, preference, "preference", 0),
	F(hwp_route, NUM, expires_s, "expires_s", 0),
	F(hwp_route, NUM, nexthop_id, "nexthop_id", 0),
	LIST(hwp_route, nexthops, nexthop_count, "nexthops", hwp_nexthop, nexthop_fields),
	END,
};

const struct field gpu_fields[] = {
	F(hwp_gpu, STR, address, "address", FIELD_WIRE),
	F(hwp_gpu, STR, device_id, "device_id", FIELD_WIRE),
	F(hwp_gpu, STR, name, "name", FIELD_WIRE),
	F(hwp_gpu, STR, vendor, "vendor", FIELD_WIRE),
	F(hwp_gpu, STR, vendor_id, "vendor_id", FIELD_WIRE),
	F(hwp_gpu, STR, driver, "driver", 0),
	F(hwp_gpu, STR, subsystem_vendor_id, "subsystem_vendor_id", 0),
	F(hwp_gpu, STR, subsystem_device_id, "subsystem_device_id", 0),
	F(hwp_gpu, NUM, numa_node, "numa_node", 0),
	F(hwp_gpu, NUM, memory_bytes, "memory_bytes", 0),
	F(hwp_gpu, BOOL, is_boot_display, "boot_display", 0),
	F(hwp_gpu, BOOL, is_virtual_function, "virtual_function", 0),
	F(hwp_gpu, STR, physical_function, "physical_function", 0),
	END,
};

const struct field bmc_fields[] = {
	F(hwp_bmc, NUM, channel, "channel", 0),
	F(hwp_bmc, STR, mac_address, "mac_address", 0),
	F(hwp_bmc, STR, netmask, "netmask", 0),
	F(hwp_bmc, STR, gateway, "gateway", 0),
	F(hwp_bmc, STR, address_source, "address_source", 0),
	F(hwp_bmc, NUM, vlan_id, "vlan_id", 0),
	F(hwp_bmc, STR, interface, "interface", 0),
	F(hwp_bmc, BOOL, is_without_driver, "present_without_driver", 0),
	F(hwp_bmc, STRS, redfish_addresses, "redfish_addresses", 0),
	END,
};

const struct field inventory_fields[] = {
	F(hwp_inventory, STR, hostname, "hostname", FIELD_WIRE),
	OBJECT(hwp_inventory, vendor, "system_vendor", vendor_fields),
	OBJECT(hwp_inventory, cpu, "cpu", cpu_fields),
	OBJECT(hwp_inventory, memory, "memory", memory_fields),
	OBJECT(hwp_inventory, boot, "boot", boot_fields),
	OBJECT(hwp_inventory, clock, "clock", clock_fields),
	F(hwp_inventory, STR, tpm.version, "tpm_version", FIELD_WIRE),
	F(hwp_inventory, BOOL, tpm.is_without_driver, "tpm_present_without_driver", 0),
	F(hwp_inventory, STR, bmc.address, "bmc_address", FIELD_WIRE),
	F(hwp_inventory, STR, bmc.v6address, "bmc_v6address", FIELD_WIRE),
	OBJECT(hwp_inventory, bmc, "bmc", bmc_fields),
	F(hwp_inventory, STRS, degraded, "degraded", 0),
	LIST(hwp_inventory, disks, disk_count, "disks", hwp_disk, disk_fields),
	LIST(hwp_inventory, nics, nic_count, "interfaces", hwp_nic, nic_fields),
	LIST(hwp_inventory, routes, route_count, "routes", hwp_route, route_fields),
	LIST(hwp_inventory, gpus, gpu_count, "gpus", hwp_gpu, gpu_fields),
	END,
};

const char *field_source(const struct field *f, const void *base)
{
	static const size_t sources[] = {
		[VALUE_STR] = offsetof(struct hwp_str, source),
		[VALUE_NUM] = offsetof(struct hwp_num, source),
		[VALUE_REAL] = offsetof(struct hwp_real, source),
		[VALUE_BOOL] = offsetof(struct hwp_bool, source),
		[VALUE_STRS] = offsetof(struct hwp_strs, source),
	};
	return *(const char *const *)((const char *)base + f->offset + sources[f->kind]);
}
