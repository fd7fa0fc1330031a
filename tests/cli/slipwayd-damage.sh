#!/bin/bash
# A full disk, a damaged store, lost keys: what was answered stays, nothing is replaced in passing, messages name the file.
. "$(dirname "$0")/../lib.sh"
make_tmp
. "$(dirname "$0")/service-lib.bash"
db=$TMP/state/slipway.db
: >"$TMP/slipwayd.conf"

# --- no room: 500 and nothing half-done; reading, polling and health go on ---
trap '' XFSZ # so that a write above the limit fails as on a full disk, for slipwayd too
ulimit -S -f 700
start_service --auth=none
ulimit -S -f unlimited
base=http://$HTTP/api/assisted-install/v2
secret='{\"auths\":{\"q\":{\"auth\":\"dTpw\"}}}'
post() {
	curl -sS --max-time 60 -o "$TMP/answer" -w '%{http_code}' -H 'Content-Type: application/json' -d "$1" "$base/$2"
}
count() {
	curl -sS --max-time 60 "$base/infra-envs" | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'
}
[ "$(post "{\"name\":\"p\",\"pull_secret\":\"$secret\"}" infra-envs)" = 201 ] || fail "no infra-env: $(cat "$TMP/answer")"
ie=$(field "$(cat "$TMP/answer")" id)
host=5f0c1111-2222-4333-8444-555566667777
[ "$(post "{\"host_id\":\"$host\"}" "infra-envs/$ie/hosts")" = 201 ] || fail "no host: $(cat "$TMP/answer")"
name=$(printf '%020000d' 0)
made=1
for _ in $(seq 100); do
	status=$(post "{\"name\":\"$name\",\"pull_secret\":\"$secret\"}" infra-envs)
	[ "$status" = 201 ] || break
	made=$((made + 1))
done
[ "$status" = 500 ] || fail "a full disk is answered by $status"
grep -q 'taken back' "$TMP/answer" || fail "the answer does not say what became of the change: $(cat "$TMP/answer")"
[ "$made" -gt 2 ] || fail "the limit came too early for this test"
[ "$(count)" = "$made" ] || fail "$(count) infra-envs, $made were answered"
[ "$(status_of "http://$HTTP/health")" = 200 ] || fail "no health on a full disk"
[ "$(status_of "$base/infra-envs/$ie/hosts/$host/instructions")" = 200 ] || fail "no polls on a full disk"
grep -q 'full\|I/O' "$TMP/slipwayd.log" || fail "the log does not say why: $(cat "$TMP/slipwayd.log")"
stop_service KILL

# --- with room again nothing is missing ---
start_service --auth=none
base=http://$HTTP/api/assisted-install/v2
[ "$(count)" = "$made" ] || fail "after a kill: $(count) infra-envs, $made were answered"
[ "$(post "{\"name\":\"$name\",\"pull_secret\":\"$secret\"}" infra-envs)" = 201 ] || fail "not even with room: $(cat "$TMP/answer")"
stop_service TERM

# refused WORDS: slipwayd does not start, says WORDS, and leaves the store as it is
refused() {
	local before status=0
	before=$(sha256sum "$db")
	timeout 20 "$BIN/slipwayd" --config="$TMP/slipwayd.conf" --state-dir="$TMP/state" --https=127.0.0.1:0 --http=off 2>"$TMP/err" || status=$?
	[ $status = 1 ] || fail "$1: status $status, $(cat "$TMP/err")"
	grep -q "$1" "$TMP/err" || fail "wanted \"$1\", it said: $(cat "$TMP/err")"
	[ "$(sha256sum "$db")" = "$before" ] || fail "$1: the store was changed"
}
keep() { cp -p "$TMP/state/$1" "$TMP/kept"; }
restore() { cp -p "$TMP/kept" "$TMP/state/$1"; }

# --- a damaged store ---
keep slipway.db
truncate -s 10000 "$db"
refused malformed
head -c 8192 /dev/urandom >"$db"
refused "not a database"
restore slipway.db
python3 -c 'import os, sys; f = open(sys.argv[1], "r+b"); f.seek(8192); f.write(os.urandom(16384))' "$db"
refused store
: >"$db"
refused 'slipway.db is empty.*from a backup, or remove it'
restore slipway.db

# --- lost and damaged keys ---
for name in ca.pem ca-key.pem store-key; do
	keep "$name"
	rm "$TMP/state/$name"
	refused "$name\|key file"
	echo garbage >"$TMP/state/$name"
	chmod 600 "$TMP/state/$name"
	refused "$name\|key"
	restore "$name"
done
keep token-key.pem
rm "$TMP/state/token-key.pem"
: >"$TMP/slipwayd.log"
start_service --auth=none
grep -q 'token-key.pem was missing' "$TMP/slipwayd.log" || fail "a lost token key is not told: $(cat "$TMP/slipwayd.log")"
[ "$(status_of "http://$HTTP/health")" = 200 ] || fail "no service"
stop_service TERM
