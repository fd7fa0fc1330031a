#!/bin/bash
# slipway-hwprobe: exit statuses, refusals, formats, limits; nothing is executed; a recorded machine replays; changes are told.
. "$(dirname "$0")/../lib.sh"
requires python3
make_tmp
hwprobe=$BIN/slipway-hwprobe
roots=$TOP/tests/data/roots

# status WANT ARG...: runs it; output in $TMP/out, messages in $TMP/err
status() {
	local want=$1 got=0
	shift
	timeout 60 "$hwprobe" "$@" >"$TMP/out" 2>"$TMP/err" || got=$?
	[ "$got" = "$want" ] || fail "slipway-hwprobe $*: status $got, expected $want: $(cat "$TMP/err")"
}

# complete, failed, usage, partial
status 0 --sysroot="$roots/qemu-q35-nvme/root"
[ ! -s "$TMP/err" ] || fail "a complete inventory came with messages: $(cat "$TMP/err")"
status 1 --sysroot="$TMP/nothing"
grep -q "$TMP/nothing" "$TMP/err" || fail "the missing folder is not named"
for bad in --parts=none --parts= --format=xml --disk-min-size=big --timeout=0 --settle=soon --sysroot= --unknown operand; do
	status 2 "$bad"
	[ ! -s "$TMP/out" ] || fail "$bad: something on standard output"
	grep -q -- --help "$TMP/err" || fail "$bad: no hint"
done
# what contradicts itself: refused before anything is read or written, in one line with a hint
refused() {
	status 2 "$@"
	[ "$(wc -l <"$TMP/err"):$(wc -c <"$TMP/out")" = 2:0 ] || fail "$*: not one line and a hint: $(cat "$TMP/err")"
	grep -q -- --help "$TMP/err" || fail "$*: no hint"
	[ ! -e "$TMP/r" ] || fail "$*: a record was begun"
}
refused --record="$TMP/r" --sysroot="$roots/qemu-q35-nvme/root"
refused --watch --sysroot="$roots/qemu-q35-nvme/root"
refused --scrub
refused --parts=lldp
for with in --record="$TMP/r" --explain=cpu --format=full --format=text --output-max-size=4096; do
	refused --watch "$with"
done
status 3 --sysroot="$roots/no-udev-virtio/root"
grep -q 'proc/self/mountinfo' "$TMP/err" || fail "the broken file is not named"

# a tree that leads outside is refused, and nothing of the target is shown
mkdir -p "$TMP/evil/proc" "$TMP/evil/sys/class/dmi/id"
echo "the secret" >"$TMP/secret"
for target in "$TMP/secret" ../../secret; do
	ln -sfn "$target" "$TMP/evil/proc/cmdline"
	status 1 --sysroot="$TMP/evil"
	grep -q 'proc/cmdline' "$TMP/err" || fail "the link is not named"
	! grep -q secret "$TMP/out" || fail "the target was shown"
	[ ! -s "$TMP/out" ] || fail "something was shown"
done
rm "$TMP/evil/proc/cmdline"
echo ACME >"$TMP/evil/sys/class/dmi/id/sys_vendor"
ln -s evil "$TMP/alias"
status 0 --sysroot="$TMP/evil/../alias" --parts=system_vendor
grep -q ACME "$TMP/out" || fail "the folder's own name may be a link"

# the same behind other names: a disk's blocks, a folder, a link that an archive made a file
for name in dev/sda dev/sda.tail run/udev/data sys/block; do
	rm -rf "$TMP/evil" && mkdir -p "$TMP/evil/$(dirname "$name")" "$TMP/evil/sys"
	ln -s "$(dirname "$name" | sed 's,[^/]*,..,g')/../secret" "$TMP/evil/$name"
	status 1 --sysroot="$TMP/evil" --format=full
	grep -q "$name" "$TMP/err" || fail "$name: the link is not named: $(cat "$TMP/err")"
	[ ! -s "$TMP/out" ] || fail "$name: something was shown"
done
rm -rf "$TMP/evil" && mkdir -p "$TMP/evil/sys/block" "$TMP/outside"
echo 4096 >"$TMP/outside/size"
printf '../../../outside' >"$TMP/evil/sys/block/sda"
status 1 --sysroot="$TMP/evil"
grep -q 'sys/block/sda' "$TMP/err" || fail "the file that stands for a link is not named"
[ ! -s "$TMP/out" ] || fail "something was shown"

# which PCI functions are GPUs
printf 'vendors:\n- "0200 1af4"\n' >"$TMP/rules"
printf 'vendors:\n- "0200"\n' >"$TMP/broken"
mkdir -p "$TMP/pci/sys/bus/pci/devices/0000:00:03.0"
echo 0x020000 >"$TMP/pci/sys/bus/pci/devices/0000:00:03.0/class"
echo 0x1af4 >"$TMP/pci/sys/bus/pci/devices/0000:00:03.0/vendor"
status 0 --sysroot="$TMP/pci" --parts=gpus --gpu-rules="$TMP/rules"
grep -q '"address":"0000:00:03.0"' "$TMP/out" || fail "the rule does not count: $(cat "$TMP/out")"
status 1 --sysroot="$TMP/pci" --gpu-rules="$TMP/broken"
grep -q 'broken: line 2' "$TMP/err" || fail "the broken rule is not named: $(cat "$TMP/err")"

