"""One QEMU machine by software emulation: started, talked to, always ended; and the tests that are counted."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import initramfs

TOP = initramfs.TOP
PROGRAMS = ("slipway-hwprobe", "slipway-agent", "guest-read", "guest-stamp", "guest-teardown", "bench-measure")
LINE_MAX = 1 << 16
BOOT_SECONDS = 120  # until udev has settled; 12 to 40 are usual
# Even when this program is killed, nothing goes on without it.
ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")


class Tests:
    """TAP: every check is one line; what was planned and did not come is a failure of the runner's."""

    def __init__(self):
        self.count = self.failed = 0

    def check(self, name, *problems):
        """@problems: sentences; empty ones do not count."""
        self.count += 1
        problems = [str(p) for p in problems if p]
        print("%s %d - %s" % ("not ok" if problems else "ok", self.count, name))
        for p in problems:
            self.failed += 1
            print("#   " + p[:2000].replace("\n", "\n#   "))
        sys.stdout.flush()

    def run(self, name, function, *args):
        """@function returns a list of problems; an exception is one, too."""
        try:
            problems = function(*args) or []
        except Exception as e:  # whatever a test stumbles over is its result
            problems = ["%s: %s" % (type(e).__name__, e)]
        self.check(name, *problems)

    def end(self):
        print("1..%d" % self.count)
        return 1 if self.failed else 0


class Qmp:
    def __init__(self, path, deadline):
        self.sock = socket.socket(socket.AF_UNIX)
        connect(self.sock, path, deadline)
        self.sock.settimeout(20)
        self.stream = self.sock.makefile("rw")
        self.stream.readline()
        self.execute("qmp_capabilities")

    def execute(self, command, **arguments):
        print(json.dumps({"execute": command, "arguments": arguments}), file=self.stream, flush=True)
        while True:
            answer = json.loads(self.stream.readline())
            if "error" in answer:
                raise RuntimeError("%s: %s" % (command, answer["error"]["desc"]))
            if "return" in answer:
                return answer["return"]


def connect(sock, path, deadline):
    while True:
        try:
            return sock.connect(str(path))
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class BootStuck(RuntimeError):
    """The kernel did not come as far as our script. Emulated CPUs that the other side does not let run now and then wait for each other for good."""


