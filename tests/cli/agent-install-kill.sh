#!/bin/bash
# kill -9 during the write: of the network process, of the root process with and without a new start.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/agent-lib.bash"
needs_install
requires debugfs e2fsck pgrep
make_tmp
make_image

registrations() {
	grep -c "\"method\": \"POST\", \"path\": \"/api/assisted-install/v2/infra-envs/$IE/hosts\"" "$TMP/log"
}

# the network process: the root process starts it again, the writer goes on
start_install --rate 6000000
wait_for 30 has_percent 10
net=$(status net_pid)
kill -9 "$net"
wait_for 60 rebooted
[ "$(registrations)" = 1 ] || fail "it registered again in the middle of the installation"
end_install
check_installed
python3 - "$TMP/log" "$TMP/img.raw.zst" <<'X' || fail "what had been written was fetched again"
import json, os, sys
ranges = [d["range"] for d in map(json.loads, open(sys.argv[1])) if "range" in d]
big = [r for r in ranges if r[1] > 4096]
assert len(big) >= 2 and big[1][0] > big[0][0], ranges
X

# the writing process: the installation has failed, with words, and nothing boots
start_install --rate 6000000
wait_for 30 has_percent 10
writer=$(pgrep -P "$(status pid)" -x slipway-writer)
kill -9 "$writer"
wait_for 30 reported Failed 'killed by signal 9'
check_not_bootable
rebooted && fail "it rebooted"
end_install

# the root process: everything of it ends; started again it goes on by itself
start_install --rate 6000000
wait_for 30 has_percent 10
root=$(status pid) net=$(status net_pid)
kill -9 "$root"
wait "$AGENT" 2>/dev/null || true
gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"; }
wait_for 5 gone "$net"
wait_for 5 check_not_bootable
cp --sparse=always "$TMP/target.img" "$TMP/torn.img"
start_agent "${INSTALL_ARGS[@]}"
wait_for 60 rebooted
[ "$(registrations)" = 1 ] || fail "it registered again in the middle of the installation"
end_install
check_installed
cmp -n 1048576 "$TMP/torn.img" /dev/zero || fail "the torn disk could have booted"
