#pragma once
/*
 * libhwprobe: what a machine is made of, read from the kernel itself. Nothing is executed, no module is loaded, nothing is written.
 *
 * A context (struct hwp_ctx) holds the sources: the running machine, or a recorded tree. hwp_probe() takes a snapshot
 * (struct hwp_inventory), which is immutable, reference counted and may be used by several threads; a context may not.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HWP_API __attribute__((visibility("default")))

struct hwp_ctx;
struct hwp_inventory;
struct hwp_monitor;

/* Parts of the inventory; a set of them is an OR. */
enum hwp_part {
	HWP_CPU = 1,
	HWP_MEMORY = 2,
	HWP_DISKS = 4,
	HWP_NICS = 8,
	HWP_ROUTES = 16,
	HWP_BOOT = 32,
	HWP_VENDOR = 64,
	HWP_GPUS = 128,
	HWP_TPM = 256,
	HWP_BMC = 512,
	HWP_LLDP =
		1024, /* waits for the neighbours to speak, so it is not among HWP_ALL; brings HWP_NICS along */
	HWP_HOSTNAME = 2048,
	HWP_CLOCK = 4096, /* what the clocks say; only the full format and the text show it */
	HWP_ALL = 1023 | 2048 | 4096,
};

/* Flags of struct hwp_options. */
enum hwp_flag {
	HWP_NO_DEVICE_READ = 1, /* open no device node: bootable stays false, BMC addresses unset */
	HWP_NO_UDEV = 2,        /* ignore the udev database */
	HWP_NO_APPLIANCE = 4,   /* no special case for a dm device named agent* */
	HWP_SCRUB = 32,         /* hwp_record(): take out whose machine it is */
	HWP_EXPLAIN = 16,       /* remember for hwp_explain() what was tried */
	HWP_SMART = 64,         /* ask disks for their health: wakes up those that sleep */
	HWP_MORE =
		8, /* read also what only the full format shows and what costs more: CPU topology */
};

struct hwp_options {
	size_t size;         /* sizeof(struct hwp_options) as the caller knows it */
	const char *sysroot; /* NULL = the running machine; else the folder of a recorded machine */
	unsigned parts;      /* parts that hwp_probe(ctx, 0, …) takes; 0 = HWP_ALL */
	unsigned device_timeout_ms; /* longest wait for one device; 0 = 2000 */
	unsigned bmc_timeout_ms;    /* longest wait for the BMC; 0 = 5000 */
	unsigned total_timeout_ms;  /* budget of one hwp_probe() for device reads; 0 = 20000 */
	unsigned flags;             /* enum hwp_flag */
	uint64_t disk_min_bytes;    /* smaller disks are left out; 0 = none */
	const char *pci_ids;        /* PCI id database; NULL = where distributions put it */
	/* What went wrong and where, as it happens; may be NULL. @prio as in syslog(3). */
	void (*log)(void *data, int prio, const char *part, const char *msg);
	void *log_data;
	unsigned settle_ms;    /* longest wait for udev to finish with new devices; 0 = none */
	const char *gpu_rules; /* which PCI functions are GPUs; NULL = display and accelerators */
	unsigned lldp_timeout_ms; /* HWP_LLDP: longest wait for the neighbours; 0 = 30000 */
};

/* A value and where it came from. source == NULL: absent (s is NULL, v is 0). Strings are valid UTF-8. */
struct hwp_str {
	const char *s;
	const char *source;
};
struct hwp_num {
	int64_t v;
	const char *source;
};
struct hwp_real {
	double v;
	const char *source;
};
struct hwp_bool {
	bool v;
	const char *source;
};
struct hwp_strs {
	const char **v;
	size_t n;
	const char *source;
};

struct hwp_hugepages {
	struct hwp_num size_bytes, total, free, reserved, surplus;
};

struct hwp_numa_node {
	struct hwp_num id;
	struct hwp_str cpus; /* a list: "0-3,8" */
	struct hwp_num memory_bytes, memory_free_bytes;
	const struct hwp_hugepages *hugepages; /* of this node */
	size_t hugepages_count;
};

