#!/bin/sh
# shellcheck shell=dash
# The first process of a test guest: mounts, udev, then the script that the kernel command line names (slipway.guest=NAME). Files in /out are files on
# the other side; lines to the port go to the test there, which answers when it is asked (step).
export LVM_SUPPRESS_FD_WARNINGS=1 PATH=/sbin:/usr/sbin:/bin:/usr/bin LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
[ ! -d /sys/firmware/efi ] || mount -t efivarfs efivarfs /sys/firmware/efi/efivars
hostname node-7731
modprobe -a virtio_pci virtio_console 9p 9pnet_virtio
mount -t 9p -o trans=virtio,version=9p2000.L,msize=131072 out /out
mkdir -p /run/udev /run/lock /run/lvm

/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=add --type=subsystems
udevadm trigger --action=add --type=devices
udevadm settle --timeout=60

port=
for p in /sys/class/virtio-ports/*; do
	[ "$(cat "$p/name")" != slipway ] || port=/dev/${p##*/}
done
exec 3<>"$port"
echo up >&3

say() { echo "$*" >&3; }
# step NAME: the test on the other side does something and answers
step() {
	say "step $*"
	read -r answer <&3
	[ "$answer" = go ] || say "failed step $*: answered $answer"
}
# must WHAT COMMAND...: preparing the guest; what fails is told, and what was to be tested cannot be
must() {
	local what=$1
	shift
	"$@" >/tmp/must 2>&1 || say "failed $what: status $?: $(tail -n 3 /tmp/must | tr '\n' ' ')"
}
# keep NAME COMMAND...: its output and status, for the other side to judge
keep() {
	local name=$1 status=0
	shift
	"$@" >"/out/$name" 2>"/out/$name.err" || status=$?
	echo $status >"/out/$name.status"
}
find_links() {
	local l
	for l in /dev/disk/by-*/*; do
		[ ! -e "$l" ] || echo "$l $(readlink -f "$l")"
	done
}
# What other programs know of this machine.
keep_peers() {
	keep lsblk.json lsblk -J -b -O
	keep lscpu.json lscpu -J
	keep link.json ip -j -d link show
	keep addr.json ip -j addr show
	keep route4.json ip -j -4 route show table main
	keep route6.json ip -j -6 route show table main
	keep links.txt find_links
	keep dmidecode.txt dmidecode
	keep udev.txt udevadm info --export-db
	cat /proc/meminfo >/out/meminfo
	for i in /sys/class/net/*; do
		i=${i##*/}
		keep "ethtool-$i.txt" ethtool -P "$i"
		[ ! -e "/sys/class/net/$i/device" ] || keep "ethtool-speed-$i.txt" ethtool "$i"
	done
}
# The inventory, and the same from a record of this machine.
keep_inventory() {
	keep assisted.json slipway-hwprobe
	keep full.json slipway-hwprobe --format=full
	keep text.txt slipway-hwprobe --format=text
	keep recorded.json slipway-hwprobe --record=/tmp/record --scrub
	keep replayed.json slipway-hwprobe --sysroot=/tmp/record
	keep plain-recorded.json slipway-hwprobe --record=/tmp/plain
	keep plain-replayed.json slipway-hwprobe --sysroot=/tmp/plain
	tar -C /tmp -cf /tmp/record.tar record
	cp /tmp/record.tar /out
}

# slipway-hwprobe --watch, each line with the time it came.
start_watching() {
	true >/tmp/watch
	slipway-hwprobe --watch 2>/out/watch.err | guest-stamp >/tmp/watch &
	wait_lines 1
}
wait_lines() {
	local n=0
	while [ "$(wc -l </tmp/watch)" -lt "$1" ] && [ $n -lt 150 ]; do
		n=$((n + 1))
		sleep 0.1
	done
}
# change STEP: what the other side does is told by a line, and then there is silence
change() {
	local seen
	seen=$(wc -l </tmp/watch)
	step "$1"
	wait_lines $((seen + 1))
	udevadm settle --timeout=20
	sleep 0.7
}
stop_watching() {
	cp /tmp/watch /out/watch.txt
}

guest=$(sed -n 's/.*slipway\.guest=\([a-z0-9-]*\).*/\1/p' /proc/cmdline)
# shellcheck source=/dev/null
. "/guest/$guest.sh"
dmesg >/out/dmesg
sync
say end
umount /out
poweroff -f
