#!/bin/bash
# slipway-image customize, show, verify, reset: only the area changes, or nothing.
. "$(dirname "$0")/../lib.sh"
requires jq cmp
make_tmp
id=7e0a1b2c-0001-4002-8003-00000000000a
area_offset=$((21 * 2048)) area_size=8192

put() { # put OFFSET PRINTF-TEXT
	# shellcheck disable=SC2059 # the text is a format: it holds escapes
	printf "$2" | dd of="$TMP/tiny.iso" bs=1 seek="$1" conv=notrunc status=none
}
zeros() { printf '%*s' "$1" '' | sed 's/ /\\0/g'; }
record() { # record OFFSET NAME-LENGTH NAME LBA SIZE-LOW SIZE-HIGH FLAGS: an ECMA-119 directory record; numbers are escapes
	put "$1" "\\$(printf %03o $((33 + $2 + 1 - $2 % 2)))\\0\\$4$(zeros 7)\\$5\\$6$(zeros 13)\\$7$(zeros 6)\\$(printf %03o "$2")$3"
}
# A hand-made ISO 9660 of 32 blocks: /BOOT/TOKEN.IMG at block 21.
truncate -s 65536 "$TMP/tiny.iso"
put 32768 '\001CD001\001'
put $((32768 + 40)) 'TINY                            '
put $((32768 + 80)) '\040'
record $((32768 + 156)) 1 '\0' 022 0 010 002
record $((18 * 2048)) 4 BOOT 023 0 010 002
record $((19 * 2048)) 11 'TOKEN.IMG;1' 025 0 040 0
put 60000 'something behind the area'
cp "$TMP/tiny.iso" "$TMP/before.iso"

image=$BIN/slipway-image
printf 'aaa.bbb.ccc\n' >"$TMP/token"
echo '-----BEGIN CERTIFICATE-----' >"$TMP/ca.pem"
customize() { "$image" customize --url=https://10.0.2.2:9543 --infra-env-id=$id --created=1790000000 "$@"; }

# pristine
[ "$("$image" show --json "$TMP/tiny.iso" | jq -c '[.volume_id, .area.path, .area.offset, .area.length, .token]')" = \
	"[\"TINY\",\"/boot/token.img\",$area_offset,$area_size,null]" ] || fail "show: $("$image" show --json "$TMP/tiny.iso")"

# in place: the area alone
customize --token-file="$TMP/token" --cacert="$TMP/ca.pem" --interval=2 "$TMP/tiny.iso"
cmp -n $area_offset "$TMP/before.iso" "$TMP/tiny.iso" || fail "bytes before the area changed"
cmp -i $((area_offset + area_size)) "$TMP/before.iso" "$TMP/tiny.iso" || fail "bytes behind the area changed"
"$image" show --json "$TMP/tiny.iso" >"$TMP/show.json"
[ "$(jq -c '.token | [.url, .infra_env_id, .token_file, .cacert, .interval, .created]' "$TMP/show.json")" = \
	"[\"https://10.0.2.2:9543\",\"$id\",\"token\",\"ca.pem\",\"2\",\"1790000000\"]" ] || fail "show: $(cat "$TMP/show.json")"
[ "$(jq -r '.token.files[] | select(.path == "etc/slipway/token") | .mode' "$TMP/show.json")" = 0600 ] || fail "the token is readable"
if "$image" show "$TMP/tiny.iso" | grep -q aaa.bbb; then fail "show prints the token"; fi
"$image" verify "$TMP/tiny.iso" >"$TMP/verify"
"$image" verify "$TMP/before.iso" >"$TMP/verify-before"
[ "$(cut -d, -f1 "$TMP/verify")" = "$(cut -d, -f1 "$TMP/verify-before")" ] || fail "verify: another base"

# to a new file: the same bytes, private, and nothing is replaced
customize --token-file="$TMP/token" --cacert="$TMP/ca.pem" --interval=2 --output="$TMP/new.iso" "$TMP/before.iso"
cmp "$TMP/new.iso" "$TMP/tiny.iso" || fail "the copy differs from the one made in place"
[ "$(stat -c %a "$TMP/new.iso")" = 600 ] || fail "the new image can be read by others"
if customize --output="$TMP/new.iso" "$TMP/before.iso" 2>"$TMP/err"; then fail "an image was replaced"; fi
grep -q 'new.iso.*exists' "$TMP/err" || fail "unhelpful: $(cat "$TMP/err")"
[ "$(find "$TMP" -name 'new.iso*' | wc -l)" = 1 ] || fail "a temporary file is left"

# too long, or not for this image: a clear error, and not a byte changed
head -c 9000 /dev/zero | tr '\0' t >"$TMP/long"
cp "$TMP/tiny.iso" "$TMP/saved.iso"
if customize --token-file="$TMP/long" "$TMP/tiny.iso" 2>"$TMP/err"; then fail "an oversized token was taken"; fi
grep -q "the area holds $area_size" "$TMP/err" || fail "unhelpful: $(cat "$TMP/err")"
if customize --token-file="$TMP/long" --output="$TMP/long.iso" "$TMP/tiny.iso" 2>/dev/null; then fail "an oversized token was taken"; fi
[ ! -e "$TMP/long.iso" ] || fail "a failed customize left an image"
if "$image" customize --url=ftp://x --infra-env-id=$id "$TMP/tiny.iso" 2>"$TMP/err"; then fail "a bad URL was taken"; fi
grep -q https "$TMP/err" || fail "unhelpful: $(cat "$TMP/err")"
if customize --token-file="$TMP/absent" "$TMP/tiny.iso" 2>"$TMP/err"; then fail "a missing token file was taken"; fi
grep -q absent "$TMP/err" || fail "unhelpful: $(cat "$TMP/err")"
cmp "$TMP/tiny.iso" "$TMP/saved.iso" || fail "a failed customize changed the image"
if customize "$TMP/token" 2>"$TMP/err"; then fail "a text file was customised"; fi
grep -q 'not an ISO 9660 image' "$TMP/err" || fail "unhelpful: $(cat "$TMP/err")"
[ "$(cat "$TMP/token")" = aaa.bbb.ccc ] || fail "the text file was changed"

# a shorter token leaves nothing of the longer one; reset restores the base
customize "$TMP/tiny.iso"
if grep -aq aaa.bbb "$TMP/tiny.iso"; then fail "the old token is still there"; fi
printf x | dd of="$TMP/tiny.iso" bs=1 seek=$((area_offset + area_size - 1)) conv=notrunc status=none
if "$image" verify "$TMP/tiny.iso" 2>"$TMP/err"; then fail "verify took rubbish behind the segment"; fi
grep -q 'behind the token segment' "$TMP/err" || fail "unhelpful: $(cat "$TMP/err")"
"$image" reset "$TMP/tiny.iso"
cmp "$TMP/tiny.iso" "$TMP/before.iso" || fail "reset does not restore the base"

# --base: another image is told apart
echo '{"files":{"base.iso":{"sha256":"00"}}}' >"$TMP/base.json"
if "$image" verify --base="$TMP/base.json" "$TMP/tiny.iso" 2>/dev/null; then fail "verify took another base"; fi
