#!/bin/bash
# When a running agent sends its inventory: once, then whenever host name, interfaces or addresses change, when the service was away, and when it has
# lost the host. In network and UTS namespaces of its own.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/agent-lib.bash"
requires python3 unshare ip hostname
[ -x "$BIN/slipway-agent" ] || fail "slipway-agent is not built"
[ "$(id -u)" = 0 ] || skip "needs root: namespaces"
if [ -z "${AGENT_INVENTORY_INSIDE:-}" ]; then
	unshare --net --uts true 2>/dev/null || skip "no namespaces can be made here"
	AGENT_INVENTORY_INSIDE=1 exec unshare --net --uts "$0"
fi
make_tmp
ip link set lo up
hostname first.example.com

polls() { grep -c '"path": ".*/instructions?' "$TMP/log" || true; }
# sent FIELD: that field of every inventory in the log, one a line
sent() {
	python3 - "$TMP/log" "$1" <<-'X'
		import json, sys
		for r in map(json.loads, open(sys.argv[1])):
		    body = json.loads(r["body"]) if r["method"] == "POST" and r["body"] else {}
		    if body.get("step_type") == "inventory":
		        inventory = json.loads(body["output"])
		        print(json.dumps({"hostname": inventory["hostname"],
		                          "interfaces": [[i["name"], i.get("ipv4_addresses")] for i in inventory["interfaces"]]}[sys.argv[2]]))
	X
}
count() { sent hostname | wc -l; }
# after_polls N: so many more polls
after_polls() {
	local goal=$(($(polls) + $1))
	more() { [ "$(polls)" -ge "$goal" ]; }
	wait_for 40 more
}
# expect_news WORDS FIELD: a new inventory whose field has these words, and then no other one
expect_news() {
	news() { sent "$2" | tail -n 1 | grep -qF -- "$1"; }
	wait_for 20 news "$@"
	local n
	n=$(count)
	after_polls 3
	[ "$(count)" = "$n" ] || fail "after \"$1\" an unchanged inventory was sent again: $(sent "$2")"
}

start_service --stay
start_agent
expect_news first.example.com hostname
# the addresses of an interface that comes up settle for a moment: only what comes after is counted
start=$(count)
after_polls 4
[ "$(count)" = "$start" ] || fail "nothing has changed, and it was sent again"

hostname second.example.com
expect_news second.example.com hostname
ip link add far0 type veth peer name far1
expect_news '"far1"' interfaces
ip addr add 192.0.2.77/24 dev far0
ip link set far0 up
ip link set far1 up
expect_news 192.0.2.77/24 interfaces
ip link del far0
gone() { ! sent interfaces | tail -n 1 | grep -q far0; }
wait_for 20 gone

# the service was away: it may have lost what it was told
kill "$SERVICE"
wait "$SERVICE" 2>/dev/null || true
failing() { grep -q 'poll: ' "$TMP/agent.log"; }
wait_for 20 failing
start_service --stay --known --port "$PORT"
expect_news second.example.com hostname
[ "$(count)" = 1 ] || fail "after the outage it was sent $(count) times"

# it comes back and does not know the host at all
kill "$SERVICE"
wait "$SERVICE" 2>/dev/null || true
start_service --stay --port "$PORT"
expect_news second.example.com hostname
grep -q '"POST", "path": "[^"]*/hosts"' "$TMP/log" || fail "the host was not registered anew"
