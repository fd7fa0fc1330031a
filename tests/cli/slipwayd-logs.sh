#!/bin/bash
# Logs of hosts: limits, files, leftovers, senders that go away.
. "$(dirname "$0")/../lib.sh"
requires python3
exec python3 "$TOP/tests/api/logs.py"
