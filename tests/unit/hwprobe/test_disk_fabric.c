/* How disks are reached: Fibre Channel, iSCSI, NVMe with one and with several paths, multipath maps, DASD. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/disks.h"

/* A disk at sys/devices/@place/block/@name with its link in sys/block. */
static void place_disk(struct tree *t, const char *name, const char *place, const char *device)
{
	char path[256], target[256];
	snprintf(path, sizeof(path), "sys/devices/%s/%s/size", place, name);
	tree_file(t, path, "2048\n");
	snprintf(path, sizeof(path), "sys/block/%s", name);
	snprintf(target, sizeof(target), "../devices/%s/%s", place, name);
	tree_link(t, path, target);
	snprintf(path, sizeof(path), "sys/devices/%s/%s/device", place, name);
	tree_link(t, path, device);
}

#define FC "pci0000:00/0000:00:02.0/host1/rport-1:0-2/target1:0:0/1:0:0:7"

static void test_fc(void **state)
{
	struct tree t;
	tree_init(&t);
	place_disk(&t, "sda", FC "/block", "../..");
	tree_files(&t, "sys/devices/" FC "/scsi_device/1:0:0:7/x", "",
		   "sys/class/fc_host/host1/port_name", "0x10000090fa5c1234\n",
		   "sys/class/fc_host/host1/node_name", "0x20000090fa5c1234\n",
		   "sys/class/fc_host/host1/port_state", "Online\n",
		   "sys/class/fc_host/host1/speed", "16 Gbit\n",
		   "sys/class/fc_remote_ports/rport-1:0-2/port_name", "0x500507680b21ac8d\n",
		   "sys/class/fc_remote_ports/rport-1:0-2/node_name", "0x500507680b00ac8d\n",
		   "sys/class/fc_remote_ports/rport-1:0-2/port_state", "Online\n", NULL);
	struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
	const struct hwp_disk *d = disk(inv, "sda");
	assert_string_equal(d->transport.s, "fc");
	assert_string_equal(d->fc.host_wwpn.s, "0x10000090fa5c1234");
	assert_string_equal(d->fc.host_wwnn.s, "0x20000090fa5c1234");
	assert_string_equal(d->fc.host_state.s, "Online");
	assert_string_equal(d->fc.host_speed.s, "16 Gbit");
	assert_string_equal(d->fc.target_wwpn.s, "0x500507680b21ac8d");
	assert_string_equal(d->fc.target_wwpn.source,
			    "sys/class/fc_remote_ports/rport-1:0-2/port_name");
	assert_string_equal(d->fc.target_wwnn.s, "0x500507680b00ac8d");
	assert_string_equal(d->fc.target_state.s, "Online");
	assert_int_equal(d->fc.lun.v, 7);
	assert_null(d->iscsi.session.s);
	hwp_unref(inv);
	/* The wire format has none of it. */
	inv = tree_probe(&t, HWP_DISKS);
	assert_null(disk(inv, "sda")->fc.host_wwpn.s);
	hwp_unref(inv);
	tree_done(&t);
}

static void test_iscsi(void **state)
{
	static const struct {
		const char *address, *portal;
	} tests[] = { { "192.0.2.1\n", "192.0.2.1:3260" },
		      { "2001:db8::1\n", "[2001:db8::1]:3260" },
		      { NULL, NULL } };
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		tree_init(&t);
		place_disk(&t, "sdb", "platform/host2/session4/target2:0:0/2:0:0:1/block", "../..");
		tree_files(&t, "sys/class/iscsi_session/session4/targetname", "iqn.a\n",
			   "sys/class/iscsi_session/session4/initiatorname", "iqn.me\n",
			   "sys/class/iscsi_connection/connection4:0/persistent_port", "3260\n",
			   "sys/firmware/ibft/target0/target-name", "iqn.a\n", NULL);
		if (tests[i].address)
			tree_file(&t, "sys/class/iscsi_connection/connection4:0/persistent_address",
				  tests[i].address);
		struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
		const struct hwp_iscsi *s = &disk(inv, "sdb")->iscsi;
		assert_string_equal(s->session.s, "session4");
		assert_string_equal(s->target.s, "iqn.a");
		assert_string_equal(s->initiator.s, "iqn.me");
		assert_true(s->is_boot_target.v);
		assert_int_equal(!s->portal.s, !tests[i].portal);
		if (tests[i].portal)
			assert_string_equal(s->portal.s, tests[i].portal);
		hwp_unref(inv);
		tree_done(&t);
	}
}

