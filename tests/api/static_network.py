"""The script that picks a host's network settings on a CoreOS medium, run in a folder in the place of its root. Run by
tests/cli/slipwayd-static-network.sh."""
import base64
import json
import os
import subprocess
import tempfile
import urllib.parse

from slipway_api import Slipwayd

SECRET = json.dumps({"auths": {"q": {"auth": "dTpw"}}})


def host(number, macs):
    return {"network_yaml": "interfaces:\n- name: eth0\n  type: ethernet\n  mtu: %d\n" % (1400 + number),
            "mac_interface_map": [{"mac_address": m, "logical_nic_name": "eth%d" % i} for i, m in enumerate(macs)]}


def unpack(document, root):
    """Puts the files of an Ignition document below @root; every path of the script points there."""
    for f in document["storage"]["files"]:
        head, content = f["contents"]["source"].split(",", 1)
        data = base64.b64decode(content) if head.endswith(";base64") else urllib.parse.unquote_to_bytes(content)
        if not f["path"].startswith(("/etc/assisted/", "/usr/local/bin/pre-network")):
            continue
        if f["path"].endswith(".sh"):
            for folder in (b"/etc/", b"/sys/"):
                data = data.replace(folder, root.encode() + folder)
        path = root + f["path"]
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(data)


def run(root, macs, tries):
    """What the script copies for a machine with these addresses: names of files."""
    for i, mac in enumerate(macs):
        os.makedirs(root + "/sys/class/net/card%d" % i)
        with open(root + "/sys/class/net/card%d/address" % i, "w") as f:
            f.write(mac + "\n")
    os.makedirs(root + "/bin")
    # what the system has; the pauses of the script are counted instead of waited for
    for name, text in (("nmstatectl", "echo nmstatectl \"$@\" >>%s/calls" % root), ("sleep", "echo sleep \"$@\" >>%s/calls" % root)):
        with open(root + "/bin/" + name, "w") as f:
            f.write("#!/bin/sh\n" + text + "\n")
        os.chmod(root + "/bin/" + name, 0o755)
    environment = {"PATH": root + "/bin:" + os.environ["PATH"], "DISCOVERY_DELAY_SECONDS": "3"}
    subprocess.run(["bash", root + "/usr/local/bin/pre-network-manager-config.sh"], env=environment, check=True,
                   stdout=subprocess.DEVNULL, timeout=60)
    with open(root + "/calls") as f:
        calls = f.read().split("\n")
    assert calls[0] == "sleep 3" and calls.count("sleep 1") == tries, calls
    copied = sorted(os.listdir(root + "/etc/nmstate")) if os.path.isdir(root + "/etc/nmstate") else []
    assert ("nmstatectl service" in calls) == bool(copied), calls
    return copied


def main():
    server = Slipwayd("none")
    try:
        status, ie = server.api("POST", "/v2/infra-envs", {
            "name": "p", "pull_secret": SECRET, "image_type": "full-iso",
            "static_network_config": [host(0, ["52:54:00:00:00:0A", "52:54:00:00:00:0B"]), host(1, ["52:54:00:00:00:0c"])]})
        assert status == 201, ie
        status, document = server.api("GET", "/v2/infra-envs/%s/downloads/files?file_name=discovery.ign" % ie["id"],
                                      headers={"Accept": "application/octet-stream"})
        assert status == 200, status
        cases = [(["52:54:00:00:00:0c"], 0, ["ymlFile1.yml"]), (["00:11:22:33:44:55", "52:54:00:00:00:0b"], 0, ["ymlFile0.yml"]),
                 (["52:54:00:00:00:0d"], 15, []), ([], 15, [])]
        for macs, tries, files in cases:
            with tempfile.TemporaryDirectory() as root:
                unpack(document, root)
                assert run(root, macs, tries) == files, (macs, files)
        script = [f for f in document["storage"]["files"] if f["path"].endswith("pre-network-manager-config.sh")][0]
        text = urllib.parse.unquote(script["contents"]["source"].split(",", 1)[1])
        subprocess.run(["bash", "-n"], input=text.encode(), check=True)
        assert server.stop() == 0
    finally:
        server.done()


if __name__ == "__main__":
    main()
