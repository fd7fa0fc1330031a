#!/bin/bash
# kill -9 of slipwayd during a load of changing requests loses nothing that was answered.
. "$(dirname "$0")/../lib.sh"
requires python3
exec python3 "$TOP/tests/api/crash.py"