# health on demand
mkdir -p "$TMP/smart/sys/block/nvme0n1" "$TMP/smart/dev"
echo 4096 >"$TMP/smart/sys/block/nvme0n1/size"
head -c 512 /dev/zero >"$TMP/smart/dev/nvme0n1.smart"
status 0 --sysroot="$TMP/smart" --format=full --parts=disks --smart
grep -q '"smart":{"value":"ok"' "$TMP/out" || fail "the health is not shown: $(cat "$TMP/out")"
status 0 --sysroot="$TMP/smart" --format=full --parts=disks
! grep -q '"smart"' "$TMP/out" || fail "the health was asked for by nobody"

# formats and parts
status 0 --sysroot="$roots/bond-vlan/root" --format=full --parts=hostname,tpm
python3 - "$TMP/out" <<'X' || fail "the full format is wrong"
import json, sys
v = json.load(open(sys.argv[1]))
assert v["schema"] == "slipway.hwprobe/1" and v["errors"] == [] and v["interfaces"] == [] and "cpu" not in v
assert v["hostname"]["value"] == "02-42-a1-00-00-b0" and v["hostname"]["source"] and v["tpm_version"]["value"] == "1.2"
X
status 0 --sysroot="$roots/bond-vlan/root" --format=text
grep -q '^bond0.100 .*198.51.100.7/25' "$TMP/out" || fail "the text format lacks the address"

# where a value came from; paths of this machine are off-line, so it is never complete
status 3 --sysroot="$roots/fc-multipath/root" --explain=disks.dm-0.serial
grep -qx '  source: udev DM_SERIAL' "$TMP/out" || fail "the source is not told: $(cat "$TMP/out")"
status 2 --sysroot="$roots/qemu-q35-nvme/root" --explain=disks.dm-77.serial
[ "$(wc -l <"$TMP/err"):$(wc -c <"$TMP/out")" = 2:0 ] || fail "an unknown value: not one line and a hint"

# limits: never more bytes, newline included, and always JSON
status 3 --sysroot="$roots/fc-multipath/root"
whole=$(wc -c <"$TMP/out")
for max in "$whole" $((whole - 1)) 1500 700 100; do
	status 3 --sysroot="$roots/fc-multipath/root" --output-max-size="$max"
	[ "$(wc -c <"$TMP/out")" -le "$max" ] || fail "more than $max bytes"
	python3 - "$TMP/out" "$max" "$whole" <<'X' || fail "--output-max-size=$max"
import json, sys
v = json.load(open(sys.argv[1]))
assert ("truncation" in v) == (int(sys.argv[2]) < int(sys.argv[3])), v
X
done
for max in 1 30; do
	refused --sysroot="$roots/fc-multipath/root" --output-max-size="$max"
done
status 3 --sysroot="$roots/fc-multipath/root" --output-max-size=31
[ "$(cat "$TMP/out")" = '{"truncation":{"type":"full"}}' ] || fail "31 bytes are: $(cat "$TMP/out")"
status 3 --sysroot="$roots/fc-multipath/root" --disk-min-size=10G --parts=disks
! grep -q '"name":"dm-2"' "$TMP/out" || fail "a disk of 4 GB is not left out"

# this machine, recorded: the replay says the same, and nobody was executed
got=0
"$hwprobe" --record="$TMP/record" >"$TMP/live" 2>/dev/null || got=$?
case $got in 0 | 3) ;; *) fail "--record: status $got" ;; esac
"$hwprobe" --sysroot="$TMP/record" >"$TMP/replay" 2>/dev/null || [ $? = 3 ] || fail "the record cannot be shown"
cmp "$TMP/live" "$TMP/replay" || fail "the replay differs"
for format in full text; do
	rm -rf "$TMP/again"
	"$hwprobe" --record="$TMP/again" --format="$format" >"$TMP/out" 2>/dev/null || [ $? = 3 ] || fail "--record --format=$format"
	"$hwprobe" --sysroot="$TMP/again" --format="$format" >"$TMP/replay.$format" 2>/dev/null || [ $? = 3 ] || fail "no replay as $format"
	cmp "$TMP/out" "$TMP/replay.$format" || fail "the replay differs as $format"
done
status 1 --record="$TMP/record"

# without what tells whose it is: what is shown is what the record shows
"$hwprobe" --record="$TMP/scrubbed" --scrub >"$TMP/shown" 2>/dev/null || [ $? = 3 ] || fail "--scrub"
"$hwprobe" --sysroot="$TMP/scrubbed" >"$TMP/replay" 2>/dev/null || [ $? = 3 ] || fail "the scrubbed record cannot be shown"
cmp "$TMP/shown" "$TMP/replay" || fail "the replay of the scrubbed record differs"
python3 - "$TMP/live" "$TMP/shown" "$TMP/scrubbed" <<'X' || fail "something is left in the scrubbed record"
import json, os, sys
live, shown = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
assert [d["size_bytes"] for d in live["disks"]] == [d["size_bytes"] for d in shown["disks"]]
assert [i["name"] for i in live["interfaces"]] == [i["name"] for i in shown["interfaces"]]
secrets = [i["mac_address"] for i in live["interfaces"] if i.get("mac_address", "").strip("0:f")]
secrets += [d["serial"] for d in live["disks"] if len(d.get("serial", "")) > 7] + [d["wwn"] for d in live["disks"] if "wwn" in d]
for folder, _, files in os.walk(sys.argv[3]):
    for name in files:
        data = os.path.join(folder, name).encode()
        if os.path.isfile(data) and not os.path.islink(data):
            data += open(data, "rb").read()
        for s in secrets:
            assert s.encode() not in data, (s, name)
            assert s.count(":") != 5 or bytes.fromhex(s.replace(":", "")) not in data, (s, name)
X
status 2 --scrub
! "$hwprobe" >/dev/full 2>"$TMP/err" || fail "a full device was not noticed"
