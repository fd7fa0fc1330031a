#!/bin/bash
# slipwayctl and the serving of images: base images, discovery ISOs, OS images, tokens, users, backup; nothing half-done survives.
. "$(dirname "$0")/../lib.sh"
make_tmp
. "$(dirname "$0")/service-lib.bash"
requires sfdisk zstd

: >"$TMP/slipwayd.conf"
start_service --auth=local
make_infra_env

# --- without a base image: 503, with the remedy ---
open -o "$TMP/answer" -w '%{http_code}' "$ISO_URL" | grep -qx 503 || fail "no 503 without a base image"
grep -q 'slipwayctl base-image add' "$TMP/answer" || fail "the answer does not name the remedy: $(cat "$TMP/answer")"

# --- base image ---
make_base "$TMP/base" 4
"${CTL[@]}" base-image add "$TMP/base" 2>"$TMP/progress" || fail "base-image add"
grep -q '100 %' "$TMP/progress" || fail "no progress was shown"
"${CTL[@]}" base-image list | grep -q 6.1.0-test || fail "base-image list"
if "${CTL[@]}" base-image add "$TMP" 2>"$TMP/err"; then fail "a folder without base.json was taken"; fi
grep -q base.json "$TMP/err" || fail "unclear: $(cat "$TMP/err")"

# --- damaged: nothing changes ---
cp -r "$TMP/base" "$TMP/bad"
printf x | dd of="$TMP/bad/base.iso" bs=1 seek=3000000 conv=notrunc status=none
if "${CTL[@]}" base-image add "$TMP/bad" 2>"$TMP/err"; then fail "a damaged base image was taken"; fi
grep -q damaged "$TMP/err" || fail "unclear: $(cat "$TMP/err")"
[ "$(ls "$TMP/state/base-images")" = x86_64 ] || fail "leftovers: $(ls "$TMP/state/base-images")"

