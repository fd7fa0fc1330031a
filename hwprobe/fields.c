#include "hwprobe/fields.h"

#include "hwprobe/hwprobe.h"

#define F(st, kind_, member, key_, flags_)                                                   \
	{                                                                                    \
		.key = (key_), .kind = VALUE_##kind_, .offset = offsetof(struct st, member), \
		.flags = (flags_)                                                            \
	}
#define END                 \
	{                   \
		.key = NULL \
	}

const struct field cpu_fields[] = {
	F(hwp_cpu, STR, architecture, "architecture", FIELD_WIRE),
	F(hwp_cpu, NUM, count, "count", FIELD_WIRE),
	F(hwp_cpu, STRS, flags, "flags", FIELD_WIRE | FIELD_ALWAYS),
	F(hwp_cpu, REAL, frequency_mhz, "frequency", FIELD_WIRE),
	F(hwp_cpu, STR, model_name, "model_name", FIELD_WIRE),
	F(hwp_cpu, NUM, offline, "offline", 0),
	F(hwp_cpu, NUM, sockets, "sockets", 0),
	F(hwp_cpu, NUM, cores, "cores", 0),
	F(hwp_cpu, NUM, threads, "threads", 0),
	F(hwp_cpu, NUM, numa_nodes, "numa_nodes", 0),
	END,
};

const struct field memory_fields[] = {
	F(hwp_memory, NUM, physical_bytes, "physical_bytes", FIELD_WIRE),
	F(hwp_memory, STR, physical_bytes_method, "physical_bytes_method", FIELD_WIRE),
	F(hwp_memory, NUM, usable_bytes, "usable_bytes", FIELD_WIRE),
	END,
};

const struct field boot_fields[] = {
	F(hwp_boot, STR, command_line, "command_line", FIELD_WIRE),
	F(hwp_boot, STR, current_boot_mode, "current_boot_mode", FIELD_WIRE),
	F(hwp_boot, STR, device_type, "device_type", FIELD_WIRE),
	F(hwp_boot, STR, pxe_interface, "pxe_interface", FIELD_WIRE),
	F(hwp_boot, STR, secure_boot_state, "secure_boot_state", FIELD_WIRE),
	END,
};

const struct field vendor_fields[] = {
	F(hwp_vendor, STR, manufacturer, "manufacturer", FIELD_WIRE),
	F(hwp_vendor, STR, product_name, "product_name", FIELD_WIRE),
	F(hwp_vendor, STR, serial_number, "serial_number", FIELD_WIRE),
	F(hwp_vendor, BOOL, is_virtual, "virtual", FIELD_WIRE),
	F(hwp_vendor, STR, virtualization, "virtualization", 0),
	F(hwp_vendor, STR, uuid, "uuid", 0),
	F(hwp_vendor, STR, sku, "sku", 0),
	F(hwp_vendor, STR, version, "version", 0),
	F(hwp_vendor, STR, family, "family", 0),
	F(hwp_vendor, STR, board_vendor, "board_vendor", 0),
	F(hwp_vendor, STR, board_name, "board_name", 0),
	F(hwp_vendor, STR, board_serial, "board_serial", 0),
	F(hwp_vendor, STR, chassis_serial, "chassis_serial", 0),
	F(hwp_vendor, STR, chassis_asset_tag, "chassis_asset_tag", 0),
	F(hwp_vendor, STR, firmware_vendor, "firmware_vendor", 0),
	F(hwp_vendor, STR, firmware_version, "firmware_version", 0),
	F(hwp_vendor, STR, firmware_date, "firmware_date", 0),
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
	F(hwp_disk, STR, transport, "transport", 0),
	F(hwp_disk, STR, firmware, "firmware", 0),
	F(hwp_disk, NUM, logical_block_size, "logical_block_size", 0),
	F(hwp_disk, NUM, physical_block_size, "physical_block_size", 0),
	F(hwp_disk, NUM, diskseq, "diskseq", 0),
	F(hwp_disk, NUM, numa_node, "numa_node", 0),
	F(hwp_disk, BOOL, rotational, "rotational", 0),
	F(hwp_disk, BOOL, read_only, "read_only", 0),
	END,
};

const struct field nic_fields[] = {
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
	F(hwp_nic, STR, master, "master", 0),
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
	END,
};

const struct field gpu_fields[] = {
	F(hwp_gpu, STR, address, "address", FIELD_WIRE),
	F(hwp_gpu, STR, device_id, "device_id", FIELD_WIRE),
	F(hwp_gpu, STR, name, "name", FIELD_WIRE),
	F(hwp_gpu, STR, vendor, "vendor", FIELD_WIRE),
	F(hwp_gpu, STR, vendor_id, "vendor_id", FIELD_WIRE),
	END,
};
