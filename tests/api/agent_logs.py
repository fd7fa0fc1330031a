"""The real agent sends its logs to the real service: an installation has failed, the service asks for them, a person downloads them. Run by
tests/cli/agent-logs.sh."""
import gzip
import io
import json
import os
import signal
import subprocess
import tarfile
import tempfile
import time
import uuid

from hostile import API_VIP, INVENTORY
from logs import Pool, wait_for
from slipway_api import BUILD, Slipwayd

SECRET_LOG = "agent.log"


class Agent:
    """One process with its child, which can be held still; it may write to no disk."""

    def __init__(self, server, pool, folder):
        self.id, self.state = str(uuid.uuid4()), os.path.join(folder, "state")
        token = os.path.join(folder, "token")
        with open(os.open(token, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(pool.token)
        self.log = os.path.join(folder, "agent.out")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(BUILD, "bin", "slipway-agent"), "--url=https://" + server.ready["https"], "--cacert=" + server.ready["ca"],
                 "--token-file=" + token, "--infra-env-id=" + pool.id, "--host-id=" + self.id, "--state-dir=" + self.state,
                 "--no-disk-writes"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def signal(self, number):
        task = "/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)
        with open(task) as f:
            children = [int(pid) for pid in f.read().split()]
        for pid in [self.process.pid] + children:
            os.kill(pid, number)

    def done(self):
        self.process.terminate()
        return self.process.wait(20)


def fail_installation(server, pool, host):
    """What the host would have said itself, had it the hardware: known, installing, failed."""
    path = "/v2/infra-envs/%s/hosts/%s" % (pool.id, host)
    for step, output in (("inventory", dict(INVENTORY, hostname="h1")), ("api-vip-connectivity-check", API_VIP)):
        status, answer = server.api("POST", path + "/instructions", {"step_type": step, "step_id": "s", "output": json.dumps(output)},
                                    pool.headers)
        assert status == 204, answer
    assert server.api("GET", path + "/instructions?timestamp=%d" % time.time(), None, pool.headers)[0] == 200
    status, answer = server.api("POST", path + "/actions/install")
    assert status == 202, answer
    assert server.api("PUT", path + "/progress", {"current_stage": "Failed", "progress_info": "test"}, pool.headers)[0] == 200


def gather(server, folder):
    pool = Pool(server)
    agent = Agent(server, pool, folder)
    try:
        path = "/v2/infra-envs/%s/hosts/%s" % (pool.id, agent.id)

        def host():
            status, h = server.api("GET", path)
            return h if status == 200 else {}

        wait_for(lambda: host().get("inventory"))
        with open(os.path.join(agent.state, SECRET_LOG), "wb") as f:
            f.write(b"<" + pool.token.encode() + b">" + os.urandom(3 << 20))
        agent.signal(signal.SIGSTOP)
        fail_installation(server, pool, agent.id)
        assert host()["status"] == "error", host()
        agent.signal(signal.SIGCONT)
        wait_for(lambda: host().get("logs_info") == "completed")
        assert not host()["logs_collected_at"].startswith("0001")

        data = pool.download(agent.id)
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            names = tar.getnames()
            log = tar.extractfile("slipway-logs/" + SECRET_LOG).read()
        assert {"slipway-logs/cmdline", "slipway-logs/mounts", "slipway-logs/status.json"} <= set(names), names
        assert log.startswith(b"<" + b"*" * len(pool.token) + b">") and len(log) == len(pool.token) + 2 + (3 << 20)
        assert pool.token.encode() not in gzip.decompress(data)
    except Exception:
        with open(agent.log, errors="replace") as f:
            print(f.read()[-4000:])
        raise
    finally:
        ended = agent.done()
    assert ended == 0, ended


def main():
    server = Slipwayd("local", ["instruction_interval = 1", "slow_interval = 1", "disabled_validations = ntp-synced"])
    try:
        with tempfile.TemporaryDirectory() as folder:
            gather(server, folder)
        assert server.stop() == 0, server.log_text()
    finally:
        server.done()


if __name__ == "__main__":
    main()
