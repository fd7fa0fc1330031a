"""Input made to harm: names without end, lists that cost more than they say, requests that two readers would cut differently, tokens
used where they do not belong. Run by tests/cli/slipwayd-hostile.sh."""
import base64
import concurrent.futures
import json
import signal
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


INVENTORY = {
    "hostname": "w1", "cpu": {"count": 4, "architecture": "x86_64"},
    "memory": {"physical_bytes": 17179869184, "usable_bytes": 16777216000, "physical_bytes_method": "dmidecode"},
    "disks": [{"name": "sda", "path": "/dev/sda", "id": "/dev/disk/by-id/wwn-0x5000", "drive_type": "SSD", "size_bytes": 120000000000}],
    "interfaces": [{"name": "eth0", "type": "physical", "mac_address": "52:54:00:00:00:01", "ipv4_addresses": ["192.0.2.10/24"]}],
    "routes": [{"interface": "eth0", "destination": "0.0.0.0", "gateway": "192.0.2.1", "family": 2}],
    "system_vendor": {"product_name": "Y"}, "boot": {"current_boot_mode": "uefi"}, "tpm_version": "none"}
API_VIP = {"is_success": True, "ignition": json.dumps({"ignition": {"version": "3.2.0"}, "storage": {"files": [
    {"path": "/etc/kubernetes/manifests/%s.yaml" % name, "contents": {"source": "data:,x"}} for name in ("coredns", "keepalived")]}})}


class Machine:
    """A host of a pool whose agent is played here."""

    def __init__(self, server, pool, cluster=None):
        self.server, self.pool, self.cluster = server, pool, cluster
        self.head = {"Slipway-Agent": "1", "X-Secret-Key": server.ctl(["tokens", "agent", pool]) if server.auth == "local" else ""}
        self.id = make_host(server, pool, self.head)
        self.path = "/v2/infra-envs/%s/hosts/%s" % (pool, self.id)

    def status(self):
        return self.server.api("GET", self.path)[1]["status"]

    def register(self):
        return self.server.api("POST", "/v2/infra-envs/%s/hosts" % self.pool, {"host_id": self.id}, self.head)[0]

    def reply(self, step, output, **more):
        body = dict({"step_type": step, "step_id": "s", "output": json.dumps(output)}, **more)
        answer = self.server.api("POST", self.path + "/instructions", body, self.head)
        assert answer[0] == 204, answer

    def poll(self):
        return self.server.api("GET", self.path + "/instructions?timestamp=%d" % time.time(), None, self.head)

    def progress(self, stage, info="", token=None):
        head = self.head if token is None else dict(self.head, **{"X-Secret-Key": token})
        return self.server.api("PUT", self.path + "/progress", {"current_stage": stage, "progress_info": info}, head)[0]

    def make_known(self):
        self.reply("inventory", dict(INVENTORY, hostname="h" + self.id[:8]))
        self.reply("api-vip-connectivity-check", API_VIP)
        self.poll()
        assert self.status() == "known", self.server.api("GET", self.path)[1]["status_info"]

    def install(self):
        """Returns the token that the installed system gets."""
        self.make_known()
        assert self.server.api("POST", self.path + "/actions/install")[0] == 202
        status, seed = self.server.api("GET", self.path + "/downloads/seed", None, self.head)
        assert status == 200, seed
        return seed["token"]


def make_cluster(server):
    status, cluster = server.api("POST", "/v2/clusters/import",
                                 {"name": "c", "api_vip_dnsname": "192.0.2.9", "openshift_cluster_id": str(uuid.uuid4())})
    assert status == 201, cluster
    return cluster["id"]


def bound_token(server):
    """What an installed system has on its disk opens nothing but its own host."""
    pool, cluster = make_pool(server), make_cluster(server)
    host = make_host(server, pool, {"X-Secret-Key": server.ctl(["tokens", "agent", pool])})
    head = {"X-Secret-Key": server.ctl(["tokens", "agent", pool, "--host-id=" + host])}
    ie = "/v2/infra-envs/" + pool
    for method, path in [("GET", ie), ("GET", ie + "/downloads/files?file_name=discovery.ign"), ("POST", ie + "/hosts"),
                         ("GET", ie + "/downloads/files?file_name=ipxe-script"), ("GET", "/v2/clusters/" + cluster)]:
        status, answer = server.api(method, path, {"host_id": host} if method == "POST" else None, head)
        assert status == 404, (method, path, status, answer)
    assert server.api("GET", ie + "/hosts/" + host, None, head)[0] == 200
    assert [h["id"] for h in server.api("GET", ie + "/hosts", None, head)[1]] == [host]


