#!/bin/bash
# The script on CoreOS media picks the network settings by the addresses that a machine has.
. "$(dirname "$0")/../lib.sh"
requires python3
exec python3 "$TOP/tests/api/static_network.py"
