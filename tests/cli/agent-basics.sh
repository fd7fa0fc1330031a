#!/bin/bash
# The agent's command line, and what an idle agent costs: memory of both processes, size of the program, no program run.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/agent-lib.bash"
requires python3
[ -x "$BIN/slipway-agent" ] || fail "slipway-agent is not built"
make_tmp

agent=$BIN/slipway-agent

# every option of the program and of its commands is in the manual
for verb in "" "disk" "status"; do
	# shellcheck disable=SC2086 # no word for the program itself
	"$agent" $verb --options >"$TMP/options"
	while IFS= read -r option; do
		grep -q -- "Fl Fl ${option#--}" "$TOP/agent/slipway-agent.8" || fail "$option is not in slipway-agent(8)"
	done <"$TMP/options"
done
# every key of the configuration file is in the manual
sed -n 's/.*KEY("[a-z]*", "\([a-z_]*\)".*/\1/p' "$TOP/agent/config.c" >"$TMP/keys"
[ "$(wc -l <"$TMP/keys")" -ge 10 ] || fail "the keys of the configuration were not found"
while IFS= read -r key; do
	grep -qE "^\.It Cm .*\b$key\b" "$TOP/agent/slipway-agent.conf.5" || fail "$key is not in slipway-agent.conf(5)"
done <"$TMP/keys"

# usage: status 2, nothing on stdout
expect_usage() {
	local status=0
	"$agent" "$@" >"$TMP/out" 2>"$TMP/err" || status=$?
	[ $status = 2 ] || fail "$* ends with $status"
	[ ! -s "$TMP/out" ] || fail "$* prints to stdout"
	[ -s "$TMP/err" ] || fail "$* says nothing"
}
expect_usage --no-such-option
expect_usage --interval=0
expect_usage --insecure=perhaps
expect_usage frobnicate
expect_usage disk
expect_usage disk plan
expect_usage --url=ftp://x --infra-env-id=$IE --state-dir="$TMP/s"
expect_usage --url=http://x --infra-env-id=12 --state-dir="$TMP/s"
[ "$("$agent" -h)" = "$("$agent" --help)" ] || fail "-h and --help differ"
"$agent" --help | awk 'length > 80 { exit 1 }' || fail "the help is wider than 80 columns"

status=0
"$agent" status --state-dir="$TMP/none" 2>/dev/null || status=$?
[ $status = 1 ] || fail "status without an agent ends with $status"

# an idle agent
start_service --stay
start_agent
polling() { [ "$(status state)" = polling ] && [ "$(grep -c '"path": ".*/instructions?' "$TMP/log")" -ge 4 ]; }
wait_for 40 polling
root=$(status pid) net=$(status net_pid)
"$agent" status --state-dir="$TMP/state" | grep -q '^state  *polling$' || fail "status does not show the state"
"$agent" status --json --state-dir="$TMP/state" | python3 -c 'import json, sys; assert json.load(sys.stdin)["is_running"]'

pss() { awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"; }
if [ -r "/proc/$net/smaps_rollup" ]; then
	both=$(($(pss "$root") + $(pss "$net")))
	echo "PSS of both processes: $both KiB"
	[ $both -le 16384 ] || fail "both processes take $both KiB"
fi
strip -o "$TMP/stripped" "$agent"
[ "$(stat -c %s "$TMP/stripped")" -le 1048576 ] || fail "the program is larger than 1 MiB"
# the network process is confined
grep -q '^Seccomp:[[:space:]]*2$' "/proc/$net/status" || fail "no system-call filter is in force"
grep -q '^NoNewPrivs:[[:space:]]*1$' "/proc/$net/status" || fail "the network process may gain privileges"
if [ "$(id -u)" = 0 ]; then
	grep -qE '^Uid:[[:space:]]*0' "/proc/$net/status" && fail "the network process is root"
	grep -qE '^CapEff:[[:space:]]*0+$' "/proc/$net/status" || fail "the network process has capabilities"
fi
# The inventory is asked for at each poll. While nothing changes the machine is not read anew (a probe reads hundreds of files), and what the service has
# acknowledged is not sent again. Loop devices of other tests are news, so the best of some tries counts.
polls() { grep -c '"path": ".*/instructions?' "$TMP/log"; }
reads() { awk '/^syscr:/ { print $2 }' "/proc/$root/io"; }
if [ -r "/proc/$root/io" ]; then
	best=1000000
	for ((i = 0; i < 5 && best > 20; i++)); do
		polls=$(polls) reads=$(reads)
		four_more() { [ "$(polls)" -ge $((polls + 4)) ]; }
		wait_for 20 four_more
		each=$((($(reads) - reads) / ($(polls) - polls)))
		[ $each -ge $best ] || best=$each
	done
	echo "reads of the root process per poll: $best"
	[ "$best" -le 20 ] || fail "the root process reads $best times per poll while nothing changes"
fi
python3 - "$TMP/log" <<'X' || fail "an unchanged inventory was sent again"
import json, sys
bodies = [json.loads(r["body"]) for r in map(json.loads, open(sys.argv[1])) if r["method"] == "POST" and r["body"]]
sent = [b["output"] for b in bodies if b.get("step_type") == "inventory"]
sys.exit(not sent or any(a == b for a, b in zip(sent, sent[1:])))
X
# no program was run: these two are all that ever was in this session of processes
[ "$(cat "/proc/$root/task/$root/children")" = "$net " ] || fail "the agent has other children"
