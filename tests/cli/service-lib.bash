# shellcheck shell=bash
# For tests of a running slipwayd: `. service-lib.bash` behind lib.sh and make_tmp.
requires curl python3

SLIPWAYD_PID=
CTL=("$BIN/slipwayctl" "--state-dir=$TMP/state")

# start_service [OPTION...]: on free ports of the loopback; sets HTTPS, HTTP, PASSWORD
start_service() {
	rm -f "$TMP/ready"
	mkfifo "$TMP/ready"
	"$BIN/slipwayd" --config="$TMP/slipwayd.conf" --state-dir="$TMP/state" --https=127.0.0.1:0 --http=127.0.0.1:0 --ready-fd=9 "$@" \
		9>"$TMP/ready" 2>>"$TMP/slipwayd.log" &
	SLIPWAYD_PID=$!
	local line
	read -r -t 20 line <"$TMP/ready" || fail "slipwayd did not start: $(cat "$TMP/slipwayd.log")"
	HTTPS=$(field "$line" https)
	HTTP=$(field "$line" http)
	PASSWORD=$(cat "$TMP/state/admin-password")
}

# stop_service TERM|KILL: by TERM it must end well
stop_service() {
	local pid=$SLIPWAYD_PID status=0
	[ -n "$pid" ] || return 0
	SLIPWAYD_PID=
	kill "-$1" "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || status=$?
	[ "$1" = KILL ] || [ "$status" = 0 ] || fail "slipwayd ended with $status: $(tail -n 40 "$TMP/slipwayd.log")"
}

cleanup() {
	stop_service KILL
}

# field JSON NAME: a member of an object
field() {
	python3 -c 'import json, sys; print(json.loads(sys.argv[1])[sys.argv[2]])' "$1" "$2"
}

# Requests as the administrator, and as nobody.
api() {
	curl -sS --fail-with-body --max-time 60 --cacert "$TMP/state/ca.pem" -u "admin:$PASSWORD" "$@"
}

open() {
	curl -sS --max-time 60 --cacert "$TMP/state/ca.pem" "$@"
}

status_of() {
	open -o /dev/null -w '%{http_code}' "$@"
}

# Makes an infra-env; sets IE and ISO_URL.
make_infra_env() {
	local body
	body=$(api -H 'Content-Type: application/json' -d '{"name":"t","pull_secret":"{\"auths\":{\"r.example.com\":{\"auth\":\"dTpw\"}}}"}' \
		"https://$HTTPS/api/assisted-install/v2/infra-envs") || fail "no infra-env: $body"
	IE=$(field "$body" id)
	body=$(api "https://$HTTPS/api/assisted-install/v2/infra-envs/$IE/downloads/image-url")
	ISO_URL=$(field "$body" url)
}

# make_base DIR MEGABYTES: a base image as slipway-image would write it, but with a small ISO 9660 file system that holds the token's area only
make_base() {
	python3 - "$1" "$2" <<'X'
import hashlib, json, os, struct, sys
out, size = sys.argv[1], int(sys.argv[2]) << 20
SECTOR, AREA = 2048, 256 << 10
def both(v, n): # ECMA-119 7.2.3, 7.3.3: both byte orders
    return v.to_bytes(n, "little") + v.to_bytes(n, "big")
def record(name, extent, length, flags):
    r = bytes([0]) + both(extent, 4) + both(length, 4) + bytes(7) + bytes([flags, 0, 0]) + both(1, 2) + bytes([len(name)]) + name
    r += bytes(len(r) + 1 & 1)
    return bytes([len(r) + 1]) + r
def folder(own, parent, entries):
    return (record(b"\0", own, SECTOR, 2) + record(b"\1", parent, SECTOR, 2) + b"".join(entries)).ljust(SECTOR, b"\0")
ROOT, BOOT, TOKEN = 18, 19, 20
pvd = bytearray(SECTOR)
pvd[0:7] = b"\1CD001\1"
pvd[40:72] = b"TEST".ljust(32)
pvd[80:88] = both(size // SECTOR, 4)
pvd[120:124] = pvd[124:128] = both(1, 2)
pvd[128:132] = both(SECTOR, 2)
pvd[156:190] = record(b"\0", ROOT, SECTOR, 2)
pvd[881] = 1
end = b"\xffCD001\1".ljust(SECTOR, b"\0")
os.makedirs(out)
with open(out + "/base.iso", "wb") as f:
    f.truncate(size)
    for sector, data in ((16, pvd), (17, end), (ROOT, folder(ROOT, ROOT, [record(b"BOOT", BOOT, SECTOR, 2)])),
                         (BOOT, folder(BOOT, ROOT, [record(b"TOKEN.IMG;1", TOKEN, AREA, 0)]))):
        f.seek(sector * SECTOR)
        f.write(data)
    f.seek(size - 7)
    f.write(b"the end")
for name in ("vmlinuz", "initrd.img"):
    open(out + "/" + name, "w").write(name + "\n")
def describe(name):
    data = open(out + "/" + name, "rb").read()
    return {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
json.dump({"format": 1, "version": "test", "kernel": "6.1.0-test", "architecture": "x86_64", "created": 1790000000,
           "files": {n: describe(n) for n in ("base.iso", "vmlinuz", "initrd.img")},
           "token_area": {"path": "/boot/token.img", "offset": TOKEN * SECTOR, "length": AREA}}, open(out + "/base.json", "w"))
X
}
