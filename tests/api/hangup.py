"""Clients that hang up before their answer, and requests that are too large. Run by tests/cli/slipwayd-hangup.sh."""
import json
import os
import socket
import struct
import time

from slipway_api import BASE, Slipwayd

PLAIN, TLS = 400, 60


def main():
    server = Slipwayd("none")
    body = json.dumps({"name": "p", "pull_secret": json.dumps({"auths": {"q": {"auth": "dTpw"}}})}).encode()
    head = "POST %s/v2/infra-envs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    request = (head % (BASE, len(body))).encode() + body
    http, https = [server.ready[k].rsplit(":", 1) for k in ("http", "https")]
    try:
        for i in range(PLAIN):
            c = socket.create_connection((http[0], int(http[1])))
            c.sendall(request)
            if i % 2:  # a reset instead of an orderly end
                c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            c.close()
        for i in range(TLS):
            c = server.ssl.wrap_socket(socket.create_connection((https[0], int(https[1]))), server_hostname="127.0.0.1")
            c.sendall(request)
            if i % 2:
                os.close(c.detach())  # without TLS's own goodbye
            else:
                c.close()

        # a request that came in whole counts, unless its reset came first
        end = time.monotonic() + 10
        while True:
            status, ies = server.api("GET", "/v2/infra-envs")
            assert status == 200, status
            if len(ies) >= PLAIN // 2 + TLS // 2 or time.monotonic() > end:
                break
        assert PLAIN // 2 + TLS // 2 <= len(ies) <= PLAIN + TLS, "%d of %d" % (len(ies), PLAIN + TLS)

        for request, status in [
            ((head % (BASE, 9000000)).encode(), b"413"),
            (b"GET /ready HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70000, b"431"),
        ]:
            c = socket.create_connection((http[0], int(http[1])), timeout=10)
            c.sendall(request)
            answer = c.recv(200)
            assert answer.split()[1] == status, answer
            c.close()
        assert server.api("GET", "/v2/infra-envs")[0] == 200
        assert server.stop() == 0, "SIGTERM: " + server.log_text()
    finally:
        server.done()


if __name__ == "__main__":
    main()
