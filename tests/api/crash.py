"""kill -9 at random moments while requests change things: whatever was answered is there afterwards. Run by tests/cli/slipwayd-crash.sh."""
import json
import random
import signal
import sys
import threading
import time
import uuid

from slipway_api import Slipwayd

ROUNDS = 8
THREADS = 4
SECRET = json.dumps({"auths": {"q": {"auth": "dTpw"}}})


class Load(threading.Thread):
    """Makes infra-envs, renames hosts, counts up; notes what was answered and what was asked."""

    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.server, self.number = server, number
        self.infra_envs, self.deleted, self.names, self.asked = set(), set(), {}, {}
        self.unsure = set()
        self.answers = 0

    def run(self):
        n = 0
        try:
            while True:
                n += 1
                status, ie = self.server.api("POST", "/v2/infra-envs", {"name": "%d-%d" % (self.number, n), "pull_secret": SECRET})
                assert status == 201, status
                self.infra_envs.add(ie["id"])
                host = (ie["id"], str(uuid.uuid4()))
                status, _ = self.server.api("POST", "/v2/infra-envs/%s/hosts" % ie["id"], {"host_id": host[1]})
                assert status == 201, status
                for i in range(3):
                    name = "h%d-%d" % (n, i)
                    self.asked[host] = name
                    status, _ = self.server.api("PATCH", "/v2/infra-envs/%s/hosts/%s" % host, {"host_name": name})
                    assert status == 201, status
                    self.names[host] = name
                if n % 3 == 0:
                    self.unsure.add(host)
                    status, _ = self.server.api("DELETE", "/v2/infra-envs/%s/hosts/%s" % host)
                    assert status == 204, status
                    self.names.pop(host)
                    self.deleted.add(host)
                self.answers += 6
        except (OSError, ValueError):
            pass  # the service was killed; http.client's errors are of these kinds or of its own
        except Exception as e:
            if type(e).__module__ != "http.client":
                self.failure = e

    failure = None


def check(server, load):
    if load.failure:
        raise load.failure
    _, all_ies = server.api("GET", "/v2/infra-envs")
    missing = load.infra_envs - {ie["id"] for ie in all_ies}
    assert not missing, "answered and lost: infra-envs %s" % missing
    for host, name in load.names.items():
        status, got = server.api("GET", "/v2/infra-envs/%s/hosts/%s" % host)
        if status == 404 and host in load.unsure:
            continue  # its deletion was asked for, but not answered
        assert status == 200, "answered and lost: host %s (%d)" % (host, status)
        assert got["requested_hostname"] in (name, load.asked[host]), "%s is called %s, not %s" % (host, got["requested_hostname"], name)
    for host in load.deleted:
        status, _ = server.api("GET", "/v2/infra-envs/%s/hosts/%s" % host)
        assert status == 404, "deleted and back: %s" % (host,)


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 30)
    print("seed %d" % seed)
    rng = random.Random(seed)
    server = Slipwayd("none")
    answers = 0
    try:
        for _ in range(ROUNDS):
            loads = [Load(server, i) for i in range(THREADS)]
            for load in loads:
                load.start()
            time.sleep(rng.uniform(0.05, 0.6))
            server.stop(signal.SIGKILL)
            for load in loads:
                load.join(10)
            server.start()
            for load in loads:
                check(server, load)
            answers += sum(load.answers for load in loads)
        assert answers > 100, "the load was too small to say anything: %d answers" % answers
        print("%d answered changes survived %d kills" % (answers, ROUNDS))
    finally:
        server.done()


if __name__ == "__main__":
    main()
