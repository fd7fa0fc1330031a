"""Logs of hosts where a request file cannot look: sizes, the folder in the state directory, many at once. Run by tests/cli/slipwayd-logs.sh."""
import http.client
import io
import json
import os
import signal
import tarfile
import time
import uuid

from slipway_api import BASE, Slipwayd

SECRET = json.dumps({"auths": {"q": {"auth": "dTpw"}}})
MAX, QUOTA = 3 << 20, 5 << 20
FORM = "multipart/form-data; boundary=bnd"


class Pool:
    def __init__(self, server):
        self.server = server
        _, cluster = server.api("POST", "/v2/clusters/import", {"name": "c", "api_vip_dnsname": "192.0.2.1",
                                                               "openshift_cluster_id": str(uuid.uuid4())})
        self.cluster = cluster["id"]
        _, ie = server.api("POST", "/v2/infra-envs", {"name": "p", "pull_secret": SECRET, "cluster_id": self.cluster})
        self.id = ie["id"]
        self.token = server.ctl(["tokens", "agent", self.id])
        self.headers = {"X-Secret-Key": self.token}

    def host(self):
        host_id = str(uuid.uuid4())
        status, _ = self.server.api("POST", "/v2/infra-envs/%s/hosts" % self.id, {"host_id": host_id}, self.headers)
        assert status == 201, status
        return host_id

    def path(self, host):
        return BASE + "/v2/clusters/%s/logs?logs_type=host&host_id=%s&infra_env_id=%s" % (self.cluster, host, self.id)

    def upload(self, host, data, chunked=False):
        body = form(data)
        head = dict(self.headers, **{"Content-Type": FORM})
        if not chunked:
            return self.server.request("POST", self.path(host), head, body)[0]
        connection = http.client.HTTPSConnection(self.server.ready["https"], context=self.server.ssl, timeout=30)
        try:
            pieces = (body[i:i + 10000] for i in range(0, len(body), 10000))
            connection.request("POST", self.path(host), pieces, head, encode_chunked=True)
            return connection.getresponse().status
        finally:
            connection.close()

    def download(self, host):
        status, _, data = self.server.request("GET", self.path(host), {"Authorization": self.server.admin})
        if status != 200:
            return status
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            members = tar.getmembers()
            assert len(members) == 1 and members[0].name.endswith(".tar.gz"), members
            return tar.extractfile(members[0]).read()

    def names_of_all(self):
        status, _, data = self.server.request("GET", BASE + "/v2/clusters/%s/logs?logs_type=all" % self.cluster, {"Authorization": self.server.admin})
        assert status == 200, status
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            return tar.getnames()


def form(data):
    return b'--bnd\r\nContent-Disposition: form-data; name="upfile"; filename="l"\r\n\r\n' + data + b"\r\n--bnd--\r\n"


def files(server):
    found = {}
    with os.scandir(os.path.join(server.state, "logs")) as entries:
        for e in entries:
            try:
                found[e.name] = os.stat(e.path)
            except FileNotFoundError:
                pass  # it went meanwhile
    return found


def wait_for(what):
    end = time.monotonic() + 10
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def sizes(server):
    pool = Pool(server)
    one, two = pool.host(), pool.host()
    data = os.urandom(MAX)
    for chunked in (False, True):
        assert pool.upload(one, data, chunked) == 204
        assert pool.download(one) == data
    for chunked in (False, True):
        assert pool.upload(one, data + b"x", chunked) == 413
    assert pool.download(one) == data, "a refused upload took the place of a good one"
    # the quota counts all hosts; what was refused leaves no bytes and no file behind
    assert pool.upload(two, os.urandom(QUOTA - MAX + 1)) == 503
    assert pool.upload(two, os.urandom(QUOTA - MAX)) == 204
    assert pool.upload(pool.host(), b"y") == 503
    assert pool.upload(two, os.urandom(QUOTA - MAX)) == 204, "what is replaced does not count"
    assert len(files(server)) == 2 and all(s.st_mode & 0o777 == 0o600 for s in files(server).values())
    assert sorted(os.path.basename(n) for n in pool.names_of_all())[0].startswith("c_worker_")
    # deleting makes room
    assert server.api("DELETE", "/v2/infra-envs/%s/hosts/%s" % (pool.id, one))[0] == 204
    wait_for(lambda: len(files(server)) == 1)
    assert pool.upload(two, b"y") == 204
    assert server.api("DELETE", "/v2/clusters/%s" % pool.cluster)[0] == 204
    wait_for(lambda: not files(server))


def names(server):
    """A machine that calls itself a path puts no file anywhere when the tar is unpacked."""
    pool = Pool(server)
    for name in ("../../../etc/cron.d/x", "/etc/x", "a\nb", "\u00e4" * 60, "Host.one"):
        host = pool.host()
        status, answer = server.api("POST", "/v2/infra-envs/%s/hosts/%s/instructions" % (pool.id, host),
                                    {"step_type": "inventory", "output": json.dumps({"hostname": name})}, pool.headers)
        assert status == 204, answer
        assert pool.upload(host, b"x") == 204
    assert sorted(pool.names_of_all()) == sorted(["cluster_events.json"] + ["c_worker_%s.tar.gz" % n for n in (
        ".._.._.._etc_cron.d_x", "_etc_x", "a_b", "_" * 63, "Host.one")]), pool.names_of_all()


