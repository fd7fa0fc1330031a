"""What slipway-hwprobe says of a guest against what other programs say of the same guest. Each function returns a list of problems."""

import json
import os
import re
import tarfile

import machine


def differences(what, pairs):
    """@pairs: (name, ours, theirs)"""
    return ["%s: %s is %r, %r elsewhere" % (what, name, ours, theirs) for name, ours, theirs in pairs if ours != theirs]


def value(thing, key):
    """Of the full format: {"value": …, "source": …} or absent."""
    return (thing.get(key) or {}).get("value")


def statuses(m, partial=False):
    """Every program that was kept has ended well; slipway-hwprobe with 3 (partial) where the guest has something broken."""
    problems = []
    for path in sorted((m.dir / "out").glob("*.status")):
        name = path.name.removesuffix(".status")
        if name.startswith(m.judged):
            continue
        is_ours = name.endswith((".json", ".txt")) and name.split(".")[0].split("-")[-1] in ("assisted", "full", "text", "recorded", "replayed")
        want = 3 if partial and is_ours else 0
        got = m.status(name)
        if got != want:
            problems.append("%s: status %d, expected %d: %s" % (name, got, want, m.text(name + ".err")[-500:]))
        if is_ours and not partial and m.text(name + ".err"):
            problems.append("%s came with messages: %s" % (name, m.text(name + ".err")[-500:]))
    return problems


def replays(m):
    problems = []
    for kind in ("", "plain-"):
        recorded, replayed = m.text(kind + "recorded.json"), m.text(kind + "replayed.json")
        if not recorded.startswith("{"):
            problems.append("%srecord: nothing was shown" % kind)
        if recorded != replayed:
            at = next(i for i, (a, b) in enumerate(zip(recorded + "\0", replayed + "\0")) if a != b)
            problems.append("%sreplay differs: …%s… is …%s…" % (kind, recorded[max(0, at - 80):at + 80], replayed[max(0, at - 80):at + 80]))
    return problems


def cpu(m):
    theirs = {f["field"].rstrip(":"): f["data"] for f in m.json("lscpu.json")["lscpu"]}
    wire, full = m.json("assisted.json")["cpu"], m.json("full.json")["cpu"]
    sockets, cores, threads = (int(theirs[k]) for k in ("Socket(s)", "Core(s) per socket", "Thread(s) per core"))
    problems = differences("cpu", [
        ("architecture", wire["architecture"], theirs["Architecture"]),
        ("count", wire["count"], int(theirs["CPU(s)"])),
        ("model_name", wire["model_name"], theirs["Model name"]),
        ("flags", wire["flags"], theirs["Flags"].split()),
        ("numa_nodes", value(full, "numa_nodes"), int(theirs["NUMA node(s)"])),
        ("offline", value(full, "offline") or 0, count_list(theirs.get("Off-line CPU(s) list", ""))),
        ("numa cpus", [count_list(value(n, "cpus")) for n in full["numa"]], [count_list(theirs["NUMA node%d CPU(s)" % i]) for i in range(len(full["numa"]))]),
    ])
    if "Off-line CPU(s) list" not in theirs:  # of those that are on; lscpu multiplies
        problems += differences("cpu", [("sockets", value(full, "sockets"), sockets), ("cores", value(full, "cores"), sockets * cores),
                                        ("threads", value(full, "threads"), sockets * cores * threads)])
    return problems


def count_list(text):
    """How many the list "0-3,8" holds."""
    return sum(int(p.split("-")[-1]) - int(p.split("-")[0]) + 1 for p in text.split(",") if p)


def dmi(m):
    """dmidecode's structures: (type, handle, {name: text})"""
    found = []
    for block in m.text("dmidecode.txt").split("\n\n"):
        head = re.search(r"^Handle (\w+), DMI type (\d+)", block, re.M)
        if head:
            found.append((int(head[2]), head[1], dict(re.findall(r"^\t([^:\t]+): (.*)$", block, re.M))))
    return found


