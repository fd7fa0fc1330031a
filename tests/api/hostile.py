"""Input made to harm: names without end, lists that cost more than they say, requests that two readers would cut differently, tokens
used where they do not belong. Run by tests/cli/slipwayd-hostile.sh."""
import json
import socket
import time
import uuid

from slipway_api import BASE, Slipwayd

SECRET = json.dumps({"auths": {"q": {"auth": "dTpw"}}})
PATIENCE_S = 5  # for one request; everybody else waits meanwhile


def make_pool(server, **fields):
    status, ie = server.api("POST", "/v2/infra-envs", dict({"name": "p", "pull_secret": SECRET}, **fields))
    assert status == 201, ie
    return ie["id"]


def make_host(server, pool, head=None):
    host = str(uuid.uuid4())
    status, answer = server.api("POST", "/v2/infra-envs/%s/hosts" % pool, {"host_id": host}, head)
    assert status == 201, answer
    return host


def raw(server, text, tls=False):
    """The whole answer to bytes sent as they are; the client ends its side."""
    host, port = server.ready["https" if tls else "http"].rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as c:
        c = server.ssl.wrap_socket(c, server_hostname=host) if tls else c
        c.sendall(text)
        answer = b""
        while True:
            part = c.recv(65536)
            if not part:
                return answer
            answer += part


def long_names(server):
    """A host may call itself anything; events quote its name."""
    pool = make_pool(server)
    host = make_host(server, pool)
    path = "/v2/infra-envs/%s/hosts/%s" % (pool, host)
    for length in (255, 4000, 4096, 5000, 100000):
        inventory = json.dumps({"hostname": "x" * length})
        answer = server.api("POST", path + "/instructions", {"step_type": "inventory", "step_id": "i", "output": inventory})
        assert answer[0] == 204, "%d: %s" % (length, answer)
        # what is not said with the name is an event with it
        assert server.api("PATCH", path + "/installer-args", {"args": ["-n"]})[0] == 201
    status, events = server.api("GET", "/v2/events?host_ids=" + host)
    assert status == 200 and any(e["name"] == "host_installer_args_applied" for e in events), events
    assert max(len(e["message"]) for e in events) < 4096


def costly_lists(server):
    """Whatever is compared with everything else has a limit."""
    macs = [{"mac_address": "52:54:00:%02x:%02x:01" % (i >> 8, i & 255), "logical_nic_name": "e%d" % i} for i in range(4000)]
    for field, value in [("proxy", {"http_proxy": "http://p", "no_proxy": ",".join("a%d.example.com" % i for i in range(100000))}),
                         ("static_network_config", [{"network_yaml": "x", "mac_interface_map": macs}])]:
        begin = time.monotonic()
        status, answer = server.api("POST", "/v2/infra-envs", {"name": "p", "pull_secret": SECRET, field: value})
        assert status == 400 and "at most" in answer["reason"], answer
        assert time.monotonic() - begin < PATIENCE_S, field


def run(auth, cases):
    server = Slipwayd(auth)
    try:
        for case in cases:
            try:
                case(server)
                assert server.api("GET", "/v2/infra-envs")[0] == 200
            except Exception:
                print("%s (auth %s): %s" % (case.__name__, auth, server.log_text()))
                raise
        assert server.stop() == 0, "SIGTERM: " + server.log_text()
    finally:
        server.done()


def main():
    run("none", [long_names, costly_lists])


if __name__ == "__main__":
    main()
