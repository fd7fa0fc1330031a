#!/bin/bash
# First start, files and their modes, second slipwayd on the same folder, SIGTERM, bad options, bad configuration, new names.
. "$(dirname "$0")/../lib.sh"
requires openssl curl
make_tmp
dir=$TMP/state
cleanup() { [ -z "${pid:-}" ] || kill "$pid" 2>/dev/null; }

# start OPTION...: sets pid and ready
start() {
	rm -f "$TMP/fifo"
	mkfifo "$TMP/fifo"
	"$BIN/slipwayd" --config="$TMP/conf" --state-dir="$dir" --https=127.0.0.1:0 --http=127.0.0.1:0 --ready-fd=3 "$@" 3>"$TMP/fifo" 2>>"$TMP/log" &
	pid=$!
	ready=
	read -r -t 20 ready <"$TMP/fifo" || fail "slipwayd was not ready: $(cat "$TMP/log")"
}
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" <<<"$ready"; }
stop() {
	local status=0
	kill -TERM "$pid"
	wait "$pid" || status=$?
	[ $status = 0 ] || fail "SIGTERM ended it with $status"
	pid=
}

printf '[slipwayd]\n' >"$TMP/conf"
start
[ "$(stat -c %a "$dir")" = 700 ] || fail "state folder is not 0700"
for secret in admin-password ca-key.pem server-key.pem token-key.pem store-key slipway.db ctl.sock; do
	[ "$(stat -c %a "$dir/$secret")" = 600 ] || fail "$secret is not 0600"
done
password=$(cat "$dir/admin-password")
grep -q "$password" "$TMP/log" || fail "the password was not shown"
[ "$(field admin_user)" = admin ] || fail "no admin_user in: $ready"
[ "$(field admin_password_file)" = "$dir/admin-password" ] || fail "no password file in: $ready"

# TLS by our own CA; secrets are nowhere in the store as text
url=https://$(field https)/api/assisted-install/v2/infra-envs
curl -sf --cacert "$(field ca)" -u "admin:$password" -H 'Content-Type: application/json' \
	-d '{"name":"x","pull_secret":"{\"auths\":{\"q\":{\"auth\":\"dTpwYXNzd29yZHBhc3N3b3Jk\"}}}"}' "$url" >/dev/null || fail "no infra-env"
! grep -qa dTpwYXNzd29yZHBhc3N3b3Jk "$dir"/slipway.db* || fail "the pull secret is in the store as text"
! grep -qa "$password" "$dir"/slipway.db* || fail "the password is in the store as text"
[ "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$(field ca)" "$url")" = 401 ] || fail "no credentials were needed"

# a second one on the same folder
status=0
"$BIN/slipwayd" --config="$TMP/conf" --state-dir="$dir" --https=127.0.0.1:0 --http=off 2>"$TMP/second" || status=$?
[ $status = 1 ] || fail "a second slipwayd ended with $status"
grep -q "another slipwayd" "$TMP/second" || fail "the second one said: $(cat "$TMP/second")"
stop

# the second start: nothing is shown or made again
cp "$dir/server.pem" "$TMP/old.pem"
: >"$TMP/log"
start
! grep -q password "$TMP/log" || fail "the password was shown again"
cmp -s "$dir/server.pem" "$TMP/old.pem" || fail "the certificate was made anew without need"
stop

# another name: another certificate, the same CA
ca=$(sha256sum "$dir/ca.pem")
start --service-base-url=https://pool.example.com:0
openssl x509 -in "$dir/server.pem" -noout -text | grep -q "DNS:pool.example.com" || fail "the certificate lacks the new name"
openssl verify -CAfile "$dir/ca.pem" "$dir/server.pem" >/dev/null || fail "the CA did not sign it"
[ "$(sha256sum "$dir/ca.pem")" = "$ca" ] || fail "the CA changed"
stop

# usage errors: status 2, one line, nothing on stdout
expect_usage() {
	local status=0 out
	out=$("$BIN/slipwayd" "$@" 2>"$TMP/err") || status=$?
	[ $status = 2 ] || fail "slipwayd $*: status $status"
	[ -z "$out" ] || fail "slipwayd $*: printed on stdout"
	[ -s "$TMP/err" ] || fail "slipwayd $*: said nothing"
}
expect_usage --nonsense
expect_usage --auth=maybe --state-dir="$dir"
expect_usage --config="$TMP/none"
expect_usage --ready-fd=77
expect_usage --https=nonsense --state-dir="$TMP/untouched"
expect_usage --http=127.0.0.1:99999 --state-dir="$TMP/untouched"
expect_usage --store=mysql --state-dir="$TMP/untouched"
[ ! -e "$TMP/untouched" ] || fail "a usage error made a state folder"
printf '[slipwayd]\ncolour = red\n' >"$TMP/conf"
expect_usage --config="$TMP/conf"
grep -q "conf:2" "$TMP/err" || fail "the line is not named: $(cat "$TMP/err")"
printf '[slipwayd]\nservice_base_url = nonsense\n' >"$TMP/conf"
expect_usage --config="$TMP/conf"

# a key file that others can read is refused
printf '[slipwayd]\n' >"$TMP/conf"
chmod 644 "$dir/store-key"
status=0
"$BIN/slipwayd" --config="$TMP/conf" --state-dir="$dir" --https=127.0.0.1:0 --http=off 2>"$TMP/err" || status=$?
[ $status = 1 ] || fail "a readable key file was taken"
grep -q store-key "$TMP/err" || fail "the key file is not named: $(cat "$TMP/err")"
