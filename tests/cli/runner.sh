#!/bin/bash
# The test runner itself: what passes, and each way in which a test program can fail.
. "$(dirname "$0")/../lib.sh"
make_tmp
unset CI TEST_COUNTS TEST_LABEL
mkdir -p "$TMP/tests/unit/x" "$TMP/build"

# program NAME LINES: a test program of these shell lines
program() {
	printf '#!/bin/sh\n%s\n' "$2" >"$TMP/tests/unit/x/$1"
	chmod +x "$TMP/tests/unit/x/$1"
}

# expect NAME STATUS SUMMARY [TEXT]: runs one program as a unit suite
expect() {
	local status=0
	BUILD=$TMP/build TEST_COUNTS=$TMP/counts "$TOP/tests/run" unit "$TMP/tests/unit/x/$1" >"$TMP/out" 2>&1 || status=$?
	[ "$status" = "$2" ] || fail "$1: status $status instead of $2: $(cat "$TMP/out")"
	[ "$(tail -n 1 "$TMP/out")" = "# unit: $3" ] || fail "$1: $(tail -n 1 "$TMP/out") instead of $3"
	[ -z "${4:-}" ] || grep -qF -e "$4" "$TMP/out" || fail "$1: no '$4' in: $(cat "$TMP/out")"
}

program good 'echo 1..2; echo "ok 1 - a"; echo noise; echo "ok 2 - b"'
expect good 0 "2 passed, 0 failed, 0 skipped" "ok 2 - x/good: b"
program bad 'echo 1..2; echo "ok 1 - a"; echo "not ok 2 - b"; echo "# because"; exit 1'
expect bad 1 "1 passed, 1 failed, 0 skipped" "#   # because"
[ -s "$TMP/build/test-logs/unit/x_bad.log" ] || fail "the log of a failing test is not kept"
program crash 'echo 1..3; echo "ok 1 - a"; kill -SEGV $$'
expect crash 1 "1 passed, 2 failed, 0 skipped" "test 2 of 3 # did not end, ended with status 139"
program silent 'exit 0'
expect silent 1 "0 passed, 1 failed, 0 skipped" "printed no plan"
program missing 'echo 1..2; echo "ok 1 - a"; exit 0'
expect missing 1 "1 passed, 1 failed, 0 skipped" "test 2 of 2"
program extra 'echo 1..1; echo "ok 1 - a"; echo "ok 2 - b"'
expect extra 1 "2 passed, 1 failed, 0 skipped" "the plan said 1"
program leak 'echo 1..1; echo "ok 1 - a"; exit 23'
expect leak 1 "1 passed, 1 failed, 0 skipped" "ended with status 23 after its tests"
program skipped 'echo 1..2; echo "ok 1 - a # SKIP no disk"; echo "not ok 2 # SKIP b"'
expect skipped 0 "0 passed, 0 failed, 2 skipped" "# SKIP no disk"
CI=true expect skipped 1 "0 passed, 2 failed, 0 skipped"
program slow 'echo 1..1; exec sleep 30'
TEST_DEADLINE=1 expect slow 1 "0 passed, 1 failed, 0 skipped" "deadline of 1 s"
expect none 1 "0 passed, 1 failed, 0 skipped" "not built"

# scripts: 0, 77, anything else
printf 'echo fine\n' >"$TMP/0.sh"
printf 'echo "no such tool"; exit 77\n' >"$TMP/77.sh"
printf 'echo broken >&2; exit 3\n' >"$TMP/3.sh"
status=0
BUILD=$TMP/build TEST_COUNTS=$TMP/counts TEST_LABEL=cli-own "$TOP/tests/run" cli "$TMP"/{0,77,3}.sh >"$TMP/out" || status=$?
[ "$status" = 1 ] || fail "scripts: status $status"
grep -q '# SKIP no such tool$' "$TMP/out" || fail "the reason of a skip is not printed"
grep -q '^#   broken$' "$TMP/out" || fail "the output of a failing script is not printed"
[ "$(tail -n 1 "$TMP/counts")" = "cli-own 1 1 1" ] || fail "counts: $(tail -n 1 "$TMP/counts")"
[ "$(wc -l <"$TMP/counts")" = 12 ] || fail "there are $(wc -l <"$TMP/counts") lines of counts"
