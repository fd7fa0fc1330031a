#!/bin/bash
# slipway-hwprobe when it is told nonsense, or cannot read or write what it is told to: one line that says what and what to do, the
# right exit status, nothing on standard output, nothing left behind.
. "$(dirname "$0")/../lib.sh"
requires python3
make_tmp
hwprobe=$BIN/slipway-hwprobe
root=$TOP/tests/data/roots/qemu-q35-nvme/root
mkdir "$TMP/some" "$TMP/empty" "$TMP/foreign"
touch "$TMP/file" "$TMP/some/file" "$TMP/foreign/readme"

# status WANT ARG...: runs it; output in $TMP/out, messages in $TMP/err
status() {
	local want=$1 got=0
	shift
	timeout 60 "$hwprobe" "$@" >"$TMP/out" 2>"$TMP/err" || got=$?
	[ "$got" = "$want" ] || fail "slipway-hwprobe $*: status $got, expected $want: $(cat "$TMP/err")"
}

# says WANT LINES TEXT ARG...: ends with WANT, nothing on stdout, so many lines on stderr, the first with TEXT
says() {
	local want=$1 lines=$2 text=$3
	shift 3
	status "$want" "$@"
	[ ! -s "$TMP/out" ] || fail "slipway-hwprobe $*: something on standard output"
	[ "$(wc -l <"$TMP/err")" = "$lines" ] || fail "slipway-hwprobe $*: not $lines lines: $(cat "$TMP/err")"
	sed -n 1p "$TMP/err" | grep -qF -- "$text" || fail "slipway-hwprobe $*: no \"$text\" in: $(cat "$TMP/err")"
}

# values that are none: the option is named, the value is quoted, and what it may be is said
while IFS='|' read -r option value text; do
	says 2 2 "$option" "$option=$value"
	grep -qF -- "$text" "$TMP/err" || fail "$option=$value: no \"$text\" in: $(cat "$TMP/err")"
	sed -n 2p "$TMP/err" | grep -q -- --help || fail "$option=$value: no hint"
done <<'X'
--format||"" is none of assisted, full, text
--format|json|"json" is none of assisted, full, text
--format|FULL|"FULL" is none of
--parts||"" is none of cpu, memory, disks,
--parts|,|"" is none of cpu
--parts|cpu,,memory|"" is none of cpu
--parts|cpu,|"" is none of cpu
--parts|cpu,foo|"foo" is none of cpu
--parts|CPU|"CPU" is none of cpu
--parts|-1|"-1" is none of cpu
--timeout||"" is not a number of milliseconds from 1 to
--timeout|0|"0" is not a number of milliseconds from 1 to
--timeout|-1|"-1" is not a number
--timeout|1e3|"1e3" is not a number
--timeout| 5|" 5" is not a number
--timeout|0x10|"0x10" is not a number
--timeout|5s|"5s" is not a number
--timeout|4294967297|"4294967297" is not a number of milliseconds from 1 to 2147483647
--timeout|99999999999999999999999|"99999999999999999999999" is not a number
--settle|-5|"-5" is not a number of milliseconds from 0 to
--settle|2147483648|"2147483648" is not a number of milliseconds
--lldp-timeout|0|"0" is not a number of milliseconds from 1 to
--disk-min-size||"" is not a size like
--disk-min-size|-1|"-1" is not a size
--disk-min-size|1.5G|"1.5G" is not a size
--disk-min-size|10Q|"10Q" is not a size
--disk-min-size|18446744073709551616|"18446744073709551616" is not a size
--disk-min-size|99999999999T|"99999999999T" is not a size
--output-max-size|x|"x" is not a size
--output-max-size|30|the shortest has 31 bytes
--sysroot||the name is empty
--record||the name is empty
--gpu-rules||the name is empty
--pci-ids||the name is empty
--explain||no value is named
X
says 2 2 '--sysroot needs a value' --sysroot
says 2 2 '--watch takes no value' --watch=1
says 2 2 'unknown option --smrt' --smrt
says 2 2 'unexpected operand "disks"' disks

# options that have no effect together, or contradict each other: refused before anything is read or written
while read -r -a args; do
	args=("${args[@]/ROOT/$root}")
	args=("${args[@]/NEW/$TMP/new}")
	says 2 2 '' "${args[@]}"
	grep -q -- 'Try "slipway-hwprobe --help"' "$TMP/err" || fail "${args[*]}: no hint"
	[ ! -e "$TMP/new" ] || fail "${args[*]}: a record was begun"
