"""An initramfs for the test guests from unpacked Debian packages: programs with the libraries they need, kernel modules with theirs, udev."""

import os
import shutil
import stat
import struct
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent

# What the guests run, by path in the packages.
PROGRAMS = """
/bin/dash /bin/busybox /bin/kmod /bin/udevadm
/bin/lsblk /usr/bin/lscpu /bin/ip /bin/findmnt /sbin/blkid /sbin/blockdev /sbin/sfdisk
/sbin/ethtool /usr/sbin/dmidecode /sbin/mdadm /sbin/lvm /sbin/dmsetup /sbin/multipath /sbin/kpartx /sbin/cryptsetup
/usr/bin/strace /lib/multipath/* /lib/udev/ata_id /lib/udev/scsi_id /lib/udev/cdrom_id /lib/udev/kpartx_id /lib/udev/dmi_memory_id
""".split()
# Copied as they are.
FILES = "/lib/udev/rules.d/* /usr/lib/udev/rules.d/* /lib/systemd/network/*".split()
MODULES = """
virtio_pci virtio_net virtio_scsi virtio_blk virtio_console 9p 9pnet_virtio nvme sd_mod sr_mod ahci ata_piix e1000e
md_mod raid1 dm_mod dm_multipath dm_round_robin dm_service_time dm_crypt scsi_dh_alua xts aes_generic crc32c_generic
bonding 8021q bridge dummy vxlan macvlan veth tpm_tis tpm_crb ipmi_si ipmi_devintf efivarfs ext4 vfat
""".split()
APPLETS = """
awk basename cat chmod cp cut date dd dirname dmesg echo env expr false find grep head hostname id kill ln ls mkdir mknod mount mv nproc od
poweroff printf ps pwd readlink rm rmdir sed seq setsid sh sleep sort stty sync tail tar tee test timeout touch tr true umount uname uniq wc
which xargs
""".split()
GROUPS = "root adm disk lp floppy cdrom tape audio video render sgx kvm input dialout kmem tty utmp".split()
PT_DYNAMIC = 2
LIBRARY_DIRS = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib", "usr/lib/x86_64-linux-gnu/swtpm")


