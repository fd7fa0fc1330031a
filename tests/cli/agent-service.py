#!/usr/bin/env python3
"""A small service for the tests of slipway-agent: pool -> bind (exit) -> register anew -> install. Every request goes into a log, one JSON
object per line. Plain HTTP. Faults are asked for on the command line."""
import argparse
import json
import os
import re
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

IE = "fbe2e02f-5be9-4ca6-af2f-635fce727b94"
CLUSTER = "fc56491c-2703-4b95-b0cf-3418d90aff5b"
BASE = "/api/assisted-install/v2"
IMAGE = "registry.example.com/assisted/agent:latest"


class State:
    def __init__(self, args):
        self.args = args
        self.lock = threading.Lock()
        self.log = open(args.log, "a", buffering=1)
        self.status = args.start
        self.registrations = 0
        self.served = 0          # payload bytes
        self.cuts = args.cut     # connections still to be cut
        self.stage = ""
        self.host = None

    def note(self, **what):
        what["t"] = time.time()
        with self.lock:
            self.log.write(json.dumps(what) + "\n")

    def steps(self):
        """What a host in this state is asked to do."""
        if self.status == "pool":
            return [("inventory", [self.host]), ("ntp-synchronizer", ['{"ntp_source":""}'])], "continue"
        if self.status == "binding":
            return None, "exit"
        if self.status == "bound":
            check = {"url": "http://127.0.0.1:%d/config/worker" % self.port}
            return [("inventory", [self.host]), ("api-vip-connectivity-check", [json.dumps(check)])], "continue"
        if self.status == "installing":
            return [("install", [json.dumps(self.install_cmd())])], "continue"
        if self.status == "cancelled":
            return [("stop-installation", [])], "continue"
        return [], "continue"

    def install_cmd(self):
        return {"boot_device": self.args.device, "check_cvo": False, "cluster_id": CLUSTER, "disks_to_format": [],
                "controller_image": "registry.example.com/assisted/controller:latest", "host_id": self.host,
                "infra_env_id": IE, "installer_image": "registry.example.com/assisted/installer:latest",
                "notify_num_reboots": True, "role": "worker", "service_ips": None,
                "installer_args": json.dumps(["--image-url", "http://127.0.0.1:%d/os-images/%s/image.raw.zst" %
                                              (self.port, "ab" * 32)])}

    def took_reply(self, step_type, body):
        if self.status == "pool" and step_type == "inventory" and not self.args.stay:
            self.status = "binding"
        elif self.status == "bound" and step_type == "api-vip-connectivity-check" and self.args.device:
            self.status = "installing"

    def took_progress(self, stage):
        self.stage = stage
        if stage == "Failed":
            self.status = "error"
        elif self.status == "installing":
            self.status = "installing-in-progress"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state = None

    def log_message(self, *_):
        pass

    def answer(self, status, obj=None, headers=(), body=None, kind="application/json"):
        data = body if body is not None else b"" if obj is None else json.dumps(obj).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if data:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()

    def handle_any(self):
        try:
            self.handle_one()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the agent was killed, or had enough

    def handle_one(self):
        s, body = self.state, self.body()
        path = self.path.split("?")[0]
        if not path.startswith("/os-images/"):
            s.note(method=self.command, path=self.path, body=body, headers=dict(self.headers.items()))
        for method, pattern, fn in ROUTES:
            m = re.fullmatch(pattern, path)
            if m and method == self.command:
                return fn(self, s, body, *m.groups())
        return self.answer(404, {"code": 404, "message": "path %s was not found" % path})

    do_GET = do_POST = do_PUT = handle_any

    # --- API ---
    def versions(self, s, body):
        self.answer(200, {"release_tag": "latest", "versions": {"discovery-agent": IMAGE}})

    def register(self, s, body):
        s.host = json.loads(body)["host_id"]
        s.registrations += 1
        if s.status == "binding":
            s.status = "bound"
        self.answer(201, {"id": s.host, "status": None, "status_info": None, "kind": "Host", "next_step_runner_command": {
            "args": [json.dumps({"agent_version": IMAGE, "host_id": s.host, "infra_env_id": IE})]}})

    def instructions(self, s, body, host):
        if s.host is None and not s.args.known:
            return self.answer(404, {"code": "404", "href": "", "id": 404, "kind": "Error", "reason": "host not found"})
        s.host = host
        if s.args.cancel_at and s.stage == "Writing image to disk" and s.status == "installing-in-progress":
            s.status = "cancelled"
        steps, action = s.steps()
        answer = {"instructions": None if steps is None else [
            {"step_type": t, "step_id": "%s-%s" % (t, uuid.uuid4().hex[:8]), "args": a} for t, a in steps], "post_step_action": action}
        if action != "exit":
            answer["next_instruction_seconds"] = 1
        self.answer(200, answer)

    def reply(self, s, body, host):
        r = json.loads(body)
        s.took_reply(r["step_type"], r)
        self.answer(204)

    def progress(self, s, body, host):
        s.took_progress(json.loads(body)["current_stage"])
        self.answer(200)

    def seed(self, s, body, host):
        if not s.args.seed:
            return self.answer(404, {"code": 404, "message": "path was not found"})
        self.answer(200, {"install_id": str(uuid.UUID(int=7)), "token": "header.claims.signature", "ca": "-----CA-----\n",
                          "url": "http://127.0.0.1:%d" % s.port, "infra_env_id": IE, "host_id": host})

    def ignition(self, s, body, host):
        self.answer(200, {"ignition": {"version": "3.2.0"}}, kind="application/octet-stream")

    def worker(self, s, body):
        files = ["/etc/kubernetes/manifests/coredns.yaml", "/etc/secret", "/etc/kubernetes/manifests/keepalived.yaml"]
        self.answer(200, {"ignition": {"version": "3.2.0"}, "storage": {"files": [{"path": f} for f in files]},
                          "systemd": {"units": [{"name": "kubelet.service"}]}})

    def cluster(self, s, body):
        self.answer(200, {"id": CLUSTER, "kind": "AddHostsCluster", "status": "adding-hosts"})

    # --- images ---
    def index(self, s, body):
        with open(s.args.image + ".slx", "rb") as f:
            self.answer(200, body=f.read(), kind="application/octet-stream")

    def payload(self, s, body):
        size = os.path.getsize(s.args.image + ".raw.zst")
        m = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
        if s.args.dead_after is not None and s.served >= s.args.dead_after:
            s.note(method="GET", path=self.path, fault="dead")
            self.close_connection = True
            self.connection.close()
            return
        first, last = int(m.group(1)), min(int(m.group(2)), size - 1)
        s.note(method="GET", path=self.path, range=[first, last])
        self.send_response(206)
        self.send_header("Content-Type", "application/zstd")
        self.send_header("ETag", '"%s"' % ("ab" * 32))
        self.send_header("Content-Range", "bytes %d-%d/%d" % (first, last, size))
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        with open(s.args.image + ".raw.zst", "rb") as f:
            f.seek(first)
            left = last - first + 1
            while left:
                data = f.read(min(left, 65536))
                if s.args.corrupt and s.served <= s.args.corrupt < s.served + len(data):
                    data = bytearray(data)
                    data[s.args.corrupt - s.served] ^= 1
                self.wfile.write(data)
                left -= len(data)
                s.served += len(data)
                if s.args.rate:
                    time.sleep(len(data) / s.args.rate)
                if s.cuts and s.served >= s.args.cut_after * (s.args.cut - s.cuts + 1):
                    s.cuts -= 1
                    s.note(fault="cut", served=s.served)
                    self.close_connection = True
                    self.connection.close()
                    return
                if s.args.dead_after is not None and s.served >= s.args.dead_after:
                    self.close_connection = True
                    self.connection.close()
                    return