def cluster_of_two_pools(server):
    """An agent sees its cluster, but no hosts of other infra-envs in it."""
    cluster = make_cluster(server)
    pools = [make_pool(server, cluster_id=cluster) for _ in range(2)]
    machines = [Machine(server, pool) for pool in pools]
    for m in machines:
        status, got = server.api("GET", "/v2/clusters/" + cluster, None, m.head)
        assert status == 200 and [h["id"] for h in got["hosts"]] == [m.id], got
    assert len(server.api("GET", "/v2/clusters/" + cluster)[1]["hosts"]) == 2


def events_of_others(server):
    """An agent writes no events about hosts and clusters that are not its own."""
    pool, other = make_pool(server), make_pool(server)
    head = {"X-Secret-Key": server.ctl(["tokens", "agent", pool])}
    mine = make_host(server, pool, head)
    foreign = make_host(server, other, {"X-Secret-Key": server.ctl(["tokens", "agent", other])})
    event = {"severity": "info", "message": "m", "event_time": "2026-01-01T00:00:00Z"}
    for more, wanted in [({}, 201), ({"host_id": mine}, 201), ({"host_id": foreign}, 404), ({"infra_env_id": other}, 404),
                         ({"cluster_id": make_cluster(server)}, 404), ({"cluster_id": str(uuid.uuid4())}, 404)]:
        status, answer = server.api("POST", "/v2/events", dict(event, **more), head)
        assert status == wanted, (more, status, answer)


def readers(server):
    """A user who may only read is given the headers of what he may read."""
    password = server.ctl(["users", "add", "reader", "--role=read-only"]).split()[-1]
    head = {"Authorization": "Basic " + base64.b64encode(("reader:" + password).encode()).decode()}
    pool = make_pool(server)
    for method, path, wanted in [("GET", "/byid/%s/4.18/x86_64/full.iso" % pool, 503), ("HEAD", "/byid/%s/4.18/x86_64/full.iso" % pool, 503),
                                 ("DELETE", BASE + "/v2/infra-envs/" + pool, 403)]:
        assert server.request(method, path, head)[0] == wanted, (method, path)


def guessing(server):
    """Who guesses passwords keeps nobody from working who has signed in or has a token."""
    pool = make_pool(server)
    machine = Machine(server, pool)
    begin, answers = time.monotonic(), []

    def guess(number):
        word = base64.b64encode(b"admin:%d" % number).decode()
        return server.request("GET", BASE + "/v2/infra-envs", {"Authorization": "Basic " + word})[0]
    # several at once: on a machine that is busy otherwise single guesses come so slowly that none is one too many
    while time.monotonic() - begin < 2.5:
        with concurrent.futures.ThreadPoolExecutor(8) as pool_of_guessers:
            answers += pool_of_guessers.map(guess, range(len(answers), len(answers) + 8))
        assert machine.poll()[0] == 200
        assert server.api("GET", "/v2/infra-envs")[0] == 200
    assert set(answers) <= {401, 503} and 503 in answers and answers.count(401) <= 8 * (time.monotonic() - begin), answers


def earlier_installation(server):
    """What an earlier installation left on another disk may come up instead: it cannot report for the new one."""
    pool = make_pool(server, cluster_id=make_cluster(server))
    machine = Machine(server, pool)
    first = machine.install()
    for stage, token in [("Rebooting", None), ("Configuring", first), ("Joined", first), ("Done", first)]:
        assert machine.progress(stage, token=token) == 200, stage
    assert machine.status() == "added-to-existing-cluster"
    assert server.api("POST", machine.path + "/actions/reset")[0] == 200
    assert machine.register() == 201
    second = machine.install()
    assert machine.progress("Rebooting") == 200
    for stage in ("Configuring", "Joined", "Done", "Failed"):
        assert machine.progress(stage, token=first) == 409, stage
    assert machine.status() == "installing-in-progress"
    for stage in ("Configuring", "Joined", "Done"):
        assert machine.progress(stage, token=second) == 200, stage
    assert machine.status() == "added-to-existing-cluster"