struct hwp_cpu {
	struct hwp_str architecture; /* x86_64, aarch64, ppc64le, s390x, … */
	struct hwp_num count;        /* logical CPUs, offline ones included */
	struct hwp_str model_name;
	struct hwp_real frequency_mhz;          /* highest */
	struct hwp_strs flags;                  /* of the first CPU, as the wire format has them */
	struct hwp_strs common_flags;           /* that all CPUs have */
	struct hwp_num sockets, cores, threads; /* of the online CPUs */
	struct hwp_num offline;
	struct hwp_str offline_cpus; /* a list: "2,6-7" */
	struct hwp_num numa_nodes;
	struct hwp_real base_mhz, max_mhz; /* what is promised; what boost may reach */
	const struct hwp_numa_node *numa;
	size_t numa_count;
};

/* A slot for a memory module, and what is in it. */
struct hwp_dimm {
	struct hwp_str locator, bank, type, manufacturer, part_number, serial_number;
	struct hwp_num size_bytes; /* 0 = empty */
	struct hwp_num speed_mts;
};

struct hwp_swap {
	struct hwp_str name, type; /* of the device or file; partition, file */
	struct hwp_num size_bytes, used_bytes, priority;
};

struct hwp_memory {
	struct hwp_num physical_bytes;
	struct hwp_str
		physical_bytes_method; /* dmidecode, ghw, meminfo: the names that the API fixes */
	struct hwp_num usable_bytes;
	/* beyond the wire format */
	struct hwp_num swap_bytes, default_hugepage_bytes;
	struct hwp_str error_correction;
	const struct hwp_dimm *dimms;
	size_t dimm_count;
	const struct hwp_hugepages *hugepages;
	size_t hugepages_count;
	const struct hwp_swap *swap;
	size_t swap_count;
};

struct hwp_boot {
	struct hwp_str current_boot_mode; /* bios, uefi */
	struct hwp_str pxe_interface;     /* value of BOOTIF=, verbatim */
	struct hwp_str command_line;      /* with its newline */
	struct hwp_str secure_boot_state; /* Unknown, NotSupported, Enabled, Disabled */
	struct hwp_str device_type;       /* persistent, ephemeral */
	/* beyond the wire format */
	struct hwp_str pxe_mac;          /* of the interface that the machine was booted from */
	struct hwp_str boot_entry;       /* what the firmware calls the entry that it booted */
	struct hwp_num boot_current;     /* number of that entry */
	struct hwp_str boot_uri;         /* from where it was booted by HTTP */
	struct hwp_bool setup_mode;      /* anybody may enrol keys for Secure Boot */
	struct hwp_bool shim_validation; /* false: shim was told to start what nobody signed */
};

struct hwp_vendor {
	struct hwp_str manufacturer, product_name, serial_number;
	struct hwp_bool is_virtual;
	struct hwp_str virtualization; /* kvm, vmware, …; zvm does not count as virtual */
	struct hwp_str uuid, sku, version, family;
	struct hwp_str board_vendor, board_name, board_version, board_serial, board_asset_tag;
	struct hwp_str chassis_vendor, chassis_type, chassis_serial, chassis_asset_tag;
	struct hwp_str firmware_vendor, firmware_version, firmware_date, firmware_release;
};

struct hwp_clock {
	struct hwp_num realtime_s; /* seconds since 1970, when the probe looked */
	struct hwp_bool synced;    /* the kernel was told that its clock is right */
	struct hwp_num max_error_us;
	struct hwp_num rtc_s; /* the clock that runs without the machine */
	struct hwp_str rtc_name;
};

/* Why a disk must not be installed on: a stable code, a sentence, and the value or file that says so. */
struct hwp_reason {
	const char *code, *text, *source;
};

struct hwp_partition {
	struct hwp_str name, type, uuid, label; /* type and uuid as the partition table has them */
	struct hwp_str fs_type, fs_uuid, fs_label;
	struct hwp_num number, start_bytes, size_bytes;
	struct hwp_strs mounts;
	struct hwp_str holders;
};

/* Something that stands on a disk or on one of its partitions, at any depth: dm, md, bcache. */
struct hwp_user {
	struct hwp_str name, label; /* "dm-0", "vg-root" */
	struct hwp_str on;          /* the device right below it: "sda3" */
	struct hwp_str kind;        /* lvm, crypt, multipath, partition, dm, md, bcache, ... */
	struct hwp_strs mounts;
	struct hwp_bool swap;
};

/* A way to the disk of a multipath map or of an NVMe namespace with native multipath. */
struct hwp_path {
	struct hwp_str name;       /* "sdb", "nvme0c1n1" */
	struct hwp_str controller; /* "nvme1", HCTL of a SCSI device */
	struct hwp_str transport, address, state, ana_state;
};