HOST = BASE + "/infra-envs/" + IE + "/hosts/([0-9a-f-]{36})"
ROUTES = [
    ("GET", BASE + "/component-versions", Handler.versions),
    ("POST", BASE + "/infra-envs/" + IE + "/hosts", Handler.register),
    ("GET", HOST + "/instructions", Handler.instructions),
    ("POST", HOST + "/instructions", Handler.reply),
    ("PUT", HOST + "/progress", Handler.progress),
    ("GET", HOST + "/downloads/seed", Handler.seed),
    ("GET", HOST.replace("infra-envs", "infra-env") + "/downloads/ignition", Handler.ignition),
    ("GET", BASE + "/clusters/" + CLUSTER, Handler.cluster),
    ("GET", "/config/worker", Handler.worker),
    ("GET", "/os-images/[0-9a-f]{64}/image.slx", Handler.index),
    ("GET", "/os-images/[0-9a-f]{64}/image.raw.zst", Handler.payload),
]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--log", required=True)
    p.add_argument("--port-file", required=True)
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--start", default="pool")
    p.add_argument("--known", action="store_true", help="polls are answered without a registration")
    p.add_argument("--stay", action="store_true", help="the host is never bound")
    p.add_argument("--device", default="")
    p.add_argument("--image", default="", help="IMAGE.raw.zst and IMAGE.slx")
    p.add_argument("--seed", action="store_true")
    p.add_argument("--rate", type=float, default=0, help="payload bytes per second")
    p.add_argument("--cut", type=int, default=0, help="so many transfers are cut")
    p.add_argument("--cut-after", type=int, default=1 << 20)
    p.add_argument("--dead-after", type=int, default=None, help="not a byte more of the payload after this many")
    p.add_argument("--corrupt", type=int, default=0, help="the payload byte sent at this count is wrong")
    p.add_argument("--cancel-at", action="store_true", help="the installation is stopped while it writes")
    args = p.parse_args()
    Handler.state = State(args)
    server = ThreadingHTTPServer(("127.0.0.1", args.port), Handler)
    server.daemon_threads = True
    Handler.state.port = server.server_address[1]
    with open(args.port_file + ".tmp", "w") as f:
        f.write(str(Handler.state.port))
    os.rename(args.port_file + ".tmp", args.port_file)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
