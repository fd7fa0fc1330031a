#!/bin/bash
# libhwprobe as others get it: installed, it offers the names of its header and no others, and the examples build against it and run.
. "$(dirname "$0")/../lib.sh"
requires cc c++ pkg-config nm ip
make_tmp
usr=$TMP/root/usr
roots=$TOP/tests/data/roots

(cd "$TOP" && scripts/install-files "$TMP/root" /usr/bin /usr/sbin /usr/lib /usr/include /usr/share /usr/share/man /usr/lib/systemd/system \
	/usr/lib/sysusers.d /usr/lib/tmpfiles.d) || fail "it cannot be installed"

# the names
for link in libhwprobe.so libhwprobe.so.0; do
	[ -L "$usr/lib/$link" ] || fail "the link $link is missing"
done
grep -zoE 'HWP_API[^;]*' "$usr/include/slipway/hwprobe.h" | tr '\0' '\n' | grep -oE '\bhwp_[a-z0-9_]+\(' | tr -d '(' | sort >"$TMP/declared"
nm -D --defined-only "$usr/lib/libhwprobe.so" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort >"$TMP/offered"
[ "$(wc -l <"$TMP/declared")" -gt 20 ] || fail "no names in the header"
diff "$TMP/declared" "$TMP/offered" || fail "the header and the library differ"
nm -D --defined-only "$usr/lib/libhwprobe.so" | grep -vE ' A HWPROBE_0| T hwp_' && fail "more than functions is offered"

# the manual tells of every name, and of every member of the options
grep -oE '\bHWP_[A-Z0-9_]+\b' "$usr/include/slipway/hwprobe.h" | grep -vx HWP_API | sort -u >"$TMP/constants"
sed -n '/^struct hwp_options {/,/^};/s/.*\b\([a-z_]*\);.*/\1/p; s/^\tvoid (\*\([a-z]*\)).*/\1/p' "$usr/include/slipway/hwprobe.h" >"$TMP/members"
[ "$(wc -l <"$TMP/constants")" -gt 20 ] || fail "no constants in the header"
[ "$(wc -l <"$TMP/members")" -gt 10 ] || fail "no options in the header"
while read -r name; do
	grep -qw "$name" "$usr/share/man/man3/libhwprobe.3" || fail "$name is not in the manual"
done < <(cat "$TMP/declared" "$TMP/constants" "$TMP/members")

# what a program needs to build with it
export PKG_CONFIG_PATH=$usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$TMP/root
[ "$(pkg-config --modversion libhwprobe)" = "$(cat "$TOP/VERSION")" ] || fail "the version of the .pc file is wrong"
read -ra cflags <<<"$(pkg-config --cflags libhwprobe)"
read -ra libs <<<"$(pkg-config --libs libhwprobe)"
for example in disks watch; do
	cc -std=c99 -D_POSIX_C_SOURCE=200809L -pedantic-errors -Wall -Wextra -Werror "${cflags[@]}" -o "$TMP/$example" "$TOP/hwprobe/examples/$example.c" "${libs[@]}" ||
		fail "the example $example does not build"
done
printf '#include <slipway/hwprobe.h>\nint main() { return hwp_open(0, 0) == 12345; }\n' >"$TMP/x.cc"
c++ -std=c++11 -Wall -Werror "${cflags[@]}" -o "$TMP/x" "$TMP/x.cc" "${libs[@]}" || fail "the header is no C++"
unset PKG_CONFIG_SYSROOT_DIR
export LD_LIBRARY_PATH=$usr/lib

# the examples
"$TMP/disks" "$roots/s390-dasd/root" >"$TMP/out" || fail "the example disks fails"
grep -q '^/dev/dasdb: 7385333760 bytes, ECKD$' "$TMP/out" || fail "the disk is not shown: $(cat "$TMP/out")"
"$TMP/disks" "$roots/no-udev-virtio/root" >"$TMP/out" 2>"$TMP/err" || fail "the example disks fails"
grep -q 'proc/self/mountinfo' "$TMP/err" || fail "the broken file is not named"
"$TMP/disks" "$roots/fc-multipath/root" >"$TMP/out" || fail "the example disks fails"
grep -qP '^\tno: ' "$TMP/out" || fail "no reason is shown: $(cat "$TMP/out")"
"$TMP/disks" "$TMP/nothing" >"$TMP/out" 2>"$TMP/err" && fail "a folder that is not there is shown"
grep -q 'cannot open' "$TMP/err" || fail "no message"
"$TMP/watch" 0 >"$TMP/out" || fail "the example watch fails"
grep -q '\blo\b' "$TMP/out" || fail "lo is not shown"

unshare -n true 2>/dev/null || skip "the example watch cannot be shown a change: no network namespaces here"
# shellcheck disable=SC2016
unshare -n timeout 20 bash -c '"$0" 1 >"$1" & watcher=$!
	for _ in $(seq 100); do [ -s "$1" ] && break; sleep 0.05; done
	ip link set lo up
	wait $watcher' "$TMP/watch" "$TMP/changes" || fail "the change was not seen"
[ "$(cat "$TMP/changes")" = "lo
lo (carrier)" ] || fail "the change is not told: $(cat "$TMP/changes")"
