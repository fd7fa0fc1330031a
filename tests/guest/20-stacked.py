#!/usr/bin/env python3
"""
A guest with software RAID, LVM, dm-crypt, dm-multipath (two ways to one disk), bonds, VLANs, a bridge, routes, a BMC and a TPM 1.2; a suspended device;
and the agent taking apart what stands on the disk that it is to install.
"""

import sys

import compare
import machine

SIZE = 160 << 20
# Their serial numbers are these names and TAIL.
TAIL = "Q7731X"
DISKS = ("MD0", "MD1", "MDALONE", "LVM0", "SPAN0", "SPAN1", "CRYPT", "PLAIN")
BMC_ADDRESS = "192.0.2.77"
TIMEOUT_S = 4


def disks(m):
    """Sparse files: what is put on these disks must be there again when it is read."""
    args = ["-device", "virtio-scsi-pci,id=scsi0", "-device", "virtio-scsi-pci,id=scsi1"]
    for n, serial in enumerate((*DISKS, "PATH0")):
        image = m.dir / (serial + ".raw")
        with open(image, "wb") as f:
            f.truncate(SIZE)
        args += ["-blockdev", "driver=file,filename=%s,node-name=%s,locking=off" % (image, serial)]
        args += ["-device", "scsi-hd,bus=scsi0.0,scsi-id=%d,drive=%s,serial=%s,wwn=0x5000c5000000%04x,share-rw=on" % (n, serial, serial + TAIL, n)]
    # The second way to the last disk: the same file, the same names, another adapter.
    args += ["-blockdev", "driver=file,filename=%s,node-name=again,locking=off" % (m.dir / "PATH0.raw")]
    args += ["-device", "scsi-hd,bus=scsi1.0,scsi-id=5,drive=again,serial=PATH0%s,wwn=0x5000c5000000%04x,share-rw=on" % (TAIL, len(DISKS))]
    return args


def prepare(m):
    m.judged += ("plan-", "take-", "left-", "suspended-")
    m.arguments += disks(m)
    for n in range(1, 6):
        m.arguments += ["-netdev", "user,id=net%d,restrict=on,%s" % (n, "ipv6-prefix=2001:db8:5::" if n == 5 else "ipv6=off"), "-device", "%s,netdev=net%d,mac=52:54:00:00:00:0%d" % ("e1000e" if n in (1, 5) else "virtio-net-pci", n, n)]
    m.tpm("tpm-tis", "1.2")
    m.bmc(BMC_ADDRESS)


def disk_name(m, serial):
    """Its name in the guest."""
    return next(d["name"] for d in m.json("assisted.json")["disks"] if d.get("serial") == serial + TAIL)


def of_kind(m, kind):
    return [d for d in m.json("assisted.json")["disks"] if d["drive_type"] == kind]


def stacked_kinds(m):
    full = {compare.value(d, "name"): d for d in m.json("full.json")["disks"]}
    names = {s: disk_name(m, s) for s in DISKS}
    multipath = of_kind(m, "Multipath")
    legs = [d for d in full.values() if compare.value(d, "serial") == "PATH0" + TAIL and compare.value(d, "drive_type") != "Multipath"]
    eligible = {s: d["installation_eligibility"].get("eligible", False) for s in DISKS for d in m.json("assisted.json")["disks"] if d["name"] == names[s]}
    return compare.differences("inventory", [
        ("RAID", sorted(d["name"] for d in of_kind(m, "RAID")), ["md0", "md1"]), ("LVM", len(of_kind(m, "LVM")), 3), ("Multipath", len(multipath), 1),
        ("legs", len(legs), 2), ("holders of the legs", {compare.value(d, "holders") for d in legs}, {multipath[0]["name"] if multipath else None}),
        ("LVM is never eligible", [d["installation_eligibility"].get("eligible", False) for d in of_kind(m, "LVM")], [False] * 3),
        ("disks with unused layers are eligible", eligible, {s: True for s in DISKS}),
        ("dm-crypt is no disk", [n for n in full if n.startswith("dm-")], [d["name"] for d in of_kind(m, "LVM") + multipath]),
    ])


def board(m):
    wire = m.json("assisted.json")
    return compare.differences("inventory", [("tpm_version", wire["tpm_version"], "1.2"), ("bmc_address", wire["bmc_address"], BMC_ADDRESS),
                                             ("bmc_v6address", wire["bmc_v6address"], "::/0"), ("secure_boot_state", wire["boot"]["secure_boot_state"], "NotSupported"),
                                             ("current_boot_mode", wire["boot"]["current_boot_mode"], "bios")])


