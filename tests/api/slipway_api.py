"""A running slipwayd for tests, requests to it, and comparing JSON. Standard library only."""
import base64
import http.client
import json
import os
import re
import select
import signal
import ssl
import subprocess
import tempfile
import shutil

BASE = "/api/assisted-install"
START_TIMEOUT_S = 20
BUILD = os.environ.get("BUILD", "build")


class Slipwayd:
    """One process in a folder of its own; may be stopped, killed and started again."""

    def __init__(self, auth="none", conf=(), keep=None):
        self.dir = keep or tempfile.mkdtemp(prefix="slipway-api.")
        self.owned = keep is None
        self.auth = auth
        self.state = os.path.join(self.dir, "state")
        self.conf = os.path.join(self.dir, "slipwayd.conf")
        self.log = os.path.join(self.dir, "log")
        lines = ["default_version = 4.18", "instruction_interval = 60",
                 "agent_image = registry.example.com/assisted/agent:latest",
                 "installer_image = registry.example.com/assisted/installer:latest",
                 "controller_image = registry.example.com/assisted/controller:latest",
                 "service_image = registry.example.com/assisted/service:latest"]
        names = {line.split("=")[0].strip() for line in conf}
        lines = [l for l in lines if l.split("=")[0].strip() not in names] + list(conf)
        with open(self.conf, "w") as f:
            f.write("[slipwayd]\n" + "\n".join(lines) + "\n")
        self.process = None
        self.start()

    def start(self):
        read_fd, write_fd = os.pipe()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(BUILD, "bin", "slipwayd"), "--config=" + self.conf, "--state-dir=" + self.state,
                 "--https=127.0.0.1:0", "--http=127.0.0.1:0", "--auth=" + self.auth, "--ready-fd=%d" % write_fd],
                pass_fds=[write_fd], stderr=log, stdout=log, stdin=subprocess.DEVNULL)
        os.close(write_fd)
        ready = b""
        try:
            while not ready.endswith(b"\n"):
                if not select.select([read_fd], [], [], START_TIMEOUT_S)[0]:
                    raise RuntimeError("slipwayd was not ready in time")
                part = os.read(read_fd, 4096)
                if not part:
                    raise RuntimeError("slipwayd ended at its start: " + self.log_text())
                ready += part
        finally:
            os.close(read_fd)
        self.ready = json.loads(ready)
        self.ssl = ssl.create_default_context(cafile=self.ready["ca"])
        with open(self.ready["admin_password_file"]) as f:
            pair = "admin:" + f.read().strip()
        self.admin = "Basic " + base64.b64encode(pair.encode()).decode()

    def log_text(self):
        with open(self.log, errors="replace") as f:
            return f.read()[-4000:]

    def stop(self, how=signal.SIGTERM):
        """Returns the exit status."""
        self.process.send_signal(how)
        return self.process.wait(START_TIMEOUT_S)

    def done(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.owned:
            shutil.rmtree(self.dir, ignore_errors=True)

    def ctl(self, words):
        """What slipwayctl prints, without the last newline."""
        return subprocess.run([os.path.join(BUILD, "bin", "slipwayctl"), "--state-dir=" + self.state] + words, check=True,
                              stdout=subprocess.PIPE, timeout=START_TIMEOUT_S).stdout.decode().rstrip("\n")

    def request(self, method, path, headers=None, body=None, tls=None):
        """(status, headers, body bytes)"""
        if tls is None:
            tls = self.auth != "none"
        if tls:
            connection = http.client.HTTPSConnection(self.ready["https"], context=self.ssl, timeout=30)
        else:
            connection = http.client.HTTPConnection(self.ready["http"], timeout=30)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            if body is not None and not any(k.lower() == "content-length" for k in headers or {}):
                connection.putheader("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def api(self, method, path, value=None, headers=None):
        """JSON in, (status, JSON or None) out, as the administrator."""
        head = dict(headers or {})
        body = None
        if value is not None:
            head.setdefault("Content-Type", "application/json")
            body = json.dumps(value).encode()
        if self.auth != "none" and "X-Secret-Key" not in head:
            head.setdefault("Authorization", self.admin)
        status, _, data = self.request(method, BASE + path, head, body)
        return status, json.loads(data) if data else None


def mismatch(want, got, path="$"):
    """What keeps @got from holding all of @want, or None.

    In @want a string "<<any>>", "<<string>>", "<<int>>", "<<uuid>>", "<<time>>", "<<absent>>" or "<<re:PATTERN>>" stands for a
    kind of value; "<<json>>..." is not needed: {"<<text>>": V} matches a string that holds the JSON V; an array that ends in
    "<<more>>" may be longer.
    """
    if isinstance(want, str) and want.startswith("<<") and want.endswith(">>"):
        return mismatch_kind(want[2:-2], got, path)
    if isinstance(want, dict) and set(want) == {"<<text>>"}:
        try:
            return mismatch(want["<<text>>"], json.loads(got), path + "(text)")
        except (TypeError, ValueError):
            return "%s: no JSON text: %r" % (path, got)
    if isinstance(want, dict):
        if not isinstance(got, dict):
            return "%s: wanted an object, got %r" % (path, got)
        for key, value in want.items():
            if value == "<<absent>>":
                if key in got:
                    return "%s.%s: should not be there, is %r" % (path, key, got[key])
                continue
            if key not in got:
                return "%s.%s: is not there" % (path, key)
            why = mismatch(value, got[key], path + "." + key)
            if why:
                return why
        return None
    if isinstance(want, list):
        if not isinstance(got, list):
            return "%s: wanted an array, got %r" % (path, got)
        more = bool(want) and want[-1] == "<<more>>"
        items = want[:-1] if more else want
        if len(got) < len(items) or (len(got) != len(items) and not more):
            return "%s: wanted %d items, got %d: %.300r" % (path, len(items), len(got), got)
        for i, (a, b) in enumerate(zip(items, got)):
            why = mismatch(a, b, "%s[%d]" % (path, i))
            if why:
                return why
        return None
    if want != got or isinstance(want, bool) != isinstance(got, bool):
        return "%s: wanted %r, got %r" % (path, want, got)
    return None


UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def mismatch_kind(kind, got, path):
    if kind == "any":
        good = True
    elif kind == "string":
        good = isinstance(got, str)
    elif kind == "int":
        good = isinstance(got, int) and not isinstance(got, bool)
    elif kind == "uuid":
        good = isinstance(got, str) and UUID.fullmatch(got)
    elif kind == "time":
        good = isinstance(got, str) and TIME.fullmatch(got) and not got.startswith("0001")
    elif kind.startswith("re:"):
        good = isinstance(got, str) and re.search(kind[3:], got)
    else:
        return "%s: the test asks for an unknown kind <<%s>>" % (path, kind)
    return None if good else "%s: wanted <<%s>>, got %r" % (path, kind, got)


def pick(value, path):
    """The value at a path like $.hosts[0].id or $.instructions[0].args[0]|json|boot_device."""
    for step in re.findall(r"\.([A-Za-z0-9_-]+)|\[(-?\d+)\]|\|(json)", path):
        key, index, text = step
        value = json.loads(value) if text else value[int(index)] if index else value[key]
    return value
