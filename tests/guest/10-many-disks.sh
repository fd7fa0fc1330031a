# shellcheck shell=dash disable=SC2154 # sourced by the guest's init, which has the functions used here
# 64 SCSI and 4 NVMe disks: inventory beside its peers, what it costs beside merely reading the same, disks and interfaces that come and go.
echo 0 >/sys/devices/system/cpu/cpu3/online
keep_peers
keep_inventory

# --- what it costs: the other side makes the list of what was read from the trace; tracing takes minutes, so only when it is asked for ---
cost() {
	keep trace.txt strace -f -y -s 4096 --seccomp-bpf -e trace=open,openat,openat2,readlink,readlinkat -o /tmp/trace slipway-hwprobe --timeout=60000
	cp /tmp/trace /out/trace
	step inputs
	cp /out/inputs /tmp/inputs
	keep calls.txt strace -f -c -U calls,name -o /tmp/calls slipway-hwprobe --timeout=60000
	keep calls-read.txt strace -f -c -U calls,name -o /tmp/calls-read guest-read /tmp/inputs
	cp /tmp/calls /tmp/calls-read /out
	# by turns: what else runs on the machine around this one is then the same for all
	for round in 1 2 3 4; do
		keep "cost-probe-$round.json" bench-measure 3 slipway-hwprobe
		keep "cost-read-$round.json" bench-measure 3 guest-read /tmp/inputs
		keep "cost-start-$round.json" bench-measure 3 slipway-hwprobe --version
	done
	keep cost-lsblk-1.json bench-measure 2 lsblk -J -O
}
! grep -q slipway.figures /proc/cmdline || cost

# --- things that come and go ---
start_watching
change plug-disk
hot=
for d in /sys/block/sd*; do
	[ "$(readlink -f "$d/device" | grep -c ':0:100:')" = 0 ] || hot=${d##*/}
done
echo "$hot" >/out/hot-disk
cp "/run/udev/data/b$(cat "/sys/block/$hot/dev")" /out/hot-disk.udev
change unplug-disk
change plug-nic
for i in /sys/class/net/*; do
	[ "$(cat "$i/address")" != 52:54:00:00:00:99 ] || cp "/run/udev/data/n$(cat "$i/ifindex")" /out/hot-nic.udev
done
change unplug-nic
stop_watching