#define SUBSYSTEM "virtual/nvme-subsystem/nvme-subsys3"
#define CONTROLLER(n) "pci0000:5d/0000:5d:0" n ".0/nvme/nvme" n

/* One namespace over two controllers; another namespace's path does not belong to it. */
static void test_nvme_paths(void **state)
{
	struct tree t;
	tree_init(&t);
	place_disk(&t, "nvme3n1", SUBSYSTEM, "../../nvme-subsys3");
	place_disk(&t, "nvme3c0n1", CONTROLLER("0"), "../../nvme0");
	place_disk(&t, "nvme3c1n1", CONTROLLER("1"), "../../nvme1");
	place_disk(&t, "nvme3c1n2", CONTROLLER("1"), "../../nvme1");
	tree_files(&t, "sys/devices/" SUBSYSTEM "/subsysnqn", "nqn.x:3\n",
		   "sys/devices/" SUBSYSTEM "/nvme3n1/nsid", "17\n",
		   "sys/devices/" CONTROLLER("0") "/transport", "pcie\n",
		   "sys/devices/" CONTROLLER("0") "/address", "0000:5d:00.0\n",
		   "sys/devices/" CONTROLLER("0") "/state", "live\n",
		   "sys/devices/" CONTROLLER("0") "/nvme3c0n1/ana_state", "inaccessible\n",
		   "sys/devices/" CONTROLLER("0") "/nvme3c0n1/hidden", "1\n",
		   "sys/devices/" CONTROLLER("1") "/transport", "pcie\n",
		   "sys/devices/" CONTROLLER("1") "/state", "connecting\n",
		   "sys/devices/" CONTROLLER("1") "/nvme3c1n1/ana_state", "persistent-loss\n",
		   "sys/devices/" CONTROLLER("1") "/nvme3c1n1/hidden", "1\n",
		   "sys/devices/" CONTROLLER("1") "/nvme3c1n2/hidden", "1\n", NULL);
	struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
	assert_int_equal(hwp_disk_count(inv), 1);
	const struct hwp_disk *d = disk(inv, "nvme3n1");
	assert_string_equal(d->nvme.nqn.s, "nqn.x:3");
	assert_int_equal(d->nvme.nsid.v, 17);
	assert_string_equal(d->nvme.subsystem.s, "nvme-subsys3");
	assert_string_equal(d->nvme.transport.s, "pcie");
	assert_int_equal(d->path_count, 2);
	assert_string_equal(d->paths[0].name.s, "nvme3c0n1");
	assert_string_equal(d->paths[0].controller.s, "nvme0");
	assert_string_equal(d->paths[0].address.s, "0000:5d:00.0");
	assert_string_equal(d->paths[0].ana_state.s, "inaccessible");
	assert_string_equal(d->nvme.ana_state.s, "inaccessible");
	assert_string_equal(d->paths[1].state.s, "connecting");
	assert_null(d->paths[1].address.s);
	assert_int_equal(d->warning_count, 1);
	assert_string_equal(d->warnings[0].code, "ana-inaccessible");
	hwp_unref(inv);
	/* One good path is enough, when it is up. */
	tree_file(&t, "sys/devices/" CONTROLLER("1") "/nvme3c1n1/ana_state", "non-optimized\n");
	inv = probe_more(&t, HWP_DISKS);
	assert_int_equal(disk(inv, "nvme3n1")->warning_count, 1);
	hwp_unref(inv);
	tree_file(&t, "sys/devices/" CONTROLLER("1") "/state", "live\n");
	inv = probe_more(&t, HWP_DISKS);
	assert_int_equal(disk(inv, "nvme3n1")->warning_count, 0);
	assert_string_equal(disk(inv, "nvme3n1")->nvme.ana_state.s, "non-optimized");
	hwp_unref(inv);
	/* Of several good ones the best. */
	tree_file(&t, "sys/devices/" CONTROLLER("0") "/nvme3c0n1/ana_state", "optimized\n");
	inv = probe_more(&t, HWP_DISKS);
	assert_string_equal(disk(inv, "nvme3n1")->nvme.ana_state.s, "optimized");
	hwp_unref(inv);
	tree_done(&t);
}