def memory(m):
    structures, wire = dmi(m), m.json("assisted.json")["memory"]
    arrays = {h for t, h, f in structures if t == 16 and f["Use"] == "System Memory"}
    units = {"kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
    sizes = [f["Size"].split() for t, _, f in structures if t == 17 and f["Array Handle"] in arrays and f["Size"][0].isdigit()]
    total = re.search(r"^MemTotal:\s+(\d+) kB", m.text("meminfo"), re.M)
    return differences("memory", [
        ("physical_bytes", wire["physical_bytes"], sum(int(n) * units[u] for n, u in sizes)),
        ("physical_bytes_method", wire["physical_bytes_method"], "dmidecode"),
        ("usable_bytes", wire["usable_bytes"], int(total[1]) * 1024),
    ])


def system(m):
    wire = m.json("assisted.json")["system_vendor"]
    f = next(f for t, _, f in dmi(m) if t == 1)
    serial = "" if f["Serial Number"] == "Not Specified" else f["Serial Number"]
    return differences("system_vendor", [("manufacturer", wire["manufacturer"], f["Manufacturer"]), ("product_name", wire["product_name"], f["Product Name"]),
                                         ("serial_number", wire.get("serial_number", ""), serial), ("virtual", wire.get("virtual"), True)])


def udev_devices(m):
    """The udev database: name of a block device or interface -> properties"""
    devices = {}
    for block in m.text("udev.txt").split("\n\n"):
        properties = dict(re.findall(r"^E: ([^=]+)=(.*)$", block, re.M))
        if properties.get("SUBSYSTEM") in ("block", "net"):
            name = properties["DEVNAME"].removeprefix("/dev/") if "DEVNAME" in properties else properties["INTERFACE"]
            devices[name] = properties
    return devices


def lsblk_disks(m):
    """Whole devices of lsblk's tree by name, each once."""
    found = {}

    def walk(devices):
        for d in devices:
            found[d["name"]] = d
            walk(d.get("children", []))
    walk(m.json("lsblk.json")["blockdevices"])
    return found


SHOWN_TYPES = ("disk", "mpath", "lvm", "rom")


def disks(m):
    theirs, udev = lsblk_disks(m), udev_devices(m)
    wire = {d["name"]: d for d in m.json("assisted.json")["disks"]}
    full = {value(d, "name"): d for d in m.json("full.json")["disks"]}
    shown = {d["kname"]: d for d in theirs.values()}
    links = [line.split() for line in m.text("links.txt").splitlines()]
    wanted = {k for k, d in shown.items() if d["type"] in SHOWN_TYPES or d["type"].startswith("raid")}
    wanted -= {k for k in wanted if k.startswith(("loop", "zram", "ram"))}
    problems = differences("disks", [("names", sorted(wire), sorted(wanted)), ("names (full)", sorted(full), sorted(wanted))])
    for name in sorted(wanted & wire.keys() & full.keys()):
        problems += disk(wire[name], full[name], shown[name], udev[name], [link for link, node in links if node == "/dev/" + name])
    return problems


def disk(ours, full, lsblk, udev, links):
    by_id = sorted(link for link in links if re.match(r"/dev/disk/by-id/(wwn-|nvme-eui)", link))
    path = udev.get("ID_PATH")
    has_path = path and "/dev/disk/by-path/" + path in links
    text = lambda key: (lsblk.get(key) or "").strip()  # noqa: E731
    problems = differences(ours["name"], [
        ("path", ours["path"], "/dev/" + lsblk["kname"]),
        ("size_bytes", ours.get("size_bytes", 0), lsblk["size"]),
        ("removable", ours.get("removable", False), lsblk["rm"]),
        ("model", ours.get("model", ""), udev.get("ID_MODEL", "")),
        ("model_full", value(full, "model_full") or "", " ".join(text("model").split())),
        ("hctl", ours.get("hctl", ""), text("hctl")),
        ("rotational", value(full, "rotational"), lsblk["rota"]),
        ("read_only", value(full, "read_only") or False, lsblk["ro"]),
        ("logical_block_size", value(full, "logical_block_size"), lsblk["log-sec"]),
        ("physical_block_size", value(full, "physical_block_size"), lsblk["phy-sec"]),
        ("by_id", ours.get("by_id", ""), by_id[-1] if by_id else ""),
        ("by_path", ours.get("by_path", ""), "/dev/disk/by-path/" + path if has_path else ""),
        ("id", ours["id"], (by_id or ["/dev/disk/by-path/" + path if has_path else "/dev/" + lsblk["kname"]])[-1]),
    ])
    if lsblk["type"] == "disk":
        problems += differences(ours["name"], [("serial", ours.get("serial", ""), text("serial")), ("wwn", ours.get("wwn", ""), text("wwn")),
                                               ("vendor", ours.get("vendor", ""), text("vendor"))])
    return problems


def speed(m, name):
    """Of a physical interface, in Mb/s; -1 as the kernel says "unknown"."""
    found = re.search(r"^\tSpeed: (?:(\d+)Mb/s|Unknown!)", m.text("ethtool-speed-%s.txt" % name), re.M)
    return found and int(found[1] or -1)


def permanent_address(m, name):
    found = re.search(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", m.text("ethtool-%s.txt" % name))
    return found[0] if found and found[0].strip("0:") else None


def interfaces(m):
    links = m.json("link.json")
    addresses = {a["ifname"]: a.get("addr_info", []) for a in m.json("addr.json")}
    ours = {i["name"]: i for i in m.json("assisted.json")["interfaces"]}
    full = {value(i, "name"): i for i in m.json("full.json")["interfaces"]}
    problems = differences("interfaces", [("names", [i["name"] for i in m.json("assisted.json")["interfaces"]], [link["ifname"] for link in links])])
    for link in links:
        name = link["ifname"]
        if name in ours:
            problems += interface(m, ours[name], full[name], link, addresses[name])
    return problems


def kept_addresses(infos, family):
    return sorted("%s/%d" % (a["local"], a["prefixlen"]) for a in infos if a["family"] == family and not a["local"].startswith(("169.254.", "fe80:")))


def interface(m, ours, full, link, infos):
    names = {"UP": "up", "BROADCAST": "broadcast", "LOOPBACK": "loopback", "POINTOPOINT": "pointtopoint", "MULTICAST": "multicast"}
    info = link.get("linkinfo", {})
    kind = info.get("info_kind") or ("device" if "LOOPBACK" in link["flags"] else "physical")
    slave = info.get("info_slave_data", {})
    mac = (slave.get("perm_hwaddr") if info.get("info_slave_kind") == "bond" else None) or link.get("address", "")
    problems = differences(ours["name"], [
        ("mac_address", ours.get("mac_address", ""), "" if kind == "device" else mac),
        ("mtu", ours["mtu"], link["mtu"]),
        ("flags", [f for f in ours["flags"] if f != "running"], [names[f] for f in names if f in link["flags"]]),
        ("has_carrier", ours.get("has_carrier", False), "UP" in link["flags"] and "NO-CARRIER" not in link["flags"]),
        ("type", ours["type"], kind),
        ("ipv4_addresses", sorted(ours["ipv4_addresses"]), kept_addresses(infos, "inet")),
        ("ipv6_addresses", sorted(ours["ipv6_addresses"]), kept_addresses(infos, "inet6")),
        ("master", value(full, "master"), link.get("master")),
        ("permanent_mac", value(full, "permanent_mac"), permanent_address(m, ours["name"])),
    ])
    if kind == "physical" and "UP" in link["flags"]:
        problems += differences(ours["name"], [("speed_mbps", ours.get("speed_mbps"), speed(m, ours["name"]))])
    data = info.get("info_data", {})
    if kind == "bond":
        problems += differences(ours["name"], [("bond_mode", value(full, "bond_mode"), data["mode"]), ("bond_miimon_ms", value(full, "bond_miimon_ms"), data["miimon"]),
                                               ("bond_active", value(full, "bond_active"), data.get("active_slave"))])
    if kind == "vlan":
        problems += differences(ours["name"], [("vlan_id", value(full, "vlan_id"), data["id"]), ("vlan_protocol", value(full, "vlan_protocol"), data["protocol"]),
                                               ("lower", value(full, "lower"), link.get("link"))])
    return problems


def routes(m):
    ours = m.json("assisted.json")["routes"]
    theirs = []
    for family, name, anywhere in ((2, "route4.json", "0.0.0.0"), (10, "route6.json", "::")):
        for r in m.json(name):
            if r.get("type", "unicast") != "unicast":
                continue
            hop = r.get("nexthops", [r])[0]
            destination = anywhere if r["dst"] == "default" else r["dst"].split("/")[0]
            gateway = hop.get("gateway") or hop.get("via", {}).get("host", "")
            theirs.append((family, destination, gateway, hop["dev"], r.get("metric", 0)))
    mine = [(r["family"], r["destination"], r.get("gateway", ""), r["interface"], r.get("metric", 0)) for r in ours]
    return differences("routes", [("list", mine, theirs)])


def watched(m):
    """(when in us, line) of what --watch said"""
    return [(int(t), json.loads(text)) for t, text in (line.split(" ", 1) for line in m.text("watch.txt").splitlines())]


def latencies(m, what, things):
    """Rows of figures: @things are (name, whether an inventory has the new thing)."""
    rows = []
    for name, has in things:
        came = next((t for t, line in watched(m)[1:] if has(line["inventory"])), None)
        ready = re.search(r"^I:(\d+)$", m.text("hot-%s.udev" % name), re.M)
        if came and ready:
            rows.append(("guest_hotplug_" + name, (came - int(ready[1])) / 1000, "ms", what + ", from udev's initialisation to the line"))
    return rows


def print_figures(rows, is_bench):
    """One JSON line each, as tests/bench/run prints them; among test results as a comment."""
    for figure, number, unit, workload in rows:
        print(("" if is_bench else "# ") + json.dumps({"figure": figure, "value": round(number, 3), "unit": unit, "workload": workload}))


def scrubbed(m):
    """Nothing in the scrubbed record that tells whose machine it is: serial numbers, names that are unique in the world, addresses, the host's name."""
    wire = m.json("plain-recorded.json")
    secrets = {d[k] for d in wire["disks"] for k in ("serial", "wwn") if len(d.get(k, "")) > 7}
    secrets |= {i["mac_address"] for i in wire["interfaces"] if i.get("mac_address", "").strip("0:f")}
    secrets |= {a.split("/")[0] for i in wire["interfaces"] for a in i["ipv4_addresses"] + i["ipv6_addresses"] if i["name"] != "lo"}
    secrets |= {wire["system_vendor"].get("serial_number", ""), wire["hostname"], wire["bmc_address"]} - {"", "0.0.0.0"}
    found = []
    with tarfile.open(m.dir / "out/record.tar") as record:
        for member in record:
            data = (member.name + "\0" + member.linkname).encode() + (record.extractfile(member).read() if member.isfile() else b"")
            found += ["%s is in %s" % (s, member.name) for s in secrets if s.encode() in data]
            found += ["%s is in %s, in binary" % (s, member.name) for s in secrets if s.count(":") == 5 and bytes.fromhex(s.replace(":", "")) in data]
    return found[:10] if len(secrets) > 1 else ["there is nothing to look for"]


COMMON = (("every program ended well", statuses), ("the records replay byte for byte", replays), ("the scrubbed record does not tell whose it is", scrubbed), ("CPUs as lscpu says", cpu),
          ("memory as dmidecode says", memory), ("system as dmidecode says", system), ("disks as lsblk and udev say", disks),
          ("interfaces as ip and ethtool say", interfaces), ("routes as ip says", routes))


def all_of(tests, m, skip=()):
    for name, function in COMMON:
        if function not in skip:
            tests.run(name, function, m)


def guest(tests, name, checks, *args, **options):
    """Boots the guest @name, lets it run its script and then @checks(tests, machine). One that is stuck in its boot is started once more."""
    try:
        run_guest(tests, name, checks, *args, **options)
    except machine.BootStuck as e:
        print("# %s is started again: %s" % (name, str(e).replace("\n", "\n#   ")), flush=True)
        try:
            run_guest(tests, name, checks, *args, **options)
        except machine.BootStuck as again:
            tests.check("%s boots" % name, again)


def run_guest(tests, name, checks, arguments=(), steps=None, prepare=None, seconds=300, **options):
    with machine.Machine(name, list(arguments), **options) as m:
        try:
            if prepare:
                prepare(m)
            m.run(steps, seconds)
            tests.check("%s did its script (%.0f s)" % (name, m.seconds), *m.complaints)
            checks(tests, m)
        except machine.BootStuck:
            m.keep = True
            raise
        except Exception as e:  # told as a result, with the logs kept
            tests.check("%s did its script" % name, "%s: %s" % (type(e).__name__, e), *m.complaints)
        m.keep = tests.failed > 0 or bool(os.environ.get("GUEST_KEEP"))