done <<'X'
--scrub
--scrub --sysroot=ROOT
--record=NEW --sysroot=ROOT
--record=NEW --watch
--watch --sysroot=ROOT
--watch --explain=cpu
--watch --format=full
--watch --format=text
--watch --output-max-size=4096
--watch --smart
--watch --parts=lldp
--watch --parts=clock
--explain=cpu --format=full --sysroot=ROOT
--explain=cpu --format=assisted --sysroot=ROOT
--explain=cpu --output-max-size=4096 --sysroot=ROOT
--format=full --output-max-size=4096 --sysroot=ROOT
--format=text --output-max-size=4096 --sysroot=ROOT
--smart --sysroot=ROOT
--smart --format=full --parts=cpu --sysroot=ROOT
--disk-min-size=1G --parts=cpu --sysroot=ROOT
--settle=10 --sysroot=ROOT
--settle=10 --parts=cpu
--lldp-timeout=10
--lldp-timeout=10 --parts=interfaces --format=full
--lldp-timeout=10 --parts=lldp --format=full --sysroot=ROOT
--parts=lldp
--parts=clock --sysroot=ROOT
--gpu-rules=x --parts=cpu --sysroot=ROOT
--pci-ids=x --parts=cpu --sysroot=ROOT
X
# harmless: a wrapper may give them always; of an option that is given twice the last counts
status 0 --sysroot="$root" --timeout=5 --settle=0 --output-max-size=0 --disk-min-size=0
says 2 2 '"xml" is none of' --sysroot="$root" --format=xml --format=text
status 0 --sysroot="$TMP/none" --sysroot="$root" --parts=cpu --parts=memory
grep -q '"memory"' "$TMP/out" || fail "the last --parts does not count: $(cat "$TMP/out")"
! grep -q '"cpu"' "$TMP/out" || fail "the first --parts counts, too: $(cat "$TMP/out")"

# folders that are no recorded machine
says 1 1 "--sysroot=$TMP/none: No such file or directory: name a folder" --sysroot="$TMP/none"
says 1 1 "--sysroot=$TMP/file: Not a directory: name a folder" --sysroot="$TMP/file"
says 1 1 "--sysroot=$TMP/empty: no machine is recorded there: name a folder" --sysroot="$TMP/empty"
says 1 1 "--sysroot=$TMP/foreign: no machine is recorded there: name a folder" --sysroot="$TMP/foreign"
says 1 1 "--sysroot=$(dirname "$root"): no machine is recorded there" --sysroot="$(dirname "$root")"
ln -s nowhere "$TMP/dangling"
says 1 1 "--sysroot=$TMP/dangling: No such file or directory" --sysroot="$TMP/dangling"

# files beside the machine
says 1 1 "$TMP/none: cannot open" --sysroot="$root" --gpu-rules="$TMP/none"
says 1 1 "$TMP/empty" --sysroot="$root" --gpu-rules="$TMP/empty"

# where no record can be: nothing is begun, what is there stays
says 1 1 "--record=$TMP/some: it is there already: name a new folder" --record="$TMP/some"
says 1 1 "--record=$TMP/empty: it is there already: name a new folder" --record="$TMP/empty"
says 1 1 "--record=$TMP/file: it is there already: name a new folder" --record="$TMP/file"
says 1 1 "--record=$TMP/dangling: it is there already: name a new folder" --record="$TMP/dangling"
says 1 1 "--record=$TMP/none/new: the folder that it would lie in is not there" --record="$TMP/none/new"
says 1 1 "--record=$TMP/file/new: Not a directory" --record="$TMP/file/new"
[ "$(ls "$TMP/some"):$(ls "$TMP/empty")" = file: ] || fail "something was written into a folder that was there"

