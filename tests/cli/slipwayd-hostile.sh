#!/bin/bash
# Input made to harm slipwayd, and tokens used where they do not belong.
. "$(dirname "$0")/../lib.sh"
requires python3
exec python3 "$TOP/tests/api/hostile.py"