static void test_nvme_alone(void **state)
{
	struct tree t;
	tree_init(&t);
	place_disk(&t, "nvme2n1", CONTROLLER("2"), "../../nvme2");
	tree_files(&t, "sys/devices/" CONTROLLER("2") "/transport", "pcie\n",
		   "sys/devices/" CONTROLLER("2") "/subsysnqn", "nqn.y\n",
		   "sys/devices/" CONTROLLER("2") "/nvme2n1/nsid", "1\n",
		   "sys/class/nvme-subsystem/nvme-subsys0/nvme0/x", "",
		   "sys/class/nvme-subsystem/nvme-subsys1/nvme2/x", "", NULL);
	struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
	const struct hwp_disk *d = disk(inv, "nvme2n1");
	assert_string_equal(d->nvme.subsystem.s, "nvme-subsys1");
	assert_string_equal(d->nvme.subsystem.source, "sys/class/nvme-subsystem");
	assert_string_equal(d->nvme.transport.s, "pcie");
	assert_string_equal(d->nvme.nqn.s, "nqn.y");
	assert_int_equal(d->path_count, 0);
	hwp_unref(inv);
	tree_done(&t);
}

static void test_multipath(void **state)
{
	struct tree t;
	tree_init(&t);
	place_disk(&t, "sda", FC "/block", "../..");
	tree_files(&t, "sys/devices/" FC "/scsi_device/1:0:0:7/x", "", "sys/devices/" FC "/state",
		   "running\n", "sys/devices/" FC "/access_state", "active/optimized\n",
		   "sys/class/fc_remote_ports/rport-1:0-2/port_name", "0x500507680b21ac8d\n",
		   "sys/block/dm-0/size", "2048", "sys/block/dm-0/dm/uuid", "mpath-3600\n",
		   "sys/block/dm-0/slaves/sda/x", "", "sys/block/dm-0/slaves/sdz/x", "", NULL);
	struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
	const struct hwp_disk *d = disk(inv, "dm-0");
	assert_int_equal(d->path_count, 1); /* sdz is gone */
	assert_string_equal(d->paths[0].name.s, "sda");
	assert_string_equal(d->paths[0].controller.s, "1:0:0:7");
	assert_string_equal(d->paths[0].transport.s, "fc");
	assert_string_equal(d->paths[0].state.s, "running");
	assert_string_equal(d->paths[0].ana_state.s, "active/optimized");
	assert_string_equal(d->paths[0].address.s, "0x500507680b21ac8d");
	assert_int_equal(d->warning_count, 0);
	hwp_unref(inv);
	/* ALUA has words of its own for what NVMe calls ANA states. */
	static const struct {
		const char *access, *state, *code;
	} paths[] = {
		{ "active/non-optimized\n", "running\n", NULL },
		{ "standby\n", "running\n", "ana-inaccessible" },
		{ "active/optimized\n", "transport-offline\n", "no-path" },
		{ "standby\n", "offline\n", "no-path" },
	};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		tree_files(&t, "sys/devices/" FC "/access_state", paths[i].access,
			   "sys/devices/" FC "/state", paths[i].state, NULL);
		assert_int_equal(
			tree_try(&t,
				 (struct hwp_options){ .parts = HWP_DISKS,
						       .flags = HWP_MORE | HWP_NO_DEVICE_READ },
				 &inv),
			0);
		d = disk(inv, "dm-0");
		assert_int_equal(d->warning_count, paths[i].code != NULL);
		if (paths[i].code)
			assert_string_equal(d->warnings[0].code, paths[i].code);
		hwp_unref(inv);
	}
	tree_done(&t);
}

#define CCW "css0/0.0.0000/0.0.0201"

static void test_dasd(void **state)
{
	struct tree t;
	tree_init(&t);
	place_disk(&t, "dasda", CCW "/block", "../..");
	tree_files(&t, "sys/devices/" CCW "/discipline", "ECKD\n", "sys/devices/" CCW "/ese", "0\n",
		   "sys/devices/" CCW "/vendor", "IBM\n", "sys/devices/" CCW "/status", "online\n",
		   "sys/devices/" CCW "/uid", "IBM.750000000DXY71.2a00.0e\n", NULL);
	struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
	const struct hwp_dasd *d = &disk(inv, "dasda")->dasd;
	assert_string_equal(d->bus_id.s, "0.0.0201");
	assert_string_equal(d->discipline.s, "ECKD");
	assert_string_equal(d->vendor.s, "IBM");
	assert_string_equal(d->status.s, "online");
	assert_string_equal(d->uid.s, "IBM.750000000DXY71.2a00.0e");
	assert_false(d->ese.v);
	assert_non_null(d->ese.source);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fc),         cmocka_unit_test(test_iscsi),
		cmocka_unit_test(test_nvme_paths), cmocka_unit_test(test_nvme_alone),
		cmocka_unit_test(test_multipath),  cmocka_unit_test(test_dasd),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
