# shellcheck shell=dash disable=SC2154 # sourced by the guest's init, which has the functions used here
# What the firmware says of Secure Boot, for the other side to compare.
keep secure-boot od -An -tx1 /sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
keep_peers
keep_inventory
! grep -q slipway.hotplug /proc/cmdline || {
	start_watching
	change plug-disk
	cp "/run/udev/data/b$(cat /sys/block/vdb/dev)" /out/hot-disk.udev
	stop_watching
}
