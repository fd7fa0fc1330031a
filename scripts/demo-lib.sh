# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are shared with scripts/demo and the end-to-end tests
# Functions of the demo: a service on loopback, its images, a machine in QEMU, and what is watched on the way. scripts/demo is the main flow; the
# end-to-end tests use the same functions. Everything lives in $dir; whatever is started is in $pids and is stopped by its process id.
#
# Each has a session of its own, so that Ctrl-C reaches the demo alone, which then stops them in order.
#
# Settings (environment): FIRMWARE=uefi|bios  DISK=virtio|nvme  BIND=late|early  ACCEL=tcg|kvm  KEEP=1  WRITE_LOG=FILE

: "${FIRMWARE:=uefi}" "${DISK:=virtio}" "${BIND:=late}" "${ACCEL:=tcg}" "${KEEP:=}" "${WRITE_LOG:=}" "${BUILD:=build}"
: "${DEMO_AUTH:=local}" "${DEMO_DISK_GB:=120}" "${DEMO_MEMORY_MIB:=8192}" "${DEMO_CPUS:=2}"

GUEST_VIEW=10.0.2.2   # the address under which a guest on QEMU's user network sees this machine's loopback
CLUSTER_PORT=22624    # fixed by the protocol: machine configuration over plain HTTP
DISK_SERIAL=SLIPWAYDEMO01
MAC=52:54:00:51:1b:01
api_base=/api/assisted-install/v2
pids=()
declare -A mark=() # name -> seconds since the demo's start
step_from=$EPOCHREALTIME
demo_from=$EPOCHREALTIME

seconds() { awk -v a="$1" -v b="${2:-$EPOCHREALTIME}" 'BEGIN { printf "%.1f", b - a }'; }
say() { printf '%s\n' "$@"; }
begin() { step_from=$EPOCHREALTIME; }
ok() { # one line per step, with the seconds it took
	printf '%7s s  %s\n' "$(seconds "$step_from")" "$*"
	begin
}
set_mark() { mark[$1]=$(seconds "$demo_from"); }

die() {
	printf 'demo: %s\n' "$*" >&2
	[ -z "${dir:-}" ] || {
		printf 'demo: the logs are in %s: slipwayd.log, console.log (the machine), qemu.log, cluster.log\n' "$dir" >&2
		local f
		for f in slipwayd.log console.log; do
			[ -s "$dir/$f" ] || continue
			printf -- '--- last lines of %s ---\n' "$f" >&2
			tail -n "${DEMO_TAIL:-12}" "$dir/$f" | tr -d '\r' >&2
		done
	}
	exit 1
}

stop_all() {
	local p
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done
	for p in "${pids[@]}"; do
		for _ in $(seq 50); do
			kill -0 "$p" 2>/dev/null || break
			sleep 0.1
		done
		kill -9 "$p" 2>/dev/null || true
		wait "$p" 2>/dev/null || true
	done
	pids=()
}

# wait_for SECONDS WHAT COMMAND…: until the command succeeds
wait_for() {
	local limit=$1 what=$2 from=$SECONDS
	shift 2
	until "$@"; do
		[ $((SECONDS - from)) -lt "$limit" ] || die "$what did not happen within $limit s"
		[ -z "${qemu_pid:-}" ] || kill -0 "$qemu_pid" 2>/dev/null || die "$what did not happen: the machine (QEMU) has ended"
		sleep 0.2
	done
}

# --- the service ---
start_service() { # makes $dir/state; sets https http ca user password_file
	mkdir -p "$dir"
	cat >"$dir/slipwayd.conf" <<-END
		[slipwayd]
		https = 127.0.0.1:0
		http = 127.0.0.1:0
		auth = $DEMO_AUTH
		service_base_url = https://$GUEST_VIEW:0
		image_base_url = https://127.0.0.1:0
		instruction_interval = 2
		slow_interval = 2
		${DEMO_CONF:-}
	END
	mkfifo "$dir/ready.$$"
	setsid "$BUILD/bin/slipwayd" --config="$dir/slipwayd.conf" --state-dir="$dir/state" --ready-fd=3 \
		3>"$dir/ready.$$" >>"$dir/slipwayd.log" 2>&1 &
	slipwayd_pid=$!
	pids+=("$slipwayd_pid")
	read -r -t 20 ready <"$dir/ready.$$" || die "slipwayd did not say that it serves within 20 s"
	rm -f "$dir/ready.$$"
	https=$(jq -re .https <<<"$ready") http=$(jq -re .http <<<"$ready") ca=$(jq -re .ca <<<"$ready")
	user=$(jq -re .admin_user <<<"$ready") password_file=$(jq -re .admin_password_file <<<"$ready")
	printf 'user = "%s:%s"\n' "$user" "$(cat "$password_file")" | (umask 077 && cat >"$dir/curlrc")
}

