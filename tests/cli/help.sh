#!/bin/bash
# What every program answers: --help, -h, an unknown option, --version; and its man page names each of its options.
. "$(dirname "$0")/../lib.sh"
make_tmp
bad=0

complain() {
	echo "failed: $*" >&2
	bad=1
}

# run OUT ARGS...: status in $status, output in $TMP/out and $TMP/err
run() {
	status=0
	timeout 20 "$@" >"$TMP/out" 2>"$TMP/err" </dev/null || status=$?
}

check_help() {
	local program=$1 name=${1##*/} width
	shift
	run "$program" "$@" --help
	[ "$status" = 0 ] || complain "$name $* --help ends with $status"
	[ -s "$TMP/out" ] || complain "$name $* --help prints nothing on stdout"
	[ ! -s "$TMP/err" ] || complain "$name $* --help prints on stderr"
	width=$(LC_ALL=C.UTF-8 awk '{ gsub(/\t/, "        ") } length > m { m = length } END { print m + 0 }' "$TMP/out")
	[ "$width" -le 80 ] || complain "$name $* --help is $width columns wide"
	cp "$TMP/out" "$TMP/help"
	run "$program" "$@" -h
	[ "$status" = 0 ] || complain "$name $* -h ends with $status"
	cmp -s "$TMP/out" "$TMP/help" || complain "$name $* -h differs from --help"
}

check_unknown_option() {
	local program=$1 name=${1##*/}
	shift
	run "$program" "$@" --no-such-option
	[ "$status" = 2 ] || complain "$name $* --no-such-option ends with $status, not 2"
	[ ! -s "$TMP/out" ] || complain "$name $* --no-such-option prints on stdout"
	[ "$(wc -l <"$TMP/err")" = 2 ] || complain "$name $* --no-such-option: stderr is not one line and a hint"
	sed -n 1p "$TMP/err" | grep -q -e --no-such-option || complain "$name $*: the line does not name the option"
	sed -n 2p "$TMP/err" | grep -q -e --help || complain "$name $*: the hint does not name --help"
}

check_version() {
	run "$1" --version
	[ "$status" = 0 ] || complain "${1##*/} --version ends with $status"
	grep -qF "$(cat "$TOP/VERSION")" "$TMP/out" || complain "${1##*/} --version does not print $(cat "$TOP/VERSION")"
}

# The page as text: without the backspaces of bold and underlined letters, dashes as they are typed.
check_man_page() {
	local name=${1##*/} page option
	page=$(find "$TOP" -path "$TOP/.git" -prune -o -name "$name.[1-8]" -print | head -n 1)
	if [ -z "$page" ]; then
		complain "$name has no man page"
		return
	fi
	mandoc -T ascii -O width=200 "$page" | sed 's/.\x08//g' >"$TMP/page"
	run "$1" --options
	[ "$status $(wc -l <"$TMP/out")" != "0 0" ] || complain "$name --options prints nothing"
	[ "$status" = 0 ] || complain "$name --options ends with $status"
	while read -r option; do
		grep -qE -e "(^|[^[:alnum:]-])$option([^[:alnum:]-]|\$)" "$TMP/page" ||
			complain "${page#"$TOP"/} does not name $option"
	done <"$TMP/out"
}

# The commands that --help lists, by their first words up to an operand in capitals or brackets.
verbs_of() {
	run "$1" --help
	sed -n '/^Commands:/,/^$/s/^  \([a-z].*\)/\1/p' "$TMP/out" | sed -E 's/  .*//; s/ [][A-Z.].*//'
}

requires mandoc
programs=("$BIN"/slipway*)
[ -x "${programs[0]}" ] || fail "no program in $BIN"
for program in "${programs[@]}"; do
	[ -x "$program" ] || continue
	check_help "$program"
	check_unknown_option "$program"
	check_version "$program"
	check_man_page "$program"
	while IFS= read -r verb; do
		[ -n "$verb" ] || continue
		read -ra words <<<"$verb"
		check_help "$program" "${words[@]}"
		check_unknown_option "$program" "${words[@]}"
	done < <(verbs_of "$program")
done
exit "$bad"
