#!/bin/bash
# Clients that hang up before their answer, and requests that are too large, leave slipwayd as it was.
. "$(dirname "$0")/../lib.sh"
requires python3
exec python3 "$TOP/tests/api/hangup.py"