# --- the ISO: the base with a token in it, the same bytes every time, in ranges too ---
open -o "$TMP/one.iso" -D "$TMP/headers" "$ISO_URL"
open -o "$TMP/two.iso" "$ISO_URL"
cmp "$TMP/one.iso" "$TMP/two.iso" || fail "two downloads differ"
grep -qi 'filename=.*-discovery.iso' "$TMP/headers" || fail "no file name: $(cat "$TMP/headers")"
grep -qi '^accept-ranges: bytes' "$TMP/headers" || fail "no ranges"
python3 - "$TMP/one.iso" "$TMP/base/base.iso" "$IE" <<'X' || fail "more than the token's area differs, or the area lacks the infra-env"
import sys
a, b = open(sys.argv[1], "rb").read(), open(sys.argv[2], "rb").read()
first, end = 20 * 2048, 20 * 2048 + (256 << 10)
assert len(a) == len(b) and a[:first] == b[:first] and a[end:] == b[end:]
assert a[first:first + 6] == b"070701" and sys.argv[3].encode() in a[first:end]
X
etag=$(sed -n 's/^[Ee][Tt][Aa][Gg]: *//p' "$TMP/headers" | tr -d '\r')
open -o "$TMP/piece" -r 40000-50000 -H "If-Range: $etag" "$ISO_URL"
cmp "$TMP/piece" <(tail -c +40001 "$TMP/one.iso" | head -c 10001) || fail "a range differs"
[ "$(status_of -I "$ISO_URL")" = 200 ] || fail "HEAD"
[ "$(status_of "${ISO_URL%/*}/disconnected.iso")" = 404 ] || fail "an image that there is not"
[ "$(status_of "${ISO_URL/byapikey\/????/byapikey/xxxx}")" = 404 ] || fail "a wrong handle"
[ "$(status_of "https://$HTTPS/byid/$IE/1.0/x86_64/full.iso")" = 401 ] || fail "by id without credentials"
[ "$(open -o /dev/null -u "admin:$PASSWORD" -w '%{http_code}' "https://$HTTPS/byid/$IE/1.0/x86_64/full.iso")" = 200 ] || fail "by id"

# --- network boot ---
open "http://$HTTP/boot-artifacts/kernel?arch=x86_64" | cmp - "$TMP/base/vmlinuz" || fail "kernel"
handle=$(echo "$ISO_URL" | cut -d/ -f5)
open "http://$HTTP/images/$IE/pxe-initrd?api_key=$handle" -o "$TMP/initrd"
[ "$(head -c 10 "$TMP/initrd")" = initrd.img ] || fail "initrd"
[ "$(tail -c +13 "$TMP/initrd" | head -c 6)" = 070701 ] || fail "the segment does not begin at a multiple of four"
[ "$(status_of "http://$HTTP/images/$IE/pxe-initrd")" = 401 ] || fail "the initrd holds a token"

# --- OS image ---
truncate -s 64M "$TMP/disk.img"
printf 'label: gpt\n,32M,U\n' | sfdisk -q "$TMP/disk.img"
head -c 5000000 /dev/urandom | dd of="$TMP/disk.img" bs=1M seek=3 conv=notrunc status=none
id=$("${CTL[@]}" os-image add --label='my disk' --os-version=9.9 "$TMP/disk.img" 2>/dev/null) || fail "os-image add"
[ "${#id}" = 64 ] || fail "no id: $id"
open -o "$TMP/p.zst" -D "$TMP/headers" "http://$HTTP/os-images/$id/image.raw.zst"
grep -qi immutable "$TMP/headers" || fail "the payload may be kept for ever"
zstd -dqf "$TMP/p.zst" -o "$TMP/back.img"
cmp "$TMP/back.img" "$TMP/disk.img" || fail "the payload is not the image"
token=$("${CTL[@]}" tokens agent "$IE")
[ "$(status_of "https://$HTTPS/os-images/$id/image.slx")" = 401 ] || fail "the index without a token"
[ "$(status_of "http://$HTTP/os-images/$id/image.slx" -H "X-Secret-Key: $token")" = 404 ] || fail "the index without TLS"
open -H "X-Secret-Key: $token" "https://$HTTPS/os-images/$id/image.slx" | head -c 8 | grep -qx SLIPIDX1 || fail "index"
"${CTL[@]}" os-image list | grep -q "${id:0:16}.*yes.*my disk" || fail "os-image list"

# --- bad images leave nothing ---
head -c 2000000 /dev/urandom >"$TMP/noise"
if "${CTL[@]}" os-image add "$TMP/noise" 2>"$TMP/err"; then fail "noise was taken"; fi
[ "$(ls "$TMP/state/os-images")" = "$id" ] || fail "leftovers: $(ls "$TMP/state/os-images")"

is_converting() {
	compgen -G "$TMP/state/os-images/tmp-*" >/dev/null
}

# --- slipwayctl ends in the middle: the work ends ---
mkfifo "$TMP/slow"
"${CTL[@]}" os-image add "$TMP/slow" 2>/dev/null &
ctl=$!
exec 7>"$TMP/slow"
head -c 1500000 "$TMP/disk.img" >&7
for _ in $(seq 50); do
	is_converting && break
	sleep 0.1
done
is_converting || fail "the conversion did not begin"
kill "$ctl"
wait "$ctl" 2>/dev/null || true
for _ in $(seq 50); do
	is_converting || break
	sleep 0.1
done
exec 7>&-
[ "$(ls "$TMP/state/os-images")" = "$id" ] || fail "the conversion went on alone"

# --- tokens, users ---
"${CTL[@]}" tokens revoke "$IE"
[ "$(status_of "https://$HTTPS/os-images/$id/image.slx" -H "X-Secret-Key: $token")" = 401 ] || fail "a revoked token"
new=$("${CTL[@]}" tokens agent "$IE")
[ "$(status_of "https://$HTTPS/os-images/$id/image.slx" -H "X-Secret-Key: $new")" = 200 ] || fail "the token after a revocation"
[ "$("${CTL[@]}" tokens agent "$IE" | wc -l)" = 1 ] || fail "more than the token was printed"
password=$("${CTL[@]}" users add --role=read-only eve)
if "${CTL[@]}" users add eve >"$TMP/out" 2>/dev/null; then fail "a user was added twice"; fi
[ ! -s "$TMP/out" ] || fail "a password that is nobody's was printed"
[ "$(status_of -u "eve:$password" "https://$HTTPS/api/assisted-install/v2/infra-envs")" = 200 ] || fail "the new user"
[ "$(status_of -u "eve:$password" -X DELETE "https://$HTTPS/api/assisted-install/v2/infra-envs/$IE")" = 403 ] || fail "a reader may not delete"
echo another-password | "${CTL[@]}" users passwd --password-file=- eve
[ "$(status_of -u "eve:$password" "https://$HTTPS/api/assisted-install/v2/infra-envs")" = 401 ] || fail "the old password"
[ "$(status_of -u eve:another-password "https://$HTTPS/api/assisted-install/v2/infra-envs")" = 200 ] || fail "the new password"
if echo short | "${CTL[@]}" users passwd --password-file=- eve 2>/dev/null; then fail "a short password"; fi
"${CTL[@]}" users remove eve
if "${CTL[@]}" users remove admin 2>/dev/null; then fail "the last administrator was removed"; fi

# --- backup ---
"${CTL[@]}" backup "$TMP/backup.db"
[ "$(stat -c %a "$TMP/backup.db")" = 600 ] || fail "others may read the backup"
python3 - "$TMP/backup.db" <<'X' || fail "the backup"
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
assert db.execute("SELECT count(*) FROM infra_env").fetchone() == (1,)
X
if "${CTL[@]}" backup "$TMP/backup.db" 2>/dev/null; then fail "an older backup was written over"; fi

# --- kill -9 in the middle of an addition, start again ---
"${CTL[@]}" os-image add "$TMP/slow" 2>/dev/null &
ctl=$!
exec 7>"$TMP/slow"
head -c 1500000 "$TMP/disk.img" >&7
for _ in $(seq 50); do
	is_converting && break
	sleep 0.1
done
stop_service KILL
exec 7>&-
wait "$ctl" 2>/dev/null && fail "slipwayctl says that it was done"
start_service --auth=local
[ "$(ls "$TMP/state/os-images")" = "$id" ] || fail "leftovers after a crash: $(ls "$TMP/state/os-images")"
[ "$("${CTL[@]}" --json os-image list | grep -c '"default": true')" = 1 ] || fail "the default image is forgotten"
open -o "$TMP/three.iso" "https://$HTTPS/byapikey/$handle/1.0/x86_64/full.iso"
[ "$(stat -c %s "$TMP/three.iso")" = "$(stat -c %s "$TMP/one.iso")" ] || fail "the ISO after a new start"

# --- removal ---
"${CTL[@]}" os-image remove "${id:0:12}"
[ -z "$(ls "$TMP/state/os-images")" ] || fail "the files of a removed image are there"
[ "$(status_of "http://$HTTP/os-images/$id/image.raw.zst")" = 404 ] || fail "a removed image is served"
"${CTL[@]}" base-image remove x86_64
[ "$(status_of "https://$HTTPS/byapikey/$handle/1.0/x86_64/full.iso")" = 503 ] || fail "a removed base image is served"

stop_service TERM
if "${CTL[@]}" status 2>"$TMP/err"; then fail "status without a service"; fi
grep -q 'is it running' "$TMP/err" || fail "unclear: $(cat "$TMP/err")"