# api METHOD PATH [JSON]: the body on stdout; the status must be 2xx
api() {
	local args=(-sS --cacert "$ca" -K "$dir/curlrc" -X "$1" -o "$dir/answer" -w '%{http_code}' --max-time 60)
	[ $# -lt 3 ] || args+=(-H 'Content-Type: application/json' -d "$3")
	local status
	status=$(curl "${args[@]}" "https://$https$api_base$2") || die "no answer to $1 $2"
	case $status in
	2??) cat "$dir/answer" ;;
	*) die "$1 $2 was answered $status: $(cat "$dir/answer")" ;;
	esac
}

# --- the "existing cluster": what a day-2 host fetches ---
start_cluster() {
	cat >"$dir/worker.ign" <<-'END'
		{"ignition":{"version":"3.2.0"},"storage":{"files":[{"path":"/etc/kubernetes/manifests/coredns.yaml","mode":420,"contents":{"source":"data:,kind%3A%20Pod"}}]}}
	END
	setsid python3 -u - "$dir/worker.ign" "$CLUSTER_PORT" >>"$dir/cluster.log" 2>&1 <<-'END' &
		import http.server, sys
		body = open(sys.argv[1], "rb").read()
		class Handler(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        found = self.path == "/config/worker"
		        self.send_response(200 if found else 404)
		        self.send_header("Content-Type", "application/vnd.coreos.ignition+json; version=3.2.0")
		        self.send_header("Content-Length", str(len(body) if found else 0))
		        self.end_headers()
		        if found:
		            self.wfile.write(body)
		http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
	END
	cluster_pid=$!
	pids+=("$cluster_pid")
	local _
	for _ in $(seq 50); do
		# Another path than the one whose requests are counted.
		curl -s -o /dev/null "http://127.0.0.1:$CLUSTER_PORT/" && kill -0 "$cluster_pid" 2>/dev/null && return
		kill -0 "$cluster_pid" 2>/dev/null || die "port $CLUSTER_PORT is taken: $(tail -n 1 "$dir/cluster.log")"
		sleep 0.1
	done
	die "the cluster's web server did not start"
}

cluster_fetches() { grep -c 'GET /config/worker' "$dir/cluster.log" || true; }

# --- images ---
build_agent_root() { # what `make install` puts into an image
	agent_root=$cache/agent-root
	rm -rf "$agent_root"
	# Not by make: another PREFIX means other flags, and everything would be built anew.
	BUILD=$BUILD ONLY=agent "$scripts/install-files" "$agent_root" /usr/bin /usr/sbin /usr/lib /usr/include /usr/share /usr/share/man \
		/usr/lib/systemd/system /usr/lib/sysusers.d /usr/lib/tmpfiles.d >"$dir/install.log" 2>&1 ||
		die "the agent could not be put together: $(tail -n 3 "$dir/install.log")"
}

make_os_image() { # sets os_image; cached until the agent or the recipe changes
	local key
	key=$(cd "$agent_root" && find . -type f -print0 | sort -z | xargs -0 sha256sum | cat - "$scripts/demo-os-image" "$scripts/package-root" |
		sha256sum | cut -c1-16)
	os_image=$cache/os-$key.raw
	[ ! -e "$os_image" ] || return 0
	find "$cache" -maxdepth 1 -name 'os-*.raw' -delete
	"$scripts/demo-os-image" --agent-root="$agent_root" --output="$os_image.tmp" \
		--cluster-url="http://$GUEST_VIEW:$CLUSTER_PORT/config/worker" >"$dir/os-image.log" 2>&1 ||
		die "the OS image could not be made: $(tail -n 3 "$dir/os-image.log")"
	mv "$os_image.tmp" "$os_image"
}

make_base_image() { # sets base_image (a folder); cached until its inputs change
	local root key
	root=$("$scripts/package-root" media) || die "the packages for the discovery system could not be fetched"
	key=$( (echo "$root" && cat "$agent_root/usr/sbin/slipway-agent" "$BUILD/bin/slipway-image" imagebuilder/discovery/*) | sha256sum | cut -c1-16)
	base_image=$cache/base-$key
	[ ! -e "$base_image/base.json" ] || return 0
	find "$cache" -maxdepth 1 -name 'base-*' -exec rm -rf {} +
	mkdir -p "$base_image.tmp"
	"$BUILD/bin/slipway-image" build --root="$root" --agent="$agent_root/usr/sbin/slipway-agent" --data-dir=imagebuilder \
		--output="$base_image.tmp" >"$dir/base-image.log" 2>&1 ||
		die "the discovery image could not be built: $(tail -n 3 "$dir/base-image.log")"
	mv "$base_image.tmp" "$base_image"
}

ctl() { "$BUILD/bin/slipwayctl" --state-dir="$dir/state" "$@"; }

# --- the machine ---
make_disk() {
	truncate -s "$((DEMO_DISK_GB * 1000 * 1000 * 1000))" "$dir/disk.raw"
}

# Which QEMU arguments give the machine its disk, the ISO and the boot order.
machine_args() {
	local disk_index=1 cd_index=0 node=disk0
	[ "${FIRMWARE_ORDER:-$FIRMWARE}" != bios ] || disk_index=0 cd_index=1
	args=(-name slipway-demo -machine "q35,accel=$ACCEL" -cpu max -smp "$DEMO_CPUS" -m "$DEMO_MEMORY_MIB" -display none -no-user-config -nodefaults
		-vga none -serial stdio -monitor "unix:$dir/monitor.sock,server,nowait" -qmp "unix:$dir/qmp.sock,server,nowait" -rtc base=utc -uuid 6b1f7c52-0d3e-4a5b-9c8d-51f0a5a1d0aa)
	if [ "$FIRMWARE" = uefi ]; then
		local code vars
		code=$(find /usr/share/OVMF /usr/share/edk2/ovmf -name 'OVMF_CODE_4M.fd' -o -name 'OVMF_CODE.fd' 2>/dev/null | sort -r | head -n 1 || true)
		[ -n "$code" ] || die "no OVMF firmware found; install the package ovmf (scripts/deps demo)"
		vars=${code/CODE/VARS}
		[ -e "$dir/vars.fd" ] || cp "$vars" "$dir/vars.fd"
		args+=(-drive "if=pflash,format=raw,unit=0,readonly=on,file=$code" -drive "if=pflash,format=raw,unit=1,file=$dir/vars.fd")
	fi
	args+=(-blockdev "driver=file,filename=$dir/disk.raw,node-name=$node,discard=unmap,detect-zeroes=off")
	if [ -n "$WRITE_LOG" ]; then
		: >"$WRITE_LOG"
		args+=(-blockdev "driver=file,filename=$WRITE_LOG,node-name=log0" -blockdev "driver=blklogwrites,file=$node,log=log0,log-sector-size=512,node-name=logged0")
		node=logged0
	fi
	case $DISK in
	virtio) args+=(-device "virtio-blk-pci,drive=$node,serial=$DISK_SERIAL,bootindex=$disk_index") ;;
	nvme) args+=(-device "nvme,drive=$node,serial=$DISK_SERIAL,bootindex=$disk_index") ;;
	*) die "DISK=$DISK is neither virtio nor nvme" ;;
	esac
	[ -z "${iso:-}" ] || args+=(-blockdev "driver=file,filename=$iso,node-name=cd0,read-only=on" -device "ide-cd,drive=cd0,bootindex=$cd_index")
	args+=(-netdev "user,id=net0" -device "virtio-net-pci,netdev=net0,mac=$MAC,romfile=" -device virtio-rng-pci -device i6300esb)
}

boot_machine() { # sets qemu_pid; every console line gets the seconds since power-on
	machine_args
	set_mark power-on
	printf '%q ' qemu-system-x86_64 "${args[@]}" >"$dir/qemu.cmd"
	setsid qemu-system-x86_64 "${args[@]}" </dev/null 2>>"$dir/qemu.log" > >(exec python3 -u -c '
import sys, time
start, out, line = time.monotonic(), open(sys.argv[1], "ab", buffering=0), b""
while True:
    data = sys.stdin.buffer.raw.read(65536)
    if not data:
        break
    line += data
    *done, line = line.split(b"\n")
    for l in done:
        out.write(b"%8.2f " % (time.monotonic() - start) + l + b"\n")
out.write(b"%8.2f " % (time.monotonic() - start) + line + b"\n")' "$dir/console.log") &
	qemu_pid=$!
	pids+=("$qemu_pid")
}

stop_machine() {
	kill "$qemu_pid" 2>/dev/null || true
	wait "$qemu_pid" 2>/dev/null || true
	qemu_pid=
}

console_time() { # seconds since power-on of the first (or -n N: Nth) console line that matches
	local n=1
	[ "$1" != -n ] || {
		n=$2
		shift 2
	}
	grep -aE -m "$n" -- "$1" "$dir/console.log" 2>/dev/null | tail -n 1 | awk '{ print $1 }' || true
}

cpu_seconds() { # of a process
	awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); printf "%.0f", ($12 + $13) / hz }' "/proc/$1/stat" 2>/dev/null || echo '?'
}

# --- what the API shows of the host ---
hosts() { api GET "/infra-envs/$infra_env_id/hosts"; }
refresh_host() { # fetches the only host into $host (JSON)
	host=$(hosts | jq -c '.[0] // empty')
	[ -n "$host" ]
}
host_field() { jq -r "$1 // empty" <<<"$host"; }
host_is() { # STATUS…: does the host have one of them?
	refresh_host || return 1
	local s
	s=$(host_field .status)
	case $s in
	error) die "the host is in error: $(host_field .status_info)" ;;
	esac
	[[ " $* " == *" $s "* ]]
}

# The inventory must say what QEMU was told.
check_inventory() {
	local want got
	want="$DEMO_CPUS $((DEMO_MEMORY_MIB * 1048576)) $((DEMO_DISK_GB * 1000000000)) $DISK_SERIAL $MAC"
	got=$(host_field .inventory | jq -r '[.cpu.count, .memory.physical_bytes,
		(.disks[] | select(.drive_type != "ODD") | .size_bytes, .serial),
		(.interfaces[] | select(.type == "physical") | .mac_address)] | map(tostring) | join(" ")')
	[ "$want" = "$got" ] || die "the inventory does not match the machine: expected $want, got $got"
}