# what only others than root are refused
as=()
[ "$(id -u)" != 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
chmod 755 "$TMP"
cp "$hwprobe" "$TMP/hwprobe"
mkdir "$TMP/locked" "$TMP/shut"
mkdir "$TMP/locked/sys" "$TMP/shut/sys"
chmod 0 "$TMP/locked"
chmod 555 "$TMP/shut"
for args in "--sysroot=$TMP/locked" "--record=$TMP/shut/new"; do
	got=0
	"${as[@]}" "$TMP/hwprobe" "$args" >"$TMP/out" 2>"$TMP/err" || got=$?
	[ "$got:$(wc -c <"$TMP/out"):$(wc -l <"$TMP/err")" = 1:0:1 ] || fail "$args: status $got: $(cat "$TMP/err")"
	grep -qF -- "$args: Permission denied" "$TMP/err" || fail "$args: $(cat "$TMP/err")"
done
chmod 755 "$TMP/locked" "$TMP/shut"

# a record that cannot be finished says so
got=0
(ulimit -f 1 && "$hwprobe" --record="$TMP/large" >"$TMP/out" 2>"$TMP/messages" 9<"$TMP/file") || got=$?
grep -v warning: "$TMP/messages" >"$TMP/err" || true
[ "$got:$(wc -c <"$TMP/out")" = 1:0 ] || fail "a record that did not fit: status $got"
grep -qF "cannot record: File too large" "$TMP/err" || fail "a record that did not fit: $(cat "$TMP/err")"
grep -qF -- "--record=$TMP/large: it is not complete: remove it" "$TMP/err" || fail "what is left is not named: $(cat "$TMP/err")"

# nowhere to print: told, with 1; nothing that was opened is taken for standard output or standard error
for how in assisted full text; do
	for to in /dev/full closed; do
		got=0
		if [ "$to" = closed ]; then
			"$hwprobe" --sysroot="$root" --format="$how" >&- 2>"$TMP/err" || got=$?
		else
			"$hwprobe" --sysroot="$root" --format="$how" >"$to" 2>"$TMP/err" || got=$?
		fi
		[ "$got:$(wc -l <"$TMP/err"):$(grep -c 'cannot write' "$TMP/err")" = 1:1:1 ] || fail "--format=$how to $to: status $got: $(cat "$TMP/err")"
	done
done
for args in --explain=cpu --help --version; do
	got=0
	"$hwprobe" --sysroot="$root" "$args" >/dev/full 2>"$TMP/err" || got=$?
	[ "$got:$(grep -c 'cannot write' "$TMP/err")" = 1:1 ] || fail "$args to a full device: status $got: $(cat "$TMP/err")"
done
"$hwprobe" --record="$TMP/blind" >&- 2>&- <&- && fail "a closed standard output was not noticed"
! grep -rlE '"hostname":|slipway-hwprobe:' "$TMP/blind" || fail "what belongs on standard output or standard error is in the record"

# signals and readers that go away end it at once
python3 - "$hwprobe" "$root" <<'X' || fail "it does not end as it should"
import signal, subprocess, sys
program, root = sys.argv[1:]
def start(*args):
    return subprocess.Popen([program, *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, restore_signals=True,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    p = start("--watch")
    line = p.stdout.readline()
    assert line.startswith(b'{"changed":[') and line.endswith(b"}}\n"), line
    assert b'"clock"' not in line, line  # no line shows it
    p.send_signal(number)
    rest, _ = p.communicate(timeout=20)
    assert p.returncode == -number and rest == b"", (p.returncode, rest)
p = start("--sysroot=" + root, "--format=full")
p.stdout.close()
assert p.wait(timeout=20) in (-signal.SIGPIPE, 0), p.returncode
X

# what is asked for and is not there: why, and what is called nearly so; what was not asked for is told from what is absent
says 2 2 'disks[0] has no "serail"' --sysroot="$root" --explain='disks[0].serail'
grep -q '^Nearest: disks\[0\]\.serial\. Try "slipway-hwprobe --format=full"' "$TMP/err" || fail "nothing near: $(cat "$TMP/err")"
says 2 2 'the list gpus is empty' --sysroot="$root" --parts=disks --explain='gpus[0]'
status 0 --sysroot="$root" --parts=disks --explain=gpus
grep -qx '  the part gpus was not asked for' "$TMP/out" || fail "--parts left it out: $(cat "$TMP/out")"
status 0 --sysroot="$root" --explain='disks[0].installation_eligibility'
grep -qx 'disks\[0\].installation_eligibility.eligible: [a-z]*' "$TMP/out" || fail "may it be installed on? $(cat "$TMP/out")"
