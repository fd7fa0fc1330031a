#!/usr/bin/env python3
"""
Two guests with UEFI: Secure Boot on (enrolled keys) with a TPM 2.0, and off without a TPM, where a disk is plugged in.
usage: 30-secure-boot.py [--figures]    --figures prints how soon it is told as a JSON line (tests/bench/run)
"""

import sys

import compare
import machine

ON = ("OVMF_CODE_4M.ms.fd", "OVMF_VARS_4M.ms.fd")
OFF = ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd")
HOT_SERIAL = "HOTPLUGGED0200"
ARGUMENTS = ("-netdev", "user,id=net0,restrict=on", "-device", "virtio-net-pci,netdev=net0,mac=52:54:00:00:00:01,romfile=",
             "-blockdev", "driver=null-co,read-zeroes=on,node-name=d0,size=21474836480", "-device", "virtio-blk-pci,drive=d0,serial=UEFI0001")


def judge(tests, m, state, tpm):
    wire = m.json("assisted.json")
    tests.run("Secure Boot %s, TPM %s" % (state, tpm), compare.differences, "inventory", [
        ("current_boot_mode", wire["boot"]["current_boot_mode"], "uefi"), ("secure_boot_state", wire["boot"]["secure_boot_state"], state),
        ("tpm_version", wire["tpm_version"], tpm), ("serial of the disk", [d.get("serial") for d in wire["disks"]], ["UEFI0001"]),
        # The firmware's own variable, as the kernel shows it: four bytes of attributes, then the value.
        ("SecureBoot of the firmware", m.text("secure-boot").split()[4:], ["01" if state == "Enabled" else "00"])])
    compare.all_of(tests, m)


def secure_checks(tests, m):
    judge(tests, m, "Enabled", "2.0")


def has_disk(inventory):
    return any(d.get("serial") == HOT_SERIAL and d.get("by_path") for d in inventory["disks"])


def plug_disk(m, words):
    m.qmp.execute("blockdev-add", **{"driver": "null-co", "read-zeroes": True, "node-name": "hot", "size": 1 << 30})
    m.qmp.execute("device_add", driver="virtio-blk-pci", id="hotdisk", bus="hot0", drive="hot", serial=HOT_SERIAL)


def plug_is_told(m):
    seen = [has_disk(line["inventory"]) for _, line in compare.watched(m)]
    return compare.differences("watch", [("the disk is in the first and in the last line", (seen[0], seen[-1]), (False, True))])


def plain_checks(tests, m):
    judge(tests, m, "Disabled", "none")
    tests.run("a new disk is told", plug_is_told, m)
    compare.print_figures(compare.latencies(m, "guest with one disk, software emulation", (("disk", has_disk),)), "--figures" in sys.argv[1:])


if __name__ == "__main__":
    tests = machine.Tests()
    compare.guest(tests, "30-secure-boot-on", secure_checks, ARGUMENTS, script="30-secure-boot", prepare=lambda m: m.tpm("tpm-crb", "2.0"), uefi=ON)
    compare.guest(tests, "30-secure-boot-off", plain_checks, (*ARGUMENTS, "-device", "pcie-root-port,id=hot0,chassis=1,slot=1"), script="30-secure-boot",
                  steps={"plug-disk": plug_disk}, words="slipway.hotplug", uefi=OFF)
    sys.exit(tests.end())
