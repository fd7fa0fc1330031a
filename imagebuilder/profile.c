#include "imagebuilder/profile.h"

#include <stddef.h>
#include <string.h>

/* What every machine needs: buses, file systems of boot media and of installed systems, firmware interfaces. */
static const char *const base_modules[] = {
	/* disks */
	"nvme",
	"ahci",
	"ata_piix",
	"ata_generic",
	"sd_mod",
	"sr_mod",
	"usb_storage",
	"uas",
	/* USB, and a keyboard for the console */
	"xhci_pci",
	"ehci_pci",
	"uhci_hcd",
	"ohci_pci",
	"usbhid",
	"hid_generic",
	"atkbd",
	"i8042",
	/* file systems of installed systems, and what mounting them asks the kernel for */
	"isofs",
	"vfat",
	"ext4",
	"xfs",
	"loop",
	"nls_cp437",
	"nls_ascii",
	"nls_utf8",
	"nls_iso8859-1",
	"crc32c_generic",
	"crc32c_intel",
	/* firmware */
	"efivarfs",
	"qemu_fw_cfg",
	"dmi_sysfs",
	"rtc_cmos",
	/* networks behind a VLAN or a bond */
	"8021q",
	"bonding",
	"af_packet",
	"ipv6",
	NULL,
};

static const char *const virt_modules[] = {
	"virtio_pci",     "virtio_mmio",    "virtio_net", "virtio_blk", "virtio_scsi", "virtio_rng",
	"virtio_console", "virtio_balloon", "e1000",      "e1000e",     "igb",         "8139cp",
	"vmxnet3",        "vmw_pvscsi",     "mptspi",     "hv_vmbus",   "hv_netvsc",   "hv_storvsc",
	"xen_netfront",   "xen_blkfront",   "ena",        "gve",        "i6300esb",    NULL,
};

static const char *const server_nics[] = {
	"igb",          "igc",      "ixgbe", "ixgbevf", "i40e",  "iavf",      "ice",
	"e1000e",       "bnxt_en",  "bnx2",  "bnx2x",   "tg3",   "be2net",    "mlx4_en",
	"mlx5_core",    "mlxfw",    "qede",  "qlcnic",  "cxgb4", "sfc",       "enic",
	"r8169",        "atlantic", "hinic", "ionic",   "sky2",  "forcedeth", "cdc_ether",
	"ax88179_178a", "r8152",    NULL,
};

/* No fabrics (iSCSI, NVMe over TCP or RDMA): nothing in the discovery system configures them. */
static const char *const server_storage[] = {
	"megaraid_sas", "mpt3sas",     "mpi3mr",  "mptsas",    "smartpqi",  "hpsa",
	"aacraid",      "arcmsr",      "3w_9xxx", "3w_sas",    "isci",      "mvsas",
	"pm80xx",       "lpfc",        "qla2xxx", "fnic",      "snic",      "ses",
	"sg",           "st",          "vmd",     "sdhci_pci", "mmc_block", "scsi_dh_alua",
	"scsi_dh_rdac", "scsi_dh_emc", NULL,
};

static const char *const server_management[] = {
	"ipmi_si", "ipmi_devintf", "ipmi_ssif", "tpm_tis", "tpm_crb", "i2c_i801", NULL,
};

/*
 * They guard the reboot, and a reset ends them. Not ipmi_watchdog: a BMC's counts on through the
 * reset and could cut off the first start of the installed system.
 */
static const char *const server_watchdogs[] = {
	"iTCO_wdt",
	"sp5100_tco",
	"lpc_ich",
	NULL,
};

static const char *const *const virt_lists[] = { base_modules, virt_modules, NULL };
static const char *const *const server_lists[] = {
	base_modules,      virt_modules,     server_nics, server_storage,
	server_management, server_watchdogs, NULL,
};

static const struct profile profile_virt = {
	.name = "virt",
	.help = "virtual machines: virtio, NVMe, SATA, common emulated network cards",
	.lists = virt_lists,
};
static const struct profile profile_server = {
	.name = "server",
	.help = "virtual machines and servers: network cards, host bus adapters, IPMI, TPM",
	.lists = server_lists,
};

const struct profile *const profiles[] = { &profile_server, &profile_virt, NULL };

const struct profile *profile_find(const char *name)
{
	if (!name)
		return &profile_server;
	for (size_t i = 0; profiles[i]; i++)
		if (strcmp(profiles[i]->name, name) == 0)
			return profiles[i];
	return NULL;
}