struct hwp_disk_boot {
	struct hwp_bool mbr_code;  /* LBA 0 starts with code, not with zeros */
	struct hwp_bool active;    /* a partition of the MBR is flagged active */
	struct hwp_bool esp;       /* there is an EFI system partition */
	struct hwp_bool bios_boot; /* there is a BIOS boot partition (GPT) */
	struct hwp_bool eltorito;  /* the ISO file system has a boot record */
};

struct hwp_nvme {
	struct hwp_str nqn, transport, ana_state, subsystem;
	struct hwp_num nsid;
};

struct hwp_fc {
	struct hwp_str host_wwpn, host_wwnn, host_state, host_speed;
	struct hwp_str target_wwpn, target_wwnn, target_state;
	struct hwp_num lun;
};

struct hwp_iscsi {
	struct hwp_str host_ip_address;
	struct hwp_str session, target, initiator, portal;
	struct hwp_bool is_boot_target; /* the firmware's iBFT names it */
};

struct hwp_dasd {
	struct hwp_str bus_id, discipline, uid, vendor, status;
	struct hwp_bool ese;
};

struct hwp_md {
	struct hwp_str level, metadata, state;
	struct hwp_num members, degraded;
	struct hwp_bool container; /* of firmware RAID: not a disk itself */
};

struct hwp_disk {
	struct hwp_str id; /* by_id, else by_path, else path */
	struct hwp_str name, path, by_id, by_path;
	struct hwp_str drive_type, vendor, model, serial, wwn, hctl;
	struct hwp_str holders; /* names joined by commas */
	struct hwp_num size_bytes;
	struct hwp_bool removable, bootable, is_installation_media, has_uuid;
	struct hwp_iscsi iscsi;
	const struct hwp_reason *reasons;
	size_t reason_count; /* 0 = eligible */
	/* beyond the wire format */
	const struct hwp_reason *warnings; /* what speaks against it, but does not forbid it */
	size_t warning_count;
	struct hwp_str model_full, vendor_full, drive_type_full, transport, firmware;
	struct hwp_str wwn_no_extension, wwn_vendor_extension;
	struct hwp_num logical_block_size, physical_block_size, diskseq, numa_node, rpm;
	struct hwp_num discard_max_bytes;
	struct hwp_bool rotational, read_only, hotplug, dax;
	struct hwp_str zoned;          /* none, host-aware, host-managed */
	struct hwp_str smart;          /* ok, failing; HWP_SMART only */
	struct hwp_bool id_conflict;   /* another disk has the same id */
	struct hwp_str id_stability;   /* "name" when nothing but its name tells it from others */
	struct hwp_bool uninitialized; /* udev has not finished with it */
	struct hwp_str fs_type, fs_uuid, fs_label, partition_table, partition_table_uuid;
	struct hwp_str pci_address;
	struct hwp_strs mounts; /* of the whole disk */
	struct hwp_disk_boot boot;
	struct hwp_nvme nvme;
	struct hwp_fc fc;
	struct hwp_dasd dasd;
	struct hwp_md md;
	struct hwp_str bcache; /* backing, cache */
	const struct hwp_path *paths;
	size_t path_count;
	const struct hwp_user *users;
	size_t user_count;
	const struct hwp_partition *partitions;
	size_t partition_count;
};

struct hwp_tpm {
	struct hwp_str version;            /* none, 1.2, 2.0 */
	struct hwp_bool is_without_driver; /* the firmware's tables name one, the kernel has none */
};

struct hwp_bmc {
	struct hwp_str address, v6address; /* 0.0.0.0 and ::/0 when there are none */
	/* beyond the wire format */
	struct hwp_num channel; /* of the address */
	struct hwp_str mac_address, netmask, gateway, address_source;
	struct hwp_num vlan_id;
	struct hwp_str interface;          /* KCS, SMIC, BT, SSIF, as SMBIOS says */
	struct hwp_bool is_without_driver; /* SMBIOS names one, the kernel has no device for it */
	struct hwp_strs redfish_addresses; /* of the Redfish host interface */
};

