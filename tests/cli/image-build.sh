#!/bin/bash
# slipway-image build: the same inputs give the same bytes, whatever the environment; the result is what base.json says.
# SLIPWAY_PACKAGE_ROOT: a tree of unpacked packages; without it scripts/package-root makes one (in a cache).
. "$(dirname "$0")/../lib.sh"
requires depmod grub-mkimage jq zstd sha256sum
make_tmp

root=${SLIPWAY_PACKAGE_ROOT:-}
if [ -z "$root" ]; then
	root=$("$TOP/scripts/package-root") || skip "scripts/package-root found no packages"
	[ ! -d "$root/root" ] || root=$root/root
fi
agent=$BIN/slipway-agent
[ -x "$agent" ] || agent=$BIN/slipway-image # any program with libraries

build() { # build DIR [OPTION...]
	local dir=$1
	shift
	"$BIN/slipway-image" build --root="$root" --agent="$agent" --data-dir="$TOP/imagebuilder" --output="$dir" "$@"
}

mkdir "$TMP/elsewhere"
build "$TMP/a" --level=1 >"$TMP/out"
[ "$(cat "$TMP/out")" = "$TMP/a/base.iso" ] || fail "unexpected output: $(cat "$TMP/out")"
(
	umask 077
	cd /
	TZ=Asia/Tokyo TMPDIR=$TMP/elsewhere LC_ALL=C.UTF-8 build "$TMP/b" --level=1 >/dev/null
)
for file in base.iso vmlinuz initrd.img base.json; do
	cmp "$TMP/a/$file" "$TMP/b/$file" || fail "$file differs between two builds"
done
[ -z "$(ls -A "$TMP/elsewhere")" ] || fail "temporary files are left"

for file in base.iso vmlinuz initrd.img; do
	[ "$(jq -r ".files.\"$file\".sha256" "$TMP/a/base.json")" = "$(sha256sum <"$TMP/a/$file" | cut -c1-64)" ] ||
		fail "base.json has another digest of $file"
	[ "$(jq -r ".files.\"$file\".size_bytes" "$TMP/a/base.json")" = "$(stat -c %s "$TMP/a/$file")" ] ||
		fail "base.json has another size of $file"
done
for module in virtio_net virtio_blk nvme e1000e ahci ext4 xfs vfat loop efivarfs crc32c_generic mpt3sas ice; do
	jq -e ".modules | index(\"$module\")" "$TMP/a/base.json" >/dev/null || fail "the server profile lacks $module"
done
[ "$(stat -c %s "$TMP/a/base.iso")" -le $((80 << 20)) ] || fail "the ISO is larger than 80 MiB"
"$BIN/slipway-image" verify --base="$TMP/a/base.json" "$TMP/a/base.iso"

# In the archive: names at their places, no rule that assembles anything.
zstd -dcq "$TMP/a/initrd.img" | tr '\0' '\n' >"$TMP/names"
for name in init usr/bin/slipway-agent usr/bin/busybox usr/sbin/modprobe usr/bin/udevadm usr/lib/slipway/dhcp \
	usr/lib/udev/rules.d/60-persistent-storage.rules usr/lib/udev/ata_id; do
	grep -aqE "(^|[0-9A-F])$name\$" "$TMP/names" || fail "the initramfs lacks $name"
done
if grep -aqE '[0-9A-F]usr/lib/udev/rules\.d/[0-9]+-(md|lvm|dm|btrfs|multipath)' "$TMP/names"; then fail "a rule assembles devices"; fi
if grep -aqE '[0-9A-F](usr/lib|etc)/udev/hwdb\.bin$' "$TMP/names"; then fail "hwdb.bin is in the initramfs"; fi

# Another date and another profile are other images.
build "$TMP/c" --level=1 --profile=virt --epoch=1700000000 >/dev/null
[ "$(jq -r .created "$TMP/c/base.json")" = 1700000000 ] || fail "--epoch is not the date"
if jq -e '.modules | index("mpt3sas")' "$TMP/c/base.json" >/dev/null; then fail "the virt profile has mpt3sas"; fi
[ "$(stat -c %s "$TMP/c/base.iso")" -lt "$(stat -c %s "$TMP/a/base.iso")" ] || fail "the virt profile is not smaller"

# A failed build does not leave a folder that looks complete.
if build "$TMP/d" --grub-dir="$TMP/nothing" 2>"$TMP/err"; then fail "built without GRUB"; fi
grep -q 'grub-efi-amd64-bin.*--grub-dir' "$TMP/err" || fail "unhelpful: $(cat "$TMP/err")"
[ ! -e "$TMP/d/base.json" ] || fail "a failed build left base.json"

# what must be named is a matter of usage
for verb in build "os-image /dev/null"; do
	status=0
	# shellcheck disable=SC2086 # a verb and its operand
	"$BIN/slipway-image" $verb 2>"$TMP/err" || status=$?
	[ $status = 2 ] || fail "$verb without --output ended with $status"
	grep -q -e --output "$TMP/err" || fail "$verb without --output said: $(cat "$TMP/err")"
done
