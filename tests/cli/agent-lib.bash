# shellcheck shell=bash
# For the tests of slipway-agent: a small image, a loop device, a service with faults (agent-service.py), an agent.
IE=fbe2e02f-5be9-4ca6-af2f-635fce727b94
LOOPS=()
PIDS=()

cleanup() {
	local pid loop
	for pid in "${PIDS[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	for loop in "${LOOPS[@]}"; do
		losetup -d "$loop" 2>/dev/null || true
	done
}

needs_install() {
	[ "$(id -u)" = 0 ] || skip "needs root: loop devices"
	requires losetup sfdisk mke2fs mkfs.vfat python3 cmp
	[ -e /dev/loop-control ] || skip "there is no /dev/loop-control"
	[ -x "$BIN/slipway-image" ] || fail "slipway-image is not built"
	[ -x "$BIN/slipway-agent" ] || fail "slipway-agent is not built"
}

# make_image: $TMP/disk.raw (GPT, BIOS boot, ESP, ext4 with 24 MiB that do not compress), $TMP/img.slx, $TMP/img.raw.zst
make_image() {
	truncate -s 96M "$TMP/disk.raw"
	sfdisk -q "$TMP/disk.raw" <<-'X'
		label: gpt
		start=2048, size=1M, type=21686148-6449-6E6F-744E-656564454649
		size=8M, type=uefi, name=EFI-SYSTEM
		type=linux, name=root
	X
	mkdir -p "$TMP/root/etc" "$TMP/root/usr"
	echo 'ID=test' >"$TMP/root/etc/os-release"
	head -c 24M /dev/urandom >"$TMP/root/usr/blob"
	mke2fs -q -t ext4 -L root -d "$TMP/root" -E offset=$((10 * 1024 * 1024)) "$TMP/disk.raw" 80M 2>/dev/null
	truncate -s 8M "$TMP/esp.img"
	mkfs.vfat "$TMP/esp.img" >/dev/null 2>&1
	dd if="$TMP/esp.img" of="$TMP/disk.raw" bs=1M seek=2 conv=notrunc status=none
	printf '\353\143\220boot' | dd of="$TMP/disk.raw" conv=notrunc status=none
	"$BIN/slipway-image" os-image -o "$TMP/img" "$TMP/disk.raw" >/dev/null
}

# start_service ARG...: sets PORT; its log is $TMP/log
start_service() {
	local i
	rm -f "$TMP/log" "$TMP/port"
	python3 "$TOP/tests/cli/agent-service.py" --log "$TMP/log" --port-file "$TMP/port" "$@" &
	SERVICE=$!
	PIDS+=("$SERVICE")
	for ((i = 0; i < 100; i++)); do
		[ -e "$TMP/port" ] && break
		sleep 0.1
	done
	PORT=$(cat "$TMP/port") || fail "the service has not started"
}

# start_agent ARG...: state in $TMP/state
start_agent() {
	"$BIN/slipway-agent" --url="http://127.0.0.1:$PORT" --infra-env-id=$IE --state-dir="$TMP/state" "$@" >>"$TMP/agent.log" 2>&1 &
	AGENT=$!
	PIDS+=("$AGENT")
}

# A fresh target and what an installation needs. start_install SERVICE_ARG... [-- AGENT_ARG...]; $AGENT_FLAGS: what makes a loop device and plain HTTP acceptable
AGENT_FLAGS=(--allow-loop-devices --insecure=yes)
start_install() {
	local service=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		service+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	rm -rf "$TMP/state" "$TMP/rebooted" "$TMP/target.img" "$TMP/agent.log"
	truncate -s 512M "$TMP/target.img"
	LOOP=$(losetup -f --show "$TMP/target.img")
	LOOPS+=("$LOOP")
	printf '#!/bin/sh\ntouch %s\n' "$TMP/rebooted" >"$TMP/reboot"
	chmod +x "$TMP/reboot"
	start_service --start bound --device "$LOOP" --image "$TMP/img" "${service[@]}"
	INSTALL_ARGS=("${AGENT_FLAGS[@]}" --reboot-command="$TMP/reboot" "$@")
	start_agent "${INSTALL_ARGS[@]}"
}

end_install() {
	kill "$AGENT" "$SERVICE" 2>/dev/null || true
	wait "$AGENT" "$SERVICE" 2>/dev/null || true
	PIDS=()
	losetup -d "$LOOP" || fail "$LOOP is still in use"
	LOOPS=()
}

# wait_for SECONDS COMMAND...: until the command succeeds
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		if [ $SECONDS -ge $end ]; then
			cat "$TMP/agent.log" >&2
			fail "waited in vain for: $*"
		fi
		sleep 0.1
	done
}

# stages: what was reported, one "stage|info" a line
stages() {
	python3 -c 'import json, sys
for line in open(sys.argv[1]):
    d = json.loads(line)
    if d.get("method") == "PUT" and d["path"].endswith("/progress"):
        p = json.loads(d["body"])
        print(p["current_stage"] + "|" + p["progress_info"])' "$TMP/log"
}

# reported STAGE [TEXT]
reported() {
	stages | grep "^$1|.*${2:-}" >/dev/null
}

# status KEY...: a value of status.json, nothing when it is not there (yet)
status() {
	python3 -c 'import json, sys
try:
    d = json.load(open(sys.argv[1] + "/status.json"))
    for k in sys.argv[2:]:
        d = d[k]
    print(d)
except (OSError, KeyError, TypeError, ValueError):
    pass' "$TMP/state" "$@"
}

# Has the writer flushed at least $1 percent?
has_percent() {
	local now
	now=$(status installation percent)
	[ "${now:-0}" -ge "$1" ]
}

rebooted() {
	[ -e "$TMP/rebooted" ]
}

# The partitions hold what the image holds; the first MiB has a table with the same boot code.
check_installed() {
	cmp -i 1048576 -n $((2 * 1024 * 1024)) "$TMP/disk.raw" "$TMP/target.img" || fail "the target differs from the image"
	cmp -n 440 "$TMP/disk.raw" "$TMP/target.img" || fail "the boot code differs"
	[ "$(sfdisk -l -q -o Start,Size "$TMP/target.img" | sort)" = "$(sfdisk -l -q -o Start,Size "$TMP/disk.raw" | sort)" ] ||
		fail "the partitions differ"
	dd if="$TMP/target.img" of="$TMP/root.img" bs=1M skip=10 count=80 status=none
	e2fsck -fn "$TMP/root.img" >"$TMP/fsck.log" 2>&1 || { cat "$TMP/fsck.log"; fail "the root file system is damaged"; }
	debugfs -R "dump /usr/blob $TMP/blob" "$TMP/root.img" 2>/dev/null
	cmp "$TMP/root/usr/blob" "$TMP/blob" || fail "a file of the installed system differs"
}

check_not_bootable() {
	cmp -n 1048576 "$TMP/target.img" /dev/zero || fail "the first MiB of the target is not zero"
}