/* An address and its state. */
struct hwp_address {
	struct hwp_str address; /* with the prefix length that the kernel has */
	struct hwp_strs flags;  /* temporary, deprecated, tentative, dadfailed, permanent, … */
	struct hwp_num valid_s, preferred_s; /* absent = for ever */
	struct hwp_str
		protocol; /* who in the kernel made it: loopback, router-advertisement, link-local */
	struct hwp_str method;         /* static, dhcp4, dhcp6, slaac, ibft, link-local */
	struct hwp_num on_link_prefix; /* IPv6: of the route to its neighbours */
};

/* A virtual function as its physical one has set it up. */
struct hwp_vf {
	struct hwp_num index;
	struct hwp_str mac_address, pci_address, link_state; /* auto, enable, disable */
	struct hwp_num vlan_id;
	struct hwp_bool spoof_check, trusted;
};

/* What a neighbour says of itself (IEEE 802.1AB). */
struct hwp_lldp {
	struct hwp_str source_mac;
	struct hwp_str chassis_id, chassis_id_type, port_id, port_id_type;
	struct hwp_num ttl_s;
	struct hwp_str port_description, system_name, system_description;
	struct hwp_strs management_addresses, capabilities;
	struct hwp_num port_vlan_id, max_frame_bytes, link_aggregation_id;
};

struct hwp_nic {
	struct hwp_str name, mac_address, type;
	struct hwp_num ifindex, mtu, speed_mbps;
	struct hwp_bool has_carrier;
	struct hwp_strs flags, ipv4_addresses, ipv6_addresses;
	struct hwp_str vendor, product;
	struct hwp_str biosdevname; /* the name that the tool of this name would give */
	/* beyond the wire format */
	struct hwp_str permanent_mac, driver, firmware, master;
	struct hwp_strs members; /* whose master this is */
	struct hwp_strs alt_names;
	struct hwp_str bond_mode, bond_active, bond_primary;
	struct hwp_num bond_miimon_ms, bond_aggregator;
	struct hwp_str bond_partner_mac; /* 802.3ad: of the other end */
	struct hwp_num vlan_id;
	struct hwp_str vlan_protocol; /* 802.1Q, 802.1ad */
	struct hwp_str lower;         /* the interface below a VLAN, macvlan, … */
	struct hwp_bool bridge_vlan_filtering;
	struct hwp_num sriov_total, sriov_vfs;
	struct hwp_str sriov_pf; /* of a virtual function: PCI address of its physical one */
	struct hwp_num sriov_vf_index;
	const struct hwp_vf *vfs; /* of a physical function */
	size_t vf_count;
	struct hwp_str pci_address;
	struct hwp_str usb_vendor, usb_product; /* four hexadecimal digits */
	struct hwp_strs rdma;                   /* its RDMA devices */
	struct hwp_num numa_node;
	struct hwp_num speed_current_mbps; /* as ethtool says; absent when unknown */
	struct hwp_num speed_max_mbps;     /* the fastest mode that it supports */
	struct hwp_str duplex, port;       /* full, half; tp, fibre, da, … */
	struct hwp_str name_onboard, name_slot, name_path, name_mac; /* udev's names */
	struct hwp_num acpi_index, firmware_index;                   /* of ports on the board */
	struct hwp_bool uninitialized; /* udev has not worked on it yet */
	const struct hwp_address *addresses;
	size_t address_count;
	const struct hwp_lldp *lldp; /* HWP_LLDP: its neighbours */
	size_t lldp_count;
	struct hwp_bool has_link;  /* as its driver says, even while it is not up */
	struct hwp_str link_fault; /* why it has none: no cable, bad signal integrity, … */
};

/* One of several ways of a route. */
struct hwp_nexthop {
	struct hwp_str gateway, interface;
	struct hwp_num weight;
};

struct hwp_route {
	struct hwp_num family; /* AF_INET, AF_INET6 */
	struct hwp_str destination, gateway, interface;
	struct hwp_num metric;
	/* beyond the wire format */
	struct hwp_num prefixlen, protocol, table;
	struct hwp_str type, scope, source, preference; /* source: the address to send from */
	struct hwp_num nexthop_id, mtu, expires_s;
	const struct hwp_nexthop *nexthops; /* of routes with more than one way */
	size_t nexthop_count;
};

struct hwp_gpu {
	struct hwp_str address, vendor_id, device_id, vendor, name;
	/* beyond the wire format */
	struct hwp_str driver, subsystem_vendor_id, subsystem_device_id, physical_function;
	struct hwp_num numa_node, memory_bytes; /* its largest memory window */
	struct hwp_bool is_boot_display, is_virtual_function;
};