def package_root(kind):
    return Path(subprocess.run([TOP / "scripts/package-root", kind], check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


def library_path(roots):
    return ":".join(str(r / d) for r in roots for d in LIBRARY_DIRS)


def loader(root):
    """Runs a program of an unpacked tree with the libraries of that tree, whatever this machine has."""
    return [str(root / "lib64/ld-linux-x86-64.so.2"), "--library-path", library_path([root])]


class Newc:
    """A cpio archive in the format the kernel unpacks (Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def __init__(self, out):
        self.out, self.inode, self.dirs = out, 0, set()

    def add(self, name, mode, data=b"", rdev=(0, 0)):
        self.inode += 1
        head = [self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev, len(name.encode()) + 1, 0]
        entry = b"070701" + b"".join(b"%08X" % v for v in head) + name.encode() + b"\0"
        entry += bytes(-len(entry) % 4)
        self.out.write(entry + data + bytes(-len(data) % 4))

    def parents(self, name):
        for parent in reversed(Path(name).parents):
            if str(parent) != "." and str(parent) not in self.dirs:
                self.dirs.add(str(parent))
                self.add(str(parent), stat.S_IFDIR | 0o755)

    def directory(self, name):
        self.parents(name + "/x")

    def file(self, name, data, mode=0o644):
        self.parents(name)
        self.add(name, stat.S_IFREG | mode, data)

    def link(self, name, target):
        self.parents(name)
        self.add(name, stat.S_IFLNK | 0o777, target.encode())

    def end(self):
        self.add("TRAILER!!!", 0)


def is_dynamic(path):
    """An ELF file with a dynamic section (System V ABI, program headers)."""
    data = Path(path).read_bytes()
    if data[:5] != b"\x7fELF\x02":
        return False
    offset, size, count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
    return any(struct.unpack_from("<I", data, offset + i * size)[0] == PT_DYNAMIC for i in range(count))


class Builder:
    def __init__(self, out):
        self.media, self.guest = package_root("media"), package_root("guest")
        self.roots = [self.guest, self.media]
        self.newc, self.done, self.libraries = Newc(out), set(), {}

    def find(self, pattern):
        found = []
        for root in self.roots:
            found += [(p, "/" + str(p.relative_to(root))) for p in sorted(root.glob(pattern.lstrip("/")))]
        return found

    def needs(self, program):
        """Libraries by their paths, as the dynamic loader of the packages finds them."""
        argv = [*loader(self.guest)[:2], library_path(self.roots), "--list", str(program)]
        for line in subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines():
            if "=> /" in line:
                name, path = line.split("=>")
                self.libraries[name.strip()] = Path(path.split("(")[0].strip())

    def put(self, source, name, mode=None):
        if name in self.done:
            return
        self.done.add(name)
        if source.is_symlink():
            source = source.resolve()
        self.newc.file(name.lstrip("/"), source.read_bytes(), mode or (0o755 if os.access(source, os.X_OK) else 0o644))
        if is_dynamic(source):
            self.needs(source)

    def own(self, source, name):
        stripped = Path(str(self.newc.out.name) + ".stripped")
        subprocess.run(["strip", "-o", stripped, source], check=True)
        self.newc.file(name.lstrip("/"), stripped.read_bytes(), 0o755)
        stripped.unlink()
        self.needs(source)

    def programs(self):
        for pattern in PROGRAMS + FILES:
            for source, name in self.find(pattern):
                if source.is_file():
                    self.put(source, name)
        missing = [p for p in PROGRAMS if not self.find(p)]
        if missing:
            raise SystemExit("the packages lack %s" % " ".join(missing))
        for applet in APPLETS:
            self.newc.link("bin/" + applet, "busybox" if applet != "sh" else "dash")
        for link in ("sbin/modprobe", "sbin/depmod", "sbin/insmod"):
            self.newc.link(link, "../bin/kmod")
        self.newc.link("lib/systemd/systemd-udevd", "../../bin/udevadm")
        self.newc.link("lib64/ld-linux-x86-64.so.2", "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")

    def all_libraries(self):
        for name, path in self.libraries.items():
            self.newc.file("lib/x86_64-linux-gnu/" + name, path.resolve().read_bytes(), 0o755)
        interpreter = (self.guest / "lib64/ld-linux-x86-64.so.2").resolve()
        self.newc.file("lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", interpreter.read_bytes(), 0o755)

    def kernel(self):
        """The modules, what they need, and indexes of these alone; returns the kernel's path."""
        image = sorted(self.media.glob("boot/vmlinuz-*"))[-1]
        version = image.name.removeprefix("vmlinuz-")
        small = Path(str(self.newc.out.name) + ".modules")
        shutil.rmtree(small, ignore_errors=True)
        target = small / "lib/modules" / version
        target.mkdir(parents=True)
        source = self.media / "lib/modules" / version
        for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
            shutil.copy(source / name, target / name)
        shown = subprocess.run(["modprobe", "--show-depends", "-a", "-d", self.media, "-S", version, *MODULES], stdout=subprocess.PIPE, text=True, check=True)
        for line in shown.stdout.splitlines():
            if line.startswith("insmod "):
                path = Path(line.split()[1])
                copy = target / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy)
        subprocess.run(["depmod", "-b", small, version], check=True)
        for path in sorted(target.rglob("*")):
            if path.is_file():
                self.newc.file(str(path.relative_to(small)), path.read_bytes())
        shutil.rmtree(small)
        return image

    def settings(self):
        for name in ("proc", "sys", "dev", "run", "tmp", "out", "etc/lvm", "var/lock", "var/run"):
            self.newc.directory(name)
        self.newc.file("etc/passwd", b"root:x:0:0:root:/:/bin/sh\n")
        self.newc.file("etc/group", "".join("%s:x:%d:\n" % (g, n) for n, g in enumerate(GROUPS)).encode())
        self.newc.file("etc/multipath.conf", b"defaults {\n\tfind_multipaths yes\n\tuser_friendly_names no\n}\n")
        self.newc.file("etc/lvm/lvm.conf", b"devices { use_devicesfile = 0 }\nactivation { monitoring = 0 }\n")
        self.newc.file("etc/mdadm/mdadm.conf", b"HOMEHOST <ignore>\n")


def build(output, bin_dir, programs):
    """Writes the initramfs with our @programs (names in bin_dir); returns the kernel to boot it with."""
    with open(output, "wb") as out:
        b = Builder(out)
        b.programs()
        for name in programs:
            b.own(Path(bin_dir) / name, "/usr/bin/" + name)
        kernel = b.kernel()
        b.all_libraries()
        b.settings()
        b.newc.file("init", (HERE / "init.sh").read_bytes(), 0o755)
        for script in sorted(HERE.glob("*.sh")):
            b.newc.file("guest/" + script.name, script.read_bytes())
        b.newc.end()
    return kernel
