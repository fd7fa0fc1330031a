#!/bin/bash
# The image's way is bad: connections that break, a server that goes silent, a wrong byte.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/agent-lib.bash"
needs_install
requires debugfs e2fsck
make_tmp
make_image

# three transfers break: each goes on where the last one ended
start_install --cut 3 --cut-after 5000000
wait_for 60 rebooted
end_install
[ "$(grep -c '"fault": "cut"' "$TMP/log")" = 3 ] || fail "the transfers were not cut"
python3 - "$TMP/log" "$TMP/img.raw.zst" <<'X' || fail "too many bytes were fetched, or not in order"
import json, os, sys
ranges = [d["range"] for d in map(json.loads, open(sys.argv[1])) if "range" in d]
assert len(ranges) >= 5, ranges
data = [r for r in ranges if r[0] > 4096]
assert data == sorted(data), ranges
for a, b in zip(ranges[1:], ranges[2:]):
    assert b[0] >= a[0], ranges
X
check_installed

# not a byte after the tenth million: five tries, then Failed, and a disk that does not boot
start_install --dead-after 10000000
wait_for 90 reported Failed '5 tries in a row without a byte'
end_install
reported 'Writing image to disk' 'waiting for network' || fail "waiting was not reported"
rebooted && fail "it rebooted"
grep -q '\\"exit_code\\":1' "$TMP/log" || fail "the reply does not say that it failed"
check_not_bootable

# one wrong byte under way: the chunk is fetched again
start_install --corrupt 9000000
wait_for 60 rebooted
end_install
check_installed
