#!/bin/bash
# Installations that must not happen: stopped by the service, forbidden by the operator, not this host's, not an image of ours.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/agent-lib.bash"
needs_install
make_tmp
make_image

untouched() {
	cmp -n $((512 * 1024 * 1024)) "$TMP/target.img" /dev/zero || fail "the disk was touched"
}

# the service stops it while it writes
start_install --rate 6000000 --cancel-at
wait_for 60 grep -q 'the installation was stopped' "$TMP/log"
wait_for 10 grep -q '\\"step_type\\":\\"stop-installation\\"' "$TMP/log"
end_install
reported Failed && fail "a stopped installation was reported as failed"
rebooted && fail "it rebooted"
check_not_bootable

# --no-disk-writes
start_install -- --no-disk-writes
wait_for 30 reported Failed no-disk-writes
end_install
untouched

# loop devices are no disks unless that is asked for: the disk is not in the inventory
AGENT_FLAGS=(--insecure=yes)
start_install
wait_for 30 reported Failed 'not in this host'
end_install
untouched

# a plain service without --insecure: the index must come over TLS
AGENT_FLAGS=(--allow-loop-devices)
start_install
wait_for 30 reported Failed 'over TLS'
end_install
untouched

# an index that is cut short
AGENT_FLAGS=(--allow-loop-devices --insecure=yes)
truncate -s -10 "$TMP/img.slx"
start_install
wait_for 30 reported Failed 'index'
end_install
untouched
