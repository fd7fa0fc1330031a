#!/bin/bash
# --parts=lldp: neighbours on veth pairs in a network namespace of its own, to whom the test lends its voice; early end, time limit, recording.
. "$(dirname "$0")/../lib.sh"
requires python3 ip unshare
make_tmp
export TMP
hwprobe=$BIN/slipway-hwprobe
export hwprobe

# the wire format has no place for it, and nobody watches for it
for args in "--parts=lldp" "--parts=all,lldp" "--parts=lldp --watch" "--parts=lldp --format=full --watch" "--lldp-timeout=soon"; do
	got=0
	# shellcheck disable=SC2086
	"$hwprobe" $args >"$TMP/out" 2>"$TMP/err" || got=$?
	[ "$got" = 2 ] || fail "$args: status $got"
	[ ! -s "$TMP/out" ] || fail "$args: something on standard output"
done

unshare -n true 2>/dev/null || skip "no network namespaces here"

cat >"$TMP/send.py" <<'X'
# send.py IFACE...: waits until somebody on each interface's other end listens, then sends out of each one frame of a system of its name
import socket, struct, subprocess, sys, time

def tlv(kind, value):
    return struct.pack(">H", kind << 9 | len(value)) + value

def frame(name):
    mac = bytes.fromhex("0200000000") + bytes([ord(name[0])])
    return (bytes.fromhex("0180c200000e") + mac + b"\x88\xcc" + tlv(1, b"\x04" + mac) + tlv(2, b"\x05" + name.encode()) + tlv(3, b"\0\x78")
            + tlv(5, b"switch-" + name.encode() + b"-rack77") + tlv(8, b"\x05\x01\xc0\x00\x02\x07\x02\0\0\0\x01\0") + tlv(127, b"\0\x80\xc2\x01\0\x2a") + tlv(0, b""))

other = {"a0": "a1", "a1": "a0", "b0": "b1", "b1": "b0"}
for name in sys.argv[1:]:
    for _ in range(200):
        groups = subprocess.run(["ip", "maddress", "show", "dev", other[name]], capture_output=True, text=True).stdout
        if all("01:80:c2:00:00:%02x" % g in groups for g in (0, 3, 14)):
            break
        time.sleep(0.05)
    else:
        sys.exit(other[name] + " does not listen")
shown = subprocess.run(["ip", "-d", "link", "show", "dev", other[sys.argv[1]]], capture_output=True, text=True).stdout
assert "promiscuity 0" in shown and "PROMISC" not in shown, shown
for name in sys.argv[1:]:
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((name, 0))
    s.send(frame(name)[:30])  # cut: no neighbour
    s.send(frame(name).replace(b"\x88\xcc", b"\x88\xcd"))
    s.send(frame(name))
X

cat >"$TMP/inside.sh" <<'X'
set -eu
fail() { echo "failed: $*" >&2; exit 1; }
ip link add a0 type veth peer name a1
ip link add b0 type veth peer name b1
for i in a0 a1 b0 b1; do ip link set "$i" up; done
ip link add down0 type veth peer name down1

# listen NAME SENDERS ARG...
listen() {
	name=$1 senders=$2
	shift 2
	# shellcheck disable=SC2086
	python3 "$TMP/send.py" $senders & sender=$!
	"$hwprobe" --parts=lldp --format=full "$@" >"$TMP/$name.json" 2>"$TMP/$name.err" || fail "$name: $(cat "$TMP/$name.err")"
	wait $sender || fail "$name: nobody listens"
}
start=$(date +%s)
listen all "a0 a1 b0 b1" --lldp-timeout=60000 --record="$TMP/record"
[ $(($(date +%s) - start)) -lt 30 ] || fail "it goes on though everybody was heard"
"$hwprobe" --parts=lldp --format=full --sysroot="$TMP/record" >"$TMP/replay.json"
cmp "$TMP/all.json" "$TMP/replay.json" || fail "the replay differs"
listen some "a1" --lldp-timeout=1500
listen scrubbed "a0 a1 b0 b1" --lldp-timeout=60000 --record="$TMP/scrubbed" --scrub
"$hwprobe" --parts=lldp --format=full --sysroot="$TMP/scrubbed" >"$TMP/replay.json"
cmp "$TMP/scrubbed.json" "$TMP/replay.json" || fail "the replay of the scrubbed record differs"
! grep -rq rack77 "$TMP/scrubbed" || fail "the neighbour's name is left in the scrubbed record"
X
unshare -n bash "$TMP/inside.sh" || fail "in the namespace"

python3 - "$TMP" <<'X' || fail "other neighbours than those that spoke"
import json, sys
def heard(name):
    v = json.load(open(sys.argv[1] + "/" + name + ".json"))
    return {i["name"]["value"]: i["lldp"] for i in v["interfaces"] if "lldp" in i}
full = heard("all")
assert set(full) == {"a0", "a1", "b0", "b1"}, full.keys()
assert all(len(n) == 1 for n in full.values()), full
n = {k: v.get("value") for k, v in full["b0"][0].items()}
assert n == {"source_mac": "02:00:00:00:00:62", "chassis_id": "02:00:00:00:00:62", "chassis_id_type": "mac", "port_id": "b1", "port_id_type": "interface-name",
             "ttl_s": 120, "system_name": "switch-b1-rack77", "management_addresses": ["192.0.2.7"], "port_vlan_id": 42}, n
assert set(heard("some")) == {"a0"}, heard("some")
scrubbed = heard("scrubbed")
assert set(scrubbed) == set(full) and scrubbed["b0"][0]["port_vlan_id"]["value"] == 42
assert len(scrubbed["b0"][0]["system_name"]["value"]) == len("switch-b1-rack77")
assert scrubbed["b0"][0]["chassis_id"]["value"] not in ("02:00:00:00:00:62", ""), scrubbed
X