struct hwp_error {
	const char *part, *source;
	int err; /* positive errno */
	const char *detail;
};

/*
 * Opens the sources. @opt: NULL = the running machine, defaults.
 * Returns 0; -EXDEV when a link of a recorded tree leaves it (the log names the path); -EINVAL when @opt has no size; -ENOENT, -ENOTDIR,
 * -ENOMEM, … . Here and below arguments that must not be NULL are answered by -EINVAL, and a NULL inventory by NULL or 0.
 */
HWP_API int hwp_open(struct hwp_ctx **ret_ctx, const struct hwp_options *opt);
HWP_API void hwp_close(struct hwp_ctx *ctx);

/*
 * Takes a snapshot. @parts: 0 = those of the options; bits that this library does not know are left out (-EINVAL: no other is left).
 * Blocks at most for the time limits of the options.
 * Partial data is success: what could not be read is in hwp_errors(). -EXDEV: as in hwp_open(); -ENOMEM.
 */
HWP_API int hwp_probe(struct hwp_ctx *ctx, unsigned parts, struct hwp_inventory **ret_inv);
/*
 * As hwp_probe(), but what @last has besides @parts is taken over from it: after hwp_monitor_dispatch() only what changed is looked at. Of
 * parts taken over hwp_explain() tells the sources only. @last stays the caller's.
 */
HWP_API int hwp_refresh(struct hwp_ctx *ctx, struct hwp_inventory *last, unsigned parts,
			struct hwp_inventory **ret_inv);
/*
 * As hwp_probe(), and writes whatever was read into the empty folder @dirfd: a machine that .sysroot replays with the same result.
 * It holds serial numbers, addresses and the kernel command line as they are, unless the options have HWP_SCRUB: then each is replaced
 * by something of the same shape, and *ret_inv is what the record shows. Only of the running machine (-EINVAL). -ENOTEMPTY: the folder
 * is not empty.
 */
HWP_API int hwp_record(struct hwp_ctx *ctx, int dirfd, unsigned parts,
		       struct hwp_inventory **ret_inv);
HWP_API struct hwp_inventory *hwp_ref(struct hwp_inventory *inv);
HWP_API void hwp_unref(struct hwp_inventory *inv);

/* Everything below is owned by the inventory and valid until its last unref; NULL = the part was not asked for. */
HWP_API unsigned hwp_get_parts(const struct hwp_inventory *inv);
HWP_API const struct hwp_cpu *hwp_get_cpu(const struct hwp_inventory *inv);
HWP_API const struct hwp_memory *hwp_get_memory(const struct hwp_inventory *inv);
HWP_API const struct hwp_boot *hwp_get_boot(const struct hwp_inventory *inv);
HWP_API const struct hwp_vendor *hwp_get_system_vendor(const struct hwp_inventory *inv);
HWP_API const struct hwp_clock *hwp_get_clock(const struct hwp_inventory *inv);
HWP_API const char *hwp_get_hostname(const struct hwp_inventory *inv);
HWP_API const char *hwp_get_tpm_version(const struct hwp_inventory *inv);
HWP_API const char *hwp_get_bmc_address(const struct hwp_inventory *inv,
					int family); /* AF_INET, AF_INET6 */
HWP_API const struct hwp_tpm *hwp_get_tpm(const struct hwp_inventory *inv);
HWP_API const struct hwp_bmc *hwp_get_bmc(const struct hwp_inventory *inv);
/* Sources that are not there at all, so that values are missing or second best: "udev". */
HWP_API const struct hwp_strs *hwp_get_degraded(const struct hwp_inventory *inv);
HWP_API size_t hwp_disk_count(const struct hwp_inventory *inv);
HWP_API const struct hwp_disk *hwp_disk_at(const struct hwp_inventory *inv, size_t i);
HWP_API const struct hwp_disk *hwp_disk_find(const struct hwp_inventory *inv,
					     const char *id_or_path);