def network_kinds(m):
    kinds = {}
    for i in m.json("assisted.json")["interfaces"]:
        kinds[i["type"]] = kinds.get(i["type"], 0) + 1
    full = {compare.value(i, "name"): i for i in m.json("full.json")["interfaces"]}
    return compare.differences("interfaces", [
        ("kinds", kinds, {"device": 1, "physical": 5, "bond": 2, "vlan": 2, "bridge": 1, "dummy": 1, "vxlan": 1, "macvlan": 1, "veth": 2}),
        ("members of bond0", len(compare.value(full["bond0"], "members")), 2), ("members of br0", compare.value(full["br0"], "members"), ["bond1"]),
        ("bridge_vlan_filtering", compare.value(full["br0"], "bridge_vlan_filtering"), True),
    ])


def suspended(m):
    """It costs its own fields and an error of its own, and no more time than was given."""
    before, after = m.json("full.json"), m.json("suspended-full.json")
    seconds = float(m.text("suspended.to")) - float(m.text("suspended.from"))
    errors = after["errors"]
    named = {e["source"].split("/")[-1] for e in errors}
    lost = [a for a, b in zip(after["disks"], before["disks"]) if a != b and compare.value(a, "name") not in named]
    problems = compare.differences("suspended", [("status", m.status("suspended-full.json"), 3), ("errors name one device", len(named), 1),
                                                 ("other disks that changed", [compare.value(d, "name") for d in lost], []),
                                                 ("disks", len(after["disks"]), len(before["disks"]))])
    if seconds > TIMEOUT_S + 8:
        problems.append("it took %.1f s, the limit was %d" % (seconds, TIMEOUT_S))
    return problems


# --- the agent ---

def plan_of(m, name):
    plan = m.json("plan-%s.json" % name)
    return plan["installable"], [a["action"] for a in plan["plan"]], plan["refusal"]


def taken(m, name):
    """Nothing stands on the disk any more, nothing is recognised on it, and its first MiB is zero."""
    left = m.json("left-%s.json" % name)["blockdevices"][0]
    return compare.differences(name, [("planned", plan_of(m, name)[0], True), ("status", m.status("take-%s.txt" % name), 0),
                                      ("what stands on it", [c["name"] for c in left.get("children", [])], []),
                                      ("signatures", m.text("left-%s.blkid" % name).strip(), ""), ("bytes that are not zero in its first MiB", m.text("left-%s.head" % name).strip(), "0")]) + (
        [m.text("take-%s.txt.err" % name)] if m.status("take-%s.txt" % name) else [])


def refused(m, name, word, has_layers=True):
    """The plan refuses with a sentence that names @word, the tear-down too, and everything is still there."""
    left = m.json("left-%s.json" % name)["blockdevices"][0]
    is_installable, _, refusal = plan_of(m, name)
    return compare.differences(name, [("planned", is_installable, False), ("status of the tear-down", m.status("take-%s.txt" % name), 1),
                                      ("something stands on it", bool(left.get("children")), has_layers),
                                      ("something written on it", m.text("left-%s.head" % name).strip() != "0", name != "leg"),
                                      ("%s in \"%s\"" % (word, refusal), word in refusal, True)])


def others_stand(m):
    """What was on other disks has not been touched."""
    lvs = {tuple(line.split()[:2]) for line in m.text("lvs.txt").splitlines()}
    return compare.differences("others", [("LVs", lvs, {("wide", "vgspan")}), ("md0", "md0 : active raid1" in m.text("mdstat"), True)])


def checks(tests, m):
    compare.all_of(tests, m)
    tests.run("RAID, LVM, multipath and dm-crypt are told apart", stacked_kinds, m)
    tests.run("bonds, VLANs, bridge and the rest are told apart", network_kinds, m)
    tests.run("TPM 1.2, the BMC's address, no Secure Boot", board, m)
    tests.run("a suspended device costs only itself", suspended, m)
    tests.run("agent: LVM on a partition is taken apart", taken, m, "lvm")
    tests.run("agent: dm-crypt is taken apart", taken, m, "crypt")
    tests.run("agent: an array of this disk alone is taken apart", taken, m, "alone")
    tests.run("agent: an empty disk is taken", taken, m, "plain")
    tests.run("agent: a member of an array with another disk is refused", refused, m, "raid", "md0")
    tests.run("agent: a member of a volume group with another disk is refused", refused, m, "span", disk_name(m, "SPAN1"))
    tests.run("agent: a member of an array that is not put together is refused", refused, m, "parts-raid", disk_name(m, "MD1"), False)
    tests.run("agent: a member of a volume group that is not put together is refused", refused, m, "parts-span", disk_name(m, "SPAN1"), False)
    tests.run("agent: an array is taken apart when its other disk is given up", taken, m, "both-raid")
    tests.run("agent: a volume group is taken apart when its other disk is given up", taken, m, "both-span")
    tests.run("agent: one way of several to a disk", refused, m, "leg", "multipath")
    tests.run("agent: other disks are left alone", others_stand, m)


if __name__ == "__main__":
    tests = machine.Tests()
    compare.guest(tests, "20-stacked", checks, prepare=prepare)
    sys.exit(tests.end())