class Machine:
    """
    with Machine("name", [QEMU arguments]) as m: m.run(steps, seconds)
    Everything is in m.dir: out/ (what the guest wrote), console.log, qemu.log. It is removed when the tests passed.
    """

    def __init__(self, name, arguments, memory_mib=1024, cpus="2", uefi=None, words="", script=None):
        self.name, self.helpers, self.qemu = name, [], None
        self.dir = Path(tempfile.mkdtemp(prefix="slipway-guest-%s." % name))
        (self.dir / "out").mkdir()
        self.arguments, self.memory_mib, self.cpus, self.uefi, self.words = arguments, memory_mib, cpus, uefi, words
        self.script = script or name
        self.complaints, self.seconds, self.keep, self.is_up = [], 0.0, False, False
        self.judged = ("ethtool",)  # programs whose status the checks judge themselves

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the deadline of tests/run: end what was started
        return self

    def __exit__(self, kind, value, trace):
        for p in ([self.qemu] if self.qemu else []) + self.helpers:
            if p.poll() is None:
                p.send_signal(signal.SIGKILL)
            p.wait()
        build = Path(os.environ.get("BUILD", "build"))
        kept = build / "test-logs" / "guest" / self.name
        shutil.rmtree(kept, ignore_errors=True)
        if self.keep or kind:
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(self.dir, kept, ignore=shutil.ignore_patterns("*.img", "*.raw", "*.fd", "*.sock"))
            print("# what the guest wrote, its console and QEMU's messages: %s" % kept)
        shutil.rmtree(self.dir, ignore_errors=True)

    def helper(self, program, *arguments):
        """A program of the guest packages that runs on this side."""
        root = initramfs.package_root("guest")
        log = open(self.dir / (Path(program).name + ".log"), "wb")
        p = subprocess.Popen([*ENDS_WITH_US, *initramfs.loader(root), str(root / program.lstrip("/")), *map(str, arguments)],
                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.helpers.append(p)
        return p

    def tpm(self, model, version):
        state = self.dir / "tpm"
        state.mkdir()
        sock = self.dir / "tpm.sock"
        self.helper("/usr/bin/swtpm", "socket", "--tpmstate", "dir=%s" % state, "--ctrl", "type=unixio,path=%s" % sock,
                    *(["--tpm2"] if version == "2.0" else []))
        end = time.monotonic() + 10
        while not sock.exists() and time.monotonic() < end:
            time.sleep(0.05)
        self.arguments += ["-chardev", "socket,id=tpm,path=%s" % sock, "-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "%s,tpmdev=tpm0" % model]

    def bmc(self, address):
        """ipmi_sim of OpenIPMI behind QEMU's KCS interface; its LAN channel 1 has @address."""
        control = self.dir / "lancontrol"
        control.write_text("#!/bin/sh\n[ $1 = get ] || exit 0\nshift\nfor p; do\n\tcase $p in\n\tip_addr) v=%s ;;\n\tip_addr_src) v=static ;;\n"
                           "\tmac_addr) v=02:00:00:00:00:77 ;;\n\tsubnet_mask) v=255.255.255.0 ;;\n\t*mac*) v=00:00:00:00:00:00 ;;\n\t*) v=0.0.0.0 ;;\n\tesac\n"
                           "\techo \"$p:$v\"\ndone\n" % address)
        control.chmod(0o755)
        port, lan = free_port(), free_port()
        conf = self.dir / "lan.conf"
        conf.write_text('name "guest"\nset_working_mc 0x20\n startlan 1\n  addr 127.0.0.1 %d\n  priv_limit admin\n  lan_config_program "%s"\n endlan\n'
                        ' serial 15 127.0.0.1 %d codec VM\n startnow false\n' % (lan, control, port))
        commands = self.dir / "bmc.emu"
        commands.write_text("mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\nsel_enable 0x20 100 0x0a\nmc_enable 0x20\n")
        self.helper("/usr/bin/ipmi_sim", "-c", conf, "-f", commands, "-s", self.dir, "-n", "-p")
        self.arguments += ["-chardev", "socket,id=ipmi,host=127.0.0.1,port=%d,reconnect=1" % port,
                           "-device", "ipmi-bmc-extern,id=bmc0,chardev=ipmi", "-device", "isa-ipmi-kcs,bmc=bmc0"]

    def firmware(self):
        if not self.uefi:
            return []
        code, variables = self.uefi
        shutil.copy("/usr/share/OVMF/" + variables, self.dir / "vars.fd")
        return ["-global", "driver=cfi.pflash01,property=secure,value=on", "-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/" + code,
                "-drive", "if=pflash,format=raw,unit=1,file=%s" % (self.dir / "vars.fd")]

    def start(self):
        build = Path(os.environ.get("BUILD", TOP / "build"))
        kernel = initramfs.build(self.dir / "initrd.img", build / "bin", PROGRAMS)
        self.port_path, self.qmp_path = self.dir / "port.sock", self.dir / "qmp.sock"
        argv = ["qemu-system-x86_64", "-accel", "tcg", "-machine", "q35,smm=%s" % ("on" if self.uefi else "off"), "-m", "%dM" % self.memory_mib,
                "-smp", self.cpus, "-nodefaults", "-display", "none", "-no-reboot", "-serial", "file:%s" % (self.dir / "console.log"),
                "-kernel", str(kernel), "-initrd", str(self.dir / "initrd.img"),
                "-append", "console=ttyS0 quiet panic=-1 slipway.guest=%s %s" % (self.script, self.words),
                "-qmp", "unix:%s,server=on,wait=off" % self.qmp_path,
                "-fsdev", "local,id=out,path=%s,security_model=none" % (self.dir / "out"), "-device", "virtio-9p-pci,fsdev=out,mount_tag=out",
                "-device", "virtio-serial-pci", "-chardev", "socket,id=port,path=%s,server=on,wait=off" % self.port_path,
                "-device", "virtserialport,chardev=port,name=slipway", *self.firmware(), *self.arguments]
        log = open(self.dir / "qemu.log", "wb")
        log.write((" ".join(argv) + "\n").encode())
        log.flush()
        self.qemu = subprocess.Popen([*ENDS_WITH_US, *argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def run(self, steps=None, seconds=180):
        """Boots it and answers its steps with @steps[NAME](machine, WORDS) until it ends; what the guest could not do is in .complaints."""
        began = time.monotonic()
        deadline = began + seconds
        self.start()
        self.qmp = Qmp(self.qmp_path, deadline)
        self.boot_deadline = min(deadline, began + BOOT_SECONDS)
        with socket.socket(socket.AF_UNIX) as port:
            connect(port, self.port_path, deadline)
            rest = b""
            while not self.ended(port, rest := self.lines(port, rest, steps or {}, deadline)):
                pass
        self.qemu.wait(max(1, deadline - time.monotonic()))
        self.seconds = time.monotonic() - began

    @staticmethod
    def ended(port, rest):
        return rest is None

    def lines(self, port, rest, steps, deadline):
        port.settimeout(max(0.1, (deadline if self.is_up else self.boot_deadline) - time.monotonic()))
        try:
            data = port.recv(LINE_MAX)
        except TimeoutError:
            if self.is_up:
                raise
            raise BootStuck("it did not boot within %d s; the end of its console: %s" % (BOOT_SECONDS, self.console_end())) from None
        if not data:
            raise RuntimeError("the guest ended before its script did (console.log)")
        *complete, rest = (rest + data).split(b"\n")
        for line in complete:
            words = line.decode(errors="replace").split()
            if words == ["end"]:
                return None
            if words == ["up"]:
                self.is_up = True
                continue
            if words[:1] == ["step"]:
                steps[words[1]](self, words[2:])
                port.sendall(b"go\n")
            elif words:
                self.complaints.append(" ".join(words))
        return rest

    def console_end(self):
        return (self.dir / "console.log").read_text(errors="replace")[-600:].strip()

    # --- what the guest wrote ---
    def text(self, name):
        return (self.dir / "out" / name).read_text(errors="replace")

    def json(self, name):
        return json.loads(self.text(name))

    def status(self, name):
        return int(self.text(name + ".status"))