def same_ids(server):
    """A machine that two infra-envs know has two files, and both come out of the tar."""
    one, two = Pool(server), Pool(server)
    two.cluster = one.cluster
    _, ie = server.api("POST", "/v2/infra-envs", {"name": "q", "pull_secret": SECRET, "cluster_id": one.cluster})
    two.id = ie["id"]
    two.headers = {"X-Secret-Key": server.ctl(["tokens", "agent", two.id])}
    host = one.host()
    assert server.api("POST", "/v2/infra-envs/%s/hosts" % two.id, {"host_id": host}, two.headers)[0] == 201
    assert one.upload(host, b"1") == 204 and two.upload(host, b"2") == 204
    for query in ("logs_type=all", "logs_type=host&host_id=" + host):
        status, _, data = server.request("GET", BASE + "/v2/clusters/%s/logs?%s" % (one.cluster, query), {"Authorization": server.admin})
        assert status == 200, status
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            found = {m.name: tar.extractfile(m).read() for m in tar if m.name != "cluster_events.json"}
        assert sorted(found.values()) == [b"1", b"2"], found


def full_disk(server):
    """Logs leave the store room on its disk: here more than there is."""
    pool = Pool(server)
    status, _, body = server.request("POST", pool.path(pool.host()), dict(pool.headers, **{"Content-Type": FORM}), form(b"x"))
    assert status == 503 and b"logs_reserve" in body, (status, body)
    assert not files(server)


def unlimited(server):
    """The largest numbers are limits, too."""
    pool = Pool(server)
    host = pool.host()
    for n in range(2):
        assert pool.upload(host, bytes([n]) * 200000) == 204, n
    assert pool.download(host) == bytes([1]) * 200000


def leftovers(server):
    """What a crash may leave is gone after the next start, and only that."""
    pool = Pool(server)
    one, two = pool.host(), pool.host()
    assert pool.upload(one, b"kept") == 204
    folder = os.path.join(server.state, "logs")
    for name in ("tmp-0123456789abcdef", "%s.%s.tar.gz" % (pool.id, two), "%s.%s.tar.gz" % (uuid.uuid4(), one), "stray"):
        with open(os.path.join(folder, name), "w") as f:
            f.write("x")
    half = http.client.HTTPSConnection(server.ready["https"], context=server.ssl, timeout=30)
    half.putrequest("POST", pool.path(two))
    for name, value in dict(pool.headers, **{"Content-Type": FORM, "Content-Length": "1000000"}).items():
        half.putheader(name, value)
    half.endheaders(form(os.urandom(50000))[:-10])
    wait_for(lambda: len(files(server)) == 6)
    server.stop(signal.SIGKILL)
    half.close()
    server.start()
    assert list(files(server)) == ["%s.%s.tar.gz" % (pool.id, one)], files(server)
    assert pool.download(one) == b"kept"
    assert pool.download(two) == 404


def broken_off(server):
    """A sender that goes away leaves nothing; many at once are turned away, not taken into memory."""
    pool = Pool(server)
    host = pool.host()
    before = len(files(server))
    senders = []
    for _ in range(40):
        c = http.client.HTTPSConnection(server.ready["https"], context=server.ssl, timeout=30)
        c.putrequest("POST", pool.path(host))
        for name, value in dict(pool.headers, **{"Content-Type": FORM, "Content-Length": "100000"}).items():
            c.putheader(name, value)
        c.endheaders(form(b"abc")[:50])
        senders.append(c)
    statuses = []
    for c in senders:
        c.sock.settimeout(0.2)
        try:
            statuses.append(c.getresponse().status)
        except OSError:
            statuses.append(None)
    assert statuses.count(503) == 16 and statuses.count(None) == 24, statuses
    other = Pool(server)
    assert other.upload(other.host(), b"x") == 204, "one infra-env has taken all places"
    for c in senders:
        c.close()
    wait_for(lambda: len(files(server)) == before + 1)
    assert pool.upload(host, b"after") == 204
    # an unbound host's logs are nobody's
    assert pool.download(host) == b"after"


def ended(server):
    """SIGTERM ends the service while a host sends, and nothing of it stays."""
    pool = Pool(server)
    host = pool.host()
    before = len(files(server))
    half = http.client.HTTPSConnection(server.ready["https"], context=server.ssl, timeout=30)
    half.putrequest("POST", pool.path(host))
    for name, value in dict(pool.headers, **{"Content-Type": FORM, "Content-Length": "1000000"}).items():
        half.putheader(name, value)
    half.endheaders(form(os.urandom(50000))[:-10])
    wait_for(lambda: len(files(server)) == before + 1)
    assert server.stop() == 0, server.log_text()
    half.close()
    assert len(files(server)) == before
    server.start()


def run(cases, conf):
    server = Slipwayd("local", conf)
    try:
        for case in cases:
            try:
                case(server)
            except Exception:
                print("%s: %s" % (case.__name__, server.log_text()))
                raise
        assert server.stop() == 0, "SIGTERM: " + server.log_text()
    finally:
        server.done()


def main():
    run((sizes, leftovers, broken_off, ended, names, same_ids), ["logs_max_size = %d" % MAX, "logs_quota = %d" % QUOTA])
    run((unlimited,), ["logs_max_size = 18446744073709551615", "logs_quota = 18446744073709551615", "logs_reserve = 0"])
    run((full_disk,), ["logs_reserve = 8000000G"])


if __name__ == "__main__":
    main()