HWP_API size_t hwp_nic_count(const struct hwp_inventory *inv);
HWP_API const struct hwp_nic *hwp_nic_at(const struct hwp_inventory *inv, size_t i);
HWP_API size_t hwp_route_count(const struct hwp_inventory *inv);
HWP_API const struct hwp_route *hwp_route_at(const struct hwp_inventory *inv, size_t i);
HWP_API size_t hwp_gpu_count(const struct hwp_inventory *inv);
HWP_API const struct hwp_gpu *hwp_gpu_at(const struct hwp_inventory *inv, size_t i);
/* Is this what firmware says instead of a name or a number: "To Be Filled By O.E.M.", "Default string", "0000000000"? NULL and "" are not. */
HWP_API bool hwp_is_placeholder(const char *text);
HWP_API size_t hwp_errors(const struct hwp_inventory *inv, const struct hwp_error **ret_errors);

enum hwp_format {
	HWP_JSON_ASSISTED, /* the inventory object of the assisted-install API */
	HWP_JSON_FULL,     /* everything, each value with its source, and errors[] */
	HWP_TEXT,          /* for people: hwp_to_text() without a width */
};

/*
 * Renders; the caller free()s. @max_bytes: 0 = no limit; a longer HWP_JSON_ASSISTED document is cut by the truncation contract
 * (ineligible disks first; at worst {"truncation":{"type":"full",…}}), the other formats are not cut. NULL = no memory.
 */
HWP_API char *hwp_to_json(const struct hwp_inventory *inv, enum hwp_format format,
			  size_t max_bytes);
/*
 * hwp_to_json() into @sink, in pieces of whatever size; it returns 0 to go on, else what hwp_write() shall return. 0; -ENOMEM.
 */
HWP_API int hwp_write(const struct hwp_inventory *inv, enum hwp_format format, size_t max_bytes,
		      int (*sink)(void *data, const void *bytes, size_t len), void *data);
/* For people: sections, totals, lines wrapped at @width columns (0 = not). The caller free()s. NULL = no memory. */
HWP_API char *hwp_to_text(const struct hwp_inventory *inv, unsigned width);

/*
 * Says where a value came from and what was tried before, as text. @path: "disks.sda.serial", "disks[0].serial", "cpu",
 * "interfaces.bond0.100.mtu", "cpu.flags[3]", "disks[0].installation_eligibility": keys as in both JSON formats; an object or a
 * list stands for all its values, an empty one for what was looked at. The inventory must have been taken with HWP_EXPLAIN,
 * otherwise only the sources are told. The caller free()s *ret_text. -ENOENT: there is no such value.
 */
HWP_API int hwp_explain(const struct hwp_inventory *inv, const char *path, char **ret_text);
/*
 * After -ENOENT: a sentence that says why there is no such value, and the paths nearest to it, separated by ", ". The caller
 * free()s both. -EEXIST: there is such a value; -ENOMEM.
 */
HWP_API int hwp_explain_missing(const struct hwp_inventory *inv, const char *path, char **ret_why,
				char **ret_near);

/* Which parts differ; parts that only one of the two has count as different. Returns 1 when any, 0 none, -ENOMEM. */
HWP_API int hwp_diff(const struct hwp_inventory *a, const struct hwp_inventory *b,
		     unsigned *ret_changed_parts);

/*
 * Changes of the running machine (-EINVAL otherwise), from udev (from the kernel itself where no udev runs) and rtnetlink.
 * @parts: those of interest; 0 = those of the options. Wait for the descriptor to become readable, then dispatch: it never
 * blocks, and returns 1 with the parts that may have changed, 0 when none has. hwp_monitor_refresh() and hwp_diff() tell what really did.
 * The context stays open as long as the monitor.
 */
HWP_API int hwp_monitor_open(struct hwp_ctx *ctx, unsigned parts, struct hwp_monitor **ret_monitor);
HWP_API int hwp_monitor_fd(const struct hwp_monitor *monitor);
HWP_API int hwp_monitor_dispatch(struct hwp_monitor *monitor, unsigned *ret_changed_parts);
/*
 * Looks again at what hwp_monitor_dispatch() has told since the last call, at single disks where only those have changed, and at @more
 * parts in any case. The rest is taken over from @last: a snapshot of the monitor's context, taken after the monitor was opened and no
 * older than the last one from here; it stays the caller's. Errors as of hwp_probe(); after one the next call looks at the same again.
 */
HWP_API int hwp_monitor_refresh(struct hwp_monitor *monitor, struct hwp_inventory *last,
				unsigned more, struct hwp_inventory **ret_inv);
HWP_API void hwp_monitor_close(struct hwp_monitor *monitor);

#ifdef __cplusplus
}
#endif