def namesakes(server):
    """Hosts of one name spoil each other, until only one is left; many of them cost no more than others."""
    cluster = make_cluster(server)
    pool = make_pool(server, cluster_id=cluster)
    machines = [Machine(server, pool) for _ in range(300)]
    begin = time.monotonic()
    for m in machines:
        m.reply("inventory", dict(INVENTORY, hostname="same"))
    assert time.monotonic() - begin < PATIENCE_S

    def unique(machine):
        info = json.loads(server.api("GET", machine.path)[1]["validations_info"])
        return next(v["status"] for v in info["hardware"] if v["id"] == "hostname-unique")

    assert all(unique(m) == "failure" for m in machines[1:])
    for m in machines[3:]:
        assert server.api("DELETE", m.path)[0] == 204
    assert server.api("PATCH", machines[0].path, {"host_name": "other"})[0] == 201
    assert [unique(m) for m in machines[:3]] == ["success", "failure", "failure"]
    assert server.api("DELETE", machines[1].path)[0] == 204
    assert unique(machines[2]) == "success"


def token_alone(server):
    """Whoever has the token of an infra-env can fill a bounded share of the service."""
    _, ie = server.api("POST", "/v2/infra-envs", {"name": "p", "pull_secret": SECRET})
    _, other = server.api("POST", "/v2/infra-envs", {"name": "q", "pull_secret": SECRET})
    agent = {"X-Secret-Key": server.ctl(["tokens", "agent", ie["id"]])}
    hosts = [str(uuid.uuid4()) for _ in range(HOSTS_MAX + 1)]
    path = "/v2/infra-envs/%s/hosts" % ie["id"]
    statuses = [server.api("POST", path, {"host_id": h}, agent)[0] for h in hosts]
    assert statuses == [201] * HOSTS_MAX + [503], statuses
    assert server.api("POST", path, {"host_id": hosts[0]}, agent)[0] == 201, "known hosts register again"
    assert server.api("POST", "/v2/infra-envs/%s/hosts" % other["id"], {"host_id": hosts[0]})[0] in (201, 403)
    assert server.api("DELETE", path + "/" + hosts[1])[0] == 204
    assert server.api("POST", path, {"host_id": hosts[HOSTS_MAX]}, agent)[0] == 201, "deleting makes room"

    # large findings are added up; small ones always pass
    def inventory(host, n):
        value = dict(INVENTORY, disks=[dict(INVENTORY["disks"][0], smart="x" * n)])
        return server.api("POST", "%s/%s/instructions" % (path, host), {"step_type": "inventory", "output": json.dumps(value)}, agent)
    assert inventory(hosts[0], FINDINGS - 10000)[0] == 204
    status, answer = inventory(hosts[2], FINDINGS - 10000)
    assert status == 413 and "findings_quota" in answer["message"], answer
    assert inventory(hosts[2], 50000)[0] == 204
    server.stop(signal.SIGTERM)
    server.start()
    assert inventory(hosts[2], FINDINGS - 10000)[0] == 413, "the sum is known after a restart"
    assert inventory(hosts[0], 10)[0] == 204
    assert inventory(hosts[2], FINDINGS - 10000)[0] == 204, "what shrinks makes room"
    assert inventory(hosts[0], FINDINGS - 10000)[0] == 413
    assert server.api("POST", path, {"host_id": hosts[2]}, agent)[0] == 201
    assert inventory(hosts[0], FINDINGS - 10000)[0] == 204, "a new registration forgets what was found"

    # texts, and the number of events
    event = {"severity": "info", "message": "m", "event_time": "2026-01-01T00:00:00.000Z", "infra_env_id": ie["id"], "name": "n"}
    for change in ({"message": "x" * 8193}, {"props": "x" * 8193}, {"name": "x" * 201}):
        assert server.api("POST", "/v2/events", dict(event, **change), agent)[0] == 400, change
    assert server.api("POST", path, {"host_id": hosts[0], "discovery_agent_version": "x" * 513}, agent)[0] == 400
    assert server.api("PUT", "%s/%s/progress" % (path, hosts[0]), {"current_stage": "Installing", "progress_info": "x" * 4097}, agent)[0] == 400
    statuses = [server.api("POST", "/v2/events", event, agent)[0] for _ in range(EVENTS_AN_HOUR + 1)]
    assert statuses == [201] * EVENTS_AN_HOUR + [503], (statuses.index(503), statuses[-1])


def run(auth, cases, conf=()):
    server = Slipwayd(auth, conf)
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


HOSTS_MAX, FINDINGS, EVENTS_AN_HOUR = 3, 200000, 1000


def main():
    run("none", [long_names, costly_lists, namesakes])
    run("local", [token_alone], ["max_hosts = %d" % HOSTS_MAX, "findings_quota = %d" % FINDINGS])
    run("local", [bound_token, cluster_of_two_pools, events_of_others, readers, guessing, earlier_installation])


if __name__ == "__main__":
    main()
