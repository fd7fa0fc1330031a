# shellcheck shell=bash
# For the shell tests: `. "$(dirname "$0")/../lib.sh"`. A test passes by ending with 0 and is skipped by ending with 77.
set -eu
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$TOP/build}
case $BUILD in
/*) ;;
*) BUILD=$TOP/$BUILD ;;
esac
BIN=$BUILD/bin
export TOP BUILD BIN

skip() {
	echo "skipped: $*"
	exit 77
}

fail() {
	echo "failed: $*" >&2
	exit 1
}

# requires PROGRAM...: skips without them
requires() {
	local program
	for program; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

# Sets $TMP to a folder that is removed at the end, after the function `cleanup`, if the test has one.
make_tmp() {
	TMP=$(mktemp -d "${TMPDIR:-/tmp}/slipway-test.XXXXXX")
	trap 'if declare -F cleanup >/dev/null; then cleanup || true; fi; rm -rf "$TMP"' EXIT
}
