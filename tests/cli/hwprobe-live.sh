#!/bin/bash
# What only a traced program or namespaces of its own can show: nothing is executed or written, --watch tells of the network, and a machine without /proc or /sys is
# no complete inventory.
. "$(dirname "$0")/../lib.sh"
requires python3 ip unshare strace
make_tmp
hwprobe=$BIN/slipway-hwprobe

strace -qq -o "$TMP/trace" true 2>/dev/null || skip "no process may be traced here"
unshare -mn true 2>/dev/null || skip "no namespaces here"

strace -qq -o "$TMP/trace" -f -e trace=execve,write,rename,unlink,mkdir "$hwprobe" >/dev/null 2>&1 || [ $? = 3 ] || fail "it failed"
[ "$(grep -c 'execve(' "$TMP/trace")" = 1 ] || fail "something was executed: $(cat "$TMP/trace")"
! grep -E 'write\(|rename|unlink|mkdir' "$TMP/trace" | grep -vE 'write\([12],' || fail "something was written"

# changes of the network
# shellcheck disable=SC2016
unshare -n bash -c '"$0" --watch --parts=interfaces >"$1" & watcher=$!
	for _ in $(seq 100); do [ -s "$1" ] && break; sleep 0.05; done
	ip link set lo up
	for _ in $(seq 100); do [ "$(wc -l <"$1")" -ge 2 ] && break; sleep 0.05; done
	kill $watcher' "$hwprobe" "$TMP/watch"
python3 - "$TMP/watch" <<'X' || fail "the change was not told"
import json, sys
first, second = [json.loads(l) for l in open(sys.argv[1])][:2]
assert first["changed"] == ["interfaces"] and "up" not in first["inventory"]["interfaces"][0]["flags"]
assert second["changed"] == ["interfaces"] and second["inventory"]["interfaces"][0]["ipv4_addresses"] == ["127.0.0.1/8"]
X

# it ends when its reader does, and not only at the next change
# shellcheck disable=SC2016
timeout 20 unshare -n bash -c '{ "$0" --watch --parts=interfaces; echo $? >"$1"; } | head -n 1 >"$2"' "$hwprobe" "$TMP/status" "$TMP/line" || fail "it goes on without a reader"
[ "$(cat "$TMP/status")" = 141 ] || fail "without a reader: status $(cat "$TMP/status"), not that of SIGPIPE"
grep -q '"changed":\["interfaces"\]' "$TMP/line" || fail "the first line: $(cat "$TMP/line")"

# /proc or /sys not mounted
for folder in proc sys; do
	got=0
	# shellcheck disable=SC2016
	unshare -m bash -c 'mount -t tmpfs none "/$1" && exec "$0" --format=full' "$hwprobe" "$folder" >"$TMP/out" 2>"$TMP/err" || got=$?
	[ "$got" = 3 ] || fail "without /$folder: status $got"
	python3 -c 'import json, sys; sys.exit(not any(e["source"] == "/" + sys.argv[2] for e in json.load(open(sys.argv[1]))["errors"]))' "$TMP/out" "$folder" ||
		fail "errors[] does not name /$folder: $(cat "$TMP/out")"
done
