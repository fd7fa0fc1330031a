#!/bin/bash
# The agent's options: each one reaches what it is for, the command line wins over the file, and what is wrong ends with the right status.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/agent-lib.bash"
requires python3
agent=$BIN/slipway-agent
[ -x "$agent" ] || fail "slipway-agent is not built"
make_tmp

HOST=11111111-2222-3333-4444-555555555555
OTHER=99999999-2222-3333-4444-555555555555

# --- what is refused: STATUS WORDS ARG... -----------------------------------------------------------------
expect_end() {
	local want=$1 words=$2 status=0
	shift 2
	timeout 20 "$agent" "$@" >"$TMP/out" 2>"$TMP/err" </dev/null || status=$?
	[ $status = "$want" ] || fail "$* ends with $status, not $want: $(cat "$TMP/err")"
	[ ! -s "$TMP/out" ] || fail "$* prints to stdout"
	grep -qi -- "$words" "$TMP/err" || fail "$* says \"$(cat "$TMP/err")\", not \"$words\""
}
good=(--url=http://127.0.0.1:1 --infra-env-id="$IE" --state-dir="$TMP/state")
for s in "" 0 -1 +1 1.5 1s 3601 99999999999999999999 " 5"; do
	expect_end 2 'seconds' "${good[@]}" --interval="$s"
done
for s in "" perhaps 2 yess; do
	expect_end 2 'yes nor no' "${good[@]}" --insecure="$s"
done
expect_end 2 'role' --role=root
expect_end 2 'role' --role=
expect_end 2 'url' --url= --infra-env-id=$IE
expect_end 2 '' --url
expect_end 2 'verb\|command' "${good[@]}" statuss
expect_end 2 '' status more operands
expect_end 2 '' disk list --infra-env-id=$IE
expect_end 2 '' disk frobnicate
expect_end 1 'no-such' --config="$TMP/no-such.conf"
expect_end 1 'token' "${good[@]}" --token-file="$TMP/no-such-token"
expect_end 1 'pem' "${good[@]}" --cacert="$TMP/no-such.pem"
expect_end 2 'host' "${good[@]}" --host-id=7
touch "$TMP/file"
expect_end 1 'file' --url=http://127.0.0.1:1 --infra-env-id=$IE --state-dir="$TMP/file/state"
printf 'no section\n' >"$TMP/bad.conf"
expect_end 2 'bad.conf\|line' --config="$TMP/bad.conf"
printf '[agent]\nurl = http://127.0.0.1:1\ninfra_env_id = %s\ninterval = soon\n' $IE >"$TMP/bad.conf"
expect_end 2 'interval' --config="$TMP/bad.conf"

# the network process's role is for the agent alone: without its channel it says so
status=0
timeout 20 "$agent" --role=net 3>&- >"$TMP/out" 2>"$TMP/err" </dev/null || status=$?
[ $status = 1 ] || fail "--role=net by hand ends with $status"
grep -q 'network process' "$TMP/err" || fail "--role=net by hand says \"$(cat "$TMP/err")\""

# --- disks and status ----------------------------------------------------------------------------------------
"$agent" disk list --json >"$TMP/disks"
python3 -c 'import json, sys; assert isinstance(json.load(sys.stdin), list)' <"$TMP/disks" || fail "disk list --json is no list"
"$agent" disk list >"$TMP/out" || fail "disk list fails"
expect_end 1 '/dev/null' disk plan /dev/null
expect_end 1 'no-such' disk plan /dev/no-such-disk
expect_end 1 '' status --json --state-dir="$TMP/none"

# --- what reaches the service ----------------------------------------------------------------------------------
start_service --stay
mkdir "$TMP/etc"
echo "from.the.file" >"$TMP/etc/token"
echo "from.the.option" >"$TMP/token"
cat >"$TMP/etc/agent.conf" <<-X
	[agent]
	url = http://127.0.0.1:$PORT
	infra_env_id = $IE
	token_file = token
	agent_version = registry.example.com/from/file:1
X

# registration: prints host id, version, token, infra-env of the last one in the log
registration() {
	python3 - "$TMP/log" <<-'X'
		import json, sys
		rows = [r for r in map(json.loads, open(sys.argv[1])) if r["method"] == "POST" and r["path"].endswith("/hosts")]
		if rows:
		    body, headers = json.loads(rows[-1]["body"]), {k.lower(): v for k, v in rows[-1]["headers"].items()}
		    print(body["host_id"], body["discovery_agent_version"], headers["x-secret-key"], rows[-1]["path"].split("/")[-2])
	X
}
# run_agent ARG...: until it has registered
run_agent() {
	: >"$TMP/log"
	rm -rf "$TMP/state"
	"$agent" --state-dir="$TMP/state" "$@" >"$TMP/agent.log" 2>&1 &
	AGENT=$!
	PIDS+=("$AGENT")
	registered() { [ -n "$(registration)" ]; }
	wait_for 40 registered
	kill $AGENT
	wait $AGENT || fail "the agent ends with $? on SIGTERM"
}

run_agent --config="$TMP/etc/agent.conf" --host-id=$HOST
[ "$(registration)" = "$HOST registry.example.com/from/file:1 from.the.file $IE" ] || fail "by file: $(registration)"
run_agent --config="$TMP/etc/agent.conf" --host-id=$HOST --token-file="$TMP/token" --agent-version=registry.example.com/by/option:2 --infra-env-id=$OTHER
[ "$(registration)" = "$HOST registry.example.com/by/option:2 from.the.option $OTHER" ] || fail "by option: $(registration)"
grep -q 'from.the' "$TMP/agent.log" && fail "the token is in the log"
# without a configuration file everything comes from options
run_agent --url="http://127.0.0.1:$PORT" --infra-env-id=$IE --host-id=$HOST --token-file="$TMP/token" --insecure=no --interval=3600
[ "$(registration)" = "$HOST registry.example.com/assisted/agent:latest from.the.option $IE" ] || fail "by options alone: $(registration)"
quiet=$(wc -l <"$TMP/agent.log")
run_agent --url="http://127.0.0.1:$PORT" --infra-env-id=$IE --host-id=$HOST -v
[ "$(wc -l <"$TMP/agent.log")" -gt "$quiet" ] || fail "--verbose says no more"
