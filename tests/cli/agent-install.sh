#!/bin/bash
# An installation from the step to the reboot, on a loop device: stages in order, rising percents, the image on the disk, the seed in it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/agent-lib.bash"
needs_install
requires debugfs e2fsck
make_tmp
make_image

start_install --seed
wait_for 60 rebooted
wait_for 10 test ! -e "$TMP/state/install.json"
for left in "$TMP"/state/install.*; do
	case $left in *.lock | *'*') ;; *) fail "state was left behind: $left" ;; esac
done
end_install

[ "$(stages | cut -d'|' -f1 | uniq | tr '\n' ',')" = \
	"Starting installation,Installing,Writing image to disk,Waiting for control plane,Rebooting," ] || fail "stages: $(stages)"
stages | grep '^Starting installation|worker$' >/dev/null || fail "the role is not reported"
stages | sed -n 's/^Writing image to disk|\([0-9]*\)%$/\1/p' >"$TMP/percents"
[ "$(wc -l <"$TMP/percents")" -ge 5 ] || fail "fewer than five values: $(cat "$TMP/percents")"
sort -n -c -u "$TMP/percents" || fail "the percents do not rise: $(cat "$TMP/percents")"
grep -q '"body": "{\\"step_id\\":\\"install-' "$TMP/log" || fail "the step was not replied to"
check_installed
for file in agent.conf token ca.pem host.ign; do
	debugfs -R "stat /etc/slipway/$file" "$TMP/root.img" 2>/dev/null | grep -q 'Mode:  0600' || fail "/etc/slipway/$file is not there, or not 0600"
done
debugfs -R "cat /etc/slipway/agent.conf" "$TMP/root.img" 2>/dev/null >"$TMP/agent.conf"
grep -qx 'installed = yes' "$TMP/agent.conf" || fail "the seed does not say that this is an installed system"
grep -qx "url = http://127.0.0.1:$PORT" "$TMP/agent.conf" || fail "the seed names another service"
grep -qx 'install_id = 00000000-0000-0000-0000-000000000007' "$TMP/agent.conf" || fail "the seed has another install id"
[ "$(debugfs -R 'cat /etc/slipway/token' "$TMP/root.img" 2>/dev/null)" = header.claims.signature ] || fail "the seed's token differs"
