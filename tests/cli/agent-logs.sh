#!/bin/bash
# The real agent and the real service: logs of a host whose installation has failed.
. "$(dirname "$0")/../lib.sh"
requires python3
exec python3 "$TOP/tests/api/agent_logs.py"
