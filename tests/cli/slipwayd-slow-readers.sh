#!/bin/bash
# 20 readers that hardly read, of a 256 MiB ISO over TLS, cost slipwayd less than 16 MiB, and others are served meanwhile.
. "$(dirname "$0")/../lib.sh"
make_tmp
. "$(dirname "$0")/service-lib.bash"
requires python3

: >"$TMP/slipwayd.conf"
start_service --auth=local
make_infra_env
make_base "$TMP/base" 256
"${CTL[@]}" base-image add "$TMP/base" 2>/dev/null >&2
# a first reader, so that what is allocated once is there before measuring
open -o /dev/null -r 0-4000000 "$ISO_URL"

python3 - "$ISO_URL" "$TMP/state/ca.pem" "$SLIPWAYD_PID" <<'X' || fail "slow readers cost too much"
import socket, ssl, sys, time, urllib.parse
url, ca, pid = urllib.parse.urlsplit(sys.argv[1]), sys.argv[2], sys.argv[3]
READERS, LIMIT_KIB, SECONDS = 20, 16 << 10, 8

def rss_kib():
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("RssAnon:"):
            return int(line.split()[1])

def connect(receive_buffer):
    raw = socket.socket()
    if receive_buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.connect((url.hostname, url.port))
    s = context.wrap_socket(raw, server_hostname=url.hostname)
    s.sendall(f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())
    return s

context = ssl.create_default_context(cafile=ca)
before = rss_kib()
readers = [connect(8192) for _ in range(READERS)]
peak, end = 0, time.monotonic() + SECONDS
while time.monotonic() < end:
    for s in readers:
        assert s.recv(512), "a slow reader was cut off"
    peak = max(peak, rss_kib())
    time.sleep(0.1)

# one that reads as fast as it can gets everything meanwhile
fast, got, began = connect(0), 0, time.monotonic()
data = fast.recv(65536)
head, _, rest = data.partition(b"\r\n\r\n")
length = int([l for l in head.split(b"\r\n") if l.lower().startswith(b"content-length")][0].split(b":")[1])
got = len(rest)
while got < length:
    data = fast.recv(1 << 20)
    assert data, f"cut off after {got} of {length} bytes"
    got += len(data)
    peak = max(peak, rss_kib()) if got % 64 == 0 else peak
assert length == 256 << 20, length
assert time.monotonic() - began < 60, "others have to wait for slow readers"
peak = max(peak, rss_kib())
print(f"{READERS} slow readers: {peak - before} KiB; {length >> 20} MiB beside them in {time.monotonic() - began:.1f} s")
assert peak - before < LIMIT_KIB, f"{peak - before} KiB for {READERS} readers"
X
stop_service TERM
