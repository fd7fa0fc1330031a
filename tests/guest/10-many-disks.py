#!/usr/bin/env python3
"""
A guest with 64 SCSI and 4 NVMe disks (some with sectors of 4096 bytes), two sockets, two NUMA nodes, an offline CPU; disks and interfaces come and go.
usage: 10-many-disks.py [--figures]    --figures measures what the inventory costs, too, and prints JSON lines (tests/bench/run)
"""

import json
import re
import sys

import compare
import machine

GIB = 1 << 30
FIGURES = "--figures" in sys.argv[1:]
HOT_SERIAL, HOT_MAC = "HOTPLUGGED0100", "52:54:00:00:00:99"


def scsi_disk(n):
    size = 40 * GIB + n * (1 << 20)
    device = "scsi-hd,bus=scsi%d.0,scsi-id=%d,drive=d%d,serial=SN%06d" % (n // 32, n % 32, n, n)
    if n % 4 != 3:
        device += ",wwn=0x5000c500%08x" % n
    if n % 8 == 1:
        device += ",logical_block_size=4096,physical_block_size=4096"
    if n % 8 == 2:
        device += ",logical_block_size=512,physical_block_size=4096"
    if n % 2:
        device += ",rotation_rate=1"
    return ["-blockdev", "driver=null-co,read-zeroes=on,node-name=d%d,size=%d" % (n, size), "-device", device]


def arguments():
    args = ["-object", "memory-backend-ram,id=m0,size=512M", "-object", "memory-backend-ram,id=m1,size=512M",
            "-numa", "node,nodeid=0,cpus=0-1,memdev=m0", "-numa", "node,nodeid=1,cpus=2-3,memdev=m1",
            "-smbios", "type=1,manufacturer=Example,product=Rack 68,serial=RACK-0001,uuid=2f7b1f52-6c0e-4d4b-9a53-0d5a3f0e6801",
            "-device", "virtio-scsi-pci,id=scsi0", "-device", "virtio-scsi-pci,id=scsi1",
            "-device", "pcie-root-port,id=hot0,chassis=1,slot=1"]
    for n in range(64):
        args += scsi_disk(n)
    for n in range(4):
        args += ["-blockdev", "driver=null-co,read-zeroes=on,node-name=n%d,size=%d" % (n, (n + 1) * 100 * GIB)]
        namespace = "drive=n%d" % n if n < 3 else ""
        args += ["-device", ",".join(p for p in ("nvme,id=nvme%d,serial=NVME%04d" % (n, n), namespace) if p)]
    args += ["-device", "nvme-ns,bus=nvme3,drive=n3,nsid=7,logical_block_size=4096,physical_block_size=4096"]
    args += ["-device", "scsi-cd,bus=scsi1.0,scsi-id=60"]
    for n in range(2):
        args += ["-netdev", "user,id=net%d,restrict=on" % n, "-device", "%s,netdev=net%d,mac=52:54:00:00:00:0%d" % (("virtio-net-pci", "e1000e")[n], n, n + 1)]
    return args


def prepare(m):
    m.judged += ("trace.", "calls.", "calls-read.")  # so slow that time limits strike


# --- what was read, for a program that merely reads it ---

OPENED = re.compile(r'open(?:at2?)?\(.*(?P<flags>O_\w+[|\w]*).* = \d+<(?P<path>[^>]*)>')
LINK = re.compile(r'readlink(?:at)?\((?:\d+<(?P<at>[^>]*)>|AT_FDCWD<[^>]*>), "(?P<path>[^"]*)".* = \d+$')


def inputs(m, words):
    """What slipway-hwprobe has opened of sysfs, procfs, the udev database and disks, in its order, each once."""
    found = {}
    for line in m.text("trace").splitlines():
        opened, link = OPENED.search(line), LINK.search(line)
        if opened and re.match("/dev/(sd|nvme)", opened["path"]):
            found["b " + opened["path"]] = 1
        elif opened and opened["path"].startswith(("/sys/", "/proc/", "/run/")):
            found["%s %s" % ("d" if "O_DIRECTORY" in opened["flags"] else "f", opened["path"])] = 1
        elif link:
            found["l %s" % (link["path"] if link["path"].startswith("/") else "%s/%s" % (link["at"], link["path"]))] = 1
    (m.dir / "out/inputs").write_text("".join(p + "\n" for p in found))


def calls(m, name):
    """The total of strace -c."""
    return int(re.search(r"^ *(\d+) +total$", m.text(name), re.M)[1])


def figures(m):
    what = "guest with 68 disks, software emulation"
    return compare.latencies(m, what, (("disk", has_disk), ("nic", has_nic))) + (costs(m, what) if FIGURES else [])


def least(m, name):
    """Of each figure the least of all rounds."""
    rounds = [json.loads(path.read_text()) for path in (m.dir / "out").glob("cost-%s-*.json" % name)]
    return {key: min(r[key] for r in rounds) for key in rounds[0]}


def costs(m, what):
    probe, read, start, lsblk = (least(m, name) for name in ("probe", "read", "start", "lsblk"))
    return [("guest_inventory_calls", calls(m, "calls"), "count", what), ("guest_read_calls", calls(m, "calls-read"), "count", what + ", merely reading the same"),
            ("guest_inventory_cpu", probe["cpu_s"] * 1000, "ms", what), ("guest_read_cpu", read["cpu_s"] * 1000, "ms", what + ", merely reading the same"),
            ("guest_inventory_user", probe["user_s"] * 1000, "ms", what + ", outside the kernel"),
            ("guest_start_cpu", start["cpu_s"] * 1000, "ms", what + ", a start that does nothing"),
            ("guest_lsblk_cpu", lsblk["cpu_s"] * 1000, "ms", what + ", lsblk -J -O"), ("guest_inventory_wall", probe["wall_s"] * 1000, "ms", what),
            ("guest_read_wall", read["wall_s"] * 1000, "ms", what + ", merely reading the same"), ("guest_inventory_rss", probe["rss_kib"], "KiB", what)]


# --- things that come and go ---

def plug_disk(m, words):
    m.qmp.execute("blockdev-add", **{"driver": "null-co", "read-zeroes": True, "node-name": "hot", "size": 7 * GIB})
    m.qmp.execute("device_add", **{"driver": "scsi-hd", "id": "hotdisk", "bus": "scsi0.0", "scsi-id": 100, "drive": "hot", "serial": HOT_SERIAL})


def plug_nic(m, words):
    m.qmp.execute("netdev_add", type="user", id="hotnet", restrict=True)
    m.qmp.execute("device_add", driver="virtio-net-pci", id="hotnic", bus="hot0", netdev="hotnet", mac=HOT_MAC)


STEPS = {
    "inputs": inputs, "plug-disk": plug_disk, "plug-nic": plug_nic,
    "unplug-disk": lambda m, words: m.qmp.execute("device_del", id="hotdisk"),
    "unplug-nic": lambda m, words: m.qmp.execute("device_del", id="hotnic"),
}


def has_disk(inventory):
    return any(d.get("serial") == HOT_SERIAL for d in inventory["disks"])


def has_nic(inventory):
    return any(i.get("mac_address") == HOT_MAC for i in inventory["interfaces"])


def comes_and_goes(m, has, part):
    """Not there, there, not there: each change is told once it is a change, and names its part."""
    seen, last = [], None
    for _, line in compare.watched(m):
        if has(line["inventory"]) != last:
            last = has(line["inventory"])
            seen.append((last, part in line["changed"]))
    return compare.differences(part, [("being there, and whether the line says what changed", seen, [(False, True), (True, True), (False, True)])])


def hot_disk_is_whole(m):
    """The first line with the disk has all of it: udev had worked on it."""
    line = next(line for _, line in compare.watched(m) if has_disk(line["inventory"]))
    disk = next(d for d in line["inventory"]["disks"] if d.get("serial") == HOT_SERIAL)
    return compare.differences("the new disk", [("size_bytes", disk["size_bytes"], 7 * GIB), ("model", disk.get("model"), "QEMU_HARDDISK"),
                                                ("by_path", bool(disk.get("by_path")), True), ("name", disk["name"], m.text("hot-disk").strip())])


def no_line_without_change(m):
    lines = [json.dumps(line["inventory"], sort_keys=True) for _, line in compare.watched(m)]
    return ["line %d says what line %d said" % (i + 1, i) for i in range(1, len(lines)) if lines[i] == lines[i - 1]]


def machine_is_what_was_asked(m):
    wire = m.json("assisted.json")
    kinds = [d["drive_type"] for d in wire["disks"]]
    full = {compare.value(d, "name"): d for d in m.json("full.json")["disks"]}
    sizes = sorted(d["size_bytes"] for d in wire["disks"] if d["drive_type"] != "ODD")
    wanted = sorted([40 * GIB + n * (1 << 20) for n in range(64)] + [n * 100 * GIB for n in range(1, 5)])
    sectors = sorted(compare.value(d, "logical_block_size") for n, d in full.items() if not n.startswith("sr"))
    return compare.differences("inventory", [
        ("disk sizes", sizes, wanted), ("HDD", kinds.count("HDD"), 32), ("SSD", kinds.count("SSD"), 36), ("ODD", kinds.count("ODD"), 1),
        ("sectors of 4096 bytes", sectors.count(4096), 9), ("sectors of 512 bytes", sectors.count(512), 59),
        ("eligible", sum(d["installation_eligibility"].get("eligible", False) for d in wire["disks"]), 68),
        ("serial of the machine", wire["system_vendor"]["serial_number"], "RACK-0001"), ("CPUs", wire["cpu"]["count"], 4),
        ("physical_bytes", wire["memory"]["physical_bytes"], GIB),
    ])


def checks(tests, m):
    tests.run("the machine is what QEMU was asked for", machine_is_what_was_asked, m)
    compare.all_of(tests, m)
    tests.run("a disk comes and goes", comes_and_goes, m, has_disk, "disks")
    tests.run("an interface comes and goes", comes_and_goes, m, has_nic, "interfaces")
    tests.run("a new disk is told when it is whole", hot_disk_is_whole, m)
    tests.run("no line without a change", no_line_without_change, m)
    compare.print_figures(figures(m), FIGURES)


if __name__ == "__main__":
    tests = machine.Tests()
    compare.guest(tests, "10-many-disks", checks, arguments(), STEPS, prepare=prepare, cpus="4,sockets=2,cores=2,threads=1",
                  words="nompath" + (" slipway.figures" if FIGURES else ""), seconds=540 if FIGURES else 300)
    sys.exit(tests.end())
