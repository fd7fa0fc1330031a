#!/bin/bash
# Every operation of the API: methods, credentials, identifiers, bodies.
. "$(dirname "$0")/../lib.sh"
requires python3
exec python3 "$TOP/tests/api/routes.py"
