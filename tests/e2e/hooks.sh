# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of scripts/demo
# What the end-to-end tests look at besides the demo itself. scripts/demo sources it and calls these functions.

# The API shows "Rebooting": every write of the installation is in the log.
hook_rebooting() {
	if [ -n "$WRITE_LOG" ]; then
		write_log_size=$(stat -c %s "$WRITE_LOG")
		cp --sparse=always "$WRITE_LOG" "$dir/install.log-writes"
	fi
	[ -z "${E2E_PAUSE:-}" ] || pause_machine
}

qmp() { # COMMAND
	python3 - "$dir/qmp.sock" "$1" <<-'END'
		import json, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.settimeout(10)
		s.connect(sys.argv[1])
		f = s.makefile("rw")
		f.readline()
		for command in ("qmp_capabilities", sys.argv[2]):
		    f.write(json.dumps({"execute": command}) + "\n")
		    f.flush()
		    while "return" not in (answer := json.loads(f.readline())):
		        if "error" in answer:
		            sys.exit(str(answer))
	END
}

# A machine that stops at Rebooting never becomes joined; after the stage's time limit the service asks for a person. Then it goes on.
pause_machine() {
	qmp stop
	wait_for 30 "status installing-pending-user-action of a machine stopped at Rebooting" host_is installing-pending-user-action
	say "           a machine stopped at Rebooting is $(host_field .status): $(host_field .status_info)"
	qmp cont
}

hook_joined() {
	grep -aq 'hardware watchdog resets the machine' "$dir/console.log" || die "no hardware watchdog guarded the reboot (console.log)"
	[ -z "$WRITE_LOG" ] || check_write_log
	[ -z "${E2E_BOOT_AGAIN:-}" ] || boot_iso_again
}

# LBA 0 last, between two flushes; no prefix of the log is half-bootable.
check_write_log() {
	local log=$dir/install.log-writes blklog=tests/e2e/blklog.py total n
	python3 $blklog check "$log" "$write_log_size" || die "the order of writes is wrong"
	read -r total _ <<<"$(python3 $blklog count "$log" "$write_log_size")"
	for n in 0 $((total / 2)) last; do
		[ "$n" != last ] || n=$(python3 $blklog last-data "$log" "$write_log_size")
		python3 $blklog prefix "$log" "$write_log_size" "$n" "$dir/prefix.raw" || die "prefix $n of the write log cannot be replayed"
		[ -z "$(head -c 512 "$dir/prefix.raw" | tr -d '\0')" ] || die "after $n of $total writes the disk has a boot sector"
		say "           after $n of $total log entries sector 0 is empty: no firmware boots it"
	done
	rm -f "$dir/prefix.raw"
}

# The discovery ISO boots again on the installed machine: nothing is installed, the service says why.
boot_iso_again() {
	stop_machine
	rm -f "$dir/vars.fd" "$dir/console.log"
	WRITE_LOG=$dir/again.log-writes
	FIRMWARE_ORDER='cd' boot_machine
	wait_for 150 "status installing-pending-user-action after the ISO booted again" host_is installing-pending-user-action
	sleep 8
	refresh_host
	[ "$(host_field .status)" = installing-pending-user-action ] || die "the host became $(host_field .status)"
	read -r _ n written <<<"$(python3 tests/e2e/blklog.py count "$WRITE_LOG" "$(stat -c %s "$WRITE_LOG")")"
	[ "$n" = 0 ] || die "the discovery system wrote $written bytes to an installed disk"
	say "           the ISO booted again: $(host_field .status), nothing was written ($(host_field .status_info))"
}
