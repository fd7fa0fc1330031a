"""Replays recorded traffic of the original service and agent (SLIPWAY_CORPUS): the requests are sent with our ids in the place of the
recorded ones, in the order of the story they were recorded in; status, types and determined values of the answers are compared."""
import json
import os
import re
import time
import uuid

from slipway_api import BASE, Slipwayd

NOT_SERVED = "not-served-yet.txt"
NONE = "00000000-0000-4000-8000-000000000000"
RECORDED = {
    "POOL": "2664f04d-eb51-4371-a721-cc0a4779802d", "RICH": "9b47de73-7fae-4838-8b24-eaa02dc01773",
    "DIRECT": "3b3f6cac-c597-4219-b9e7-5996ba21901c", "CL": "69eedef3-4215-4c3a-8321-905af8383e8e",
    "H1": "2f3b6d2c-8f0e-4c7e-9a51-0c9b1d6a7e01", "H2": "2f3b6d2c-8f0e-4c7e-9a51-0c9b1d6a7e02",
    "H3": "2f3b6d2c-8f0e-4c7e-9a51-0c9b1d6a7e03",
}
AGENT_RECORDED = {"POOL": "6ec3700a-8f65-40c0-99d2-14eb527b66d3", "CL": "27333223-dc6e-40d1-a5b9-05f3703fd05f"}
CONF = ["upgrade_agent = yes"]

# Fields whose value follows from the request and the state: compared, not only their types.
DETERMINED = {
    "kind", "status", "role", "suggested_role", "type", "code", "current_stage", "installation_percentage", "post_step_action",
    "next_instruction_seconds", "step_type", "openshift_version", "cpu_architecture", "media_status", "base_dns_domain",
    "api_vip_dns_name", "requested_hostname", "installation_disk_id", "installation_disk_path", "installer_args", "node_labels",
    "machine_config_pool_name", "skip_formatting_disks", "imported", "pull_secret_set", "progress_stages", "progress_info",
    "installer_version", "discovery_agent_version", "openshift_cluster_id", "total_host_count", "enabled_host_count",
    "ready_host_count", "display_name", "support_level", "ssh_authorized_key", "additional_ntp_sources", "http_proxy",
    "https_proxy", "no_proxy", "ssh_public_key", "user_name", "severity", "deleted_at",
}
# Texts that hold JSON: compared as what they hold.
JSON_TEXTS = {"kernel_arguments", "static_network_config", "ntp_sources", "inventory", "ignition_config_override"}
# Recordings of which some fields are ours by intent: the answer to a repeated registration shows the host as it is, not an empty row.
OURS = {
    "assisted/host-register-again-binding": {"requested_hostname"},
    "assisted/host-register-again-wrong-boot-order": {"requested_hostname"},
    "agent/errors/72-register-after-done": {"requested_hostname"},
}
# What our service leaves out or fills in by intent, with the reason.
DIFFERENT = {
    "event": "", "monitored_operators": "", "host_networks": "networks of hosts are not collected",
    "connectivity": "connectivity-check is never asked for",
    "schedulable_masters_forced_true": "clusters that hosts are added to have no masters here",
}


FORM = ({"Content-Type": "multipart/form-data; boundary=bnd"},
        b'--bnd\r\nContent-Disposition: form-data; name="upfile"; filename="logs.tar.gz"\r\n\r\nlogs\r\n--bnd--\r\n')


def type_name(v):
    if isinstance(v, bool):
        return "bool"
    if isinstance(v, (int, float)):
        return "number"
    return {str: "string", list: "array", dict: "object", type(None): "null"}[type(v)]


def count_reasons(value):
    """Reasons are sentences of each service's own: only their number matters (assisted-v2 §6.3)."""
    if isinstance(value, dict):
        return {k: len(v or []) if k == "not_eligible_reasons" else count_reasons(v) for k, v in value.items()}
    return [count_reasons(v) for v in value] if isinstance(value, list) else value


def same_value(key, recorded, got):
    if key in JSON_TEXTS:
        try:
            return count_reasons(json.loads(recorded)) == count_reasons(json.loads(got))
        except ValueError:
            return recorded == got
    return recorded == got


def compare_ignition(recorded, got):
    """Of an Ignition document only what a machine must find in it: the rest differs by intent (our agent, our units)."""
    if "version" not in got.get("ignition", {}):
        return "no Ignition document: %.200r" % (got,)
    sources = [[m.get("source") for m in d["ignition"].get("config", {}).get("merge", [])] for d in (recorded, got)]
    return None if sources[0] == sources[1] else "merges: recorded %r, got %r" % tuple(sources)


def compare(recorded, got, path="$", key=None):
    """The first difference that counts, or None."""
    if path == "$" and isinstance(recorded, dict) and "ignition" in recorded:
        return compare_ignition(recorded, got)
    if recorded is None:
        # The reference's answers to a repeated registration have null where the schema demands text (assisted-v2 §4.1).
        return None
    if key == "progress_stages" and got == [] and recorded is None:
        return None
    if type_name(recorded) != type_name(got):
        if got is None and recorded == []:
            return None
        return "%s: recorded %s, got %s: %.200r" % (path, type_name(recorded), type_name(got), got)
    if isinstance(recorded, dict):
        for k, v in recorded.items():
            if k not in got:
                if k in DIFFERENT or v is None:
                    continue
                return "%s.%s: recorded %.100r, is not there" % (path, k, v)
            why = compare(v, got[k], "%s.%s" % (path, k), k)
            if why:
                return why
        return None
    if isinstance(recorded, list):
        if key in DIFFERENT or (key in DETERMINED and recorded == got):
            return None
        if len(recorded) != len(got):
            return "%s: recorded %d items, got %d" % (path, len(recorded), len(got))
        for i, (a, b) in enumerate(zip(recorded, got)):
            why = compare(a, b, "%s[%d]" % (path, i), key)
            if why:
                return why
        return None
    if (key in DETERMINED or key in JSON_TEXTS) and not same_value(key, recorded, got):
        return "%s: recorded %.300r, got %.300r" % (path, recorded, got)
    return None


class World:
    """One slipwayd, and our ids for the recorded ones."""

    def __init__(self, recorded, auth="none"):
        self.server = Slipwayd(auth, CONF)
        self.recorded = recorded
        self.ids = {}

    def ours(self, text):
        for name, recorded in self.recorded.items():
            if name in self.ids:
                text = text.replace(recorded, self.ids[name])
        return re.sub(r"timestamp=\d+", "timestamp=%d" % time.time(), text)

    def theirs(self, text):
        for name, ours in self.ids.items():
            if name in self.recorded:
                text = text.replace(ours, self.recorded[name])
        return text

    def must(self, status, method, path, value=None, headers=None):
        got, body = self.server.api(method, path, value, headers)
        if got != status:
            raise AssertionError("setting up: %s %s: wanted %d, got %d: %s" % (method, path, status, got, body))
        return body

    def replay(self, name, request, response, extra_headers=None, keep=None):
        body = request.get("body", request.get("json"))
        headers = {k: v for k, v in (request.get("headers") or {}).items() if k.lower() not in ("host", "content-length")}
        headers.update(extra_headers or {})
        data = None
        if body is not None:
            text = body["text"] if isinstance(body, dict) and set(body) == {"text"} else json.dumps(body)
            data = self.ours(text).encode()
            headers.setdefault("Content-Type", "application/json")
        if data is None and request["method"] == "POST" and "/logs?" in request["path"]:
            headers.update(FORM[0])  # the recordings do not keep what was uploaded
            data = FORM[1]
        status, got_headers, raw = self.server.request(request["method"], self.ours(request["path"]), headers, data)
        text = self.theirs(raw.decode("latin-1"))
        if status != response["status"]:
            raise AssertionError("recorded status %d, got %d: %.400s" % (response["status"], status, text))
        want_type = (response.get("headers") or {}).get("Content-Type")
        if want_type and (got_headers.get("Content-Type") or "").split(";")[0] != want_type.split(";")[0]:
            raise AssertionError("recorded Content-Type %s, got %s" % (want_type, got_headers.get("Content-Type")))
        want = response.get("body", response.get("json"))
        if want is None:
            if raw:
                raise AssertionError("recorded an empty body, got %.200s" % text)
            return None
        if isinstance(want, dict) and ("text" in want or "base64" in want):
            return raw  # a file: its content is not the original's
        got = json.loads(text)
        if name in OURS:
            want = {k: v for k, v in want.items() if k not in OURS[name]}
        why = compare(want, got)
        if why:
            raise AssertionError(why)
        if keep:
            self.ids[keep] = json.loads(raw)["id"]
        return got


class Story:
    """Recordings and what happens between them; every recording becomes one test."""

    def __init__(self, corpus, here, recorded, auth="none"):
        self.corpus = corpus
        self.world = None
        self.make = lambda: World(recorded, auth)
        self.steps = []
        self.before = []
        with open(os.path.join(here, NOT_SERVED)) as f:
            lines = [l.strip() for l in f if l.strip() and not l.startswith("#")]
        self.not_served = dict(l.split(": ", 1) for l in lines)

    def do(self, function):
        self.before.append(function)

    def play(self, name, keep=None, headers=None):
        before, self.before = self.before, []

        def test():
            if not self.world:
                self.world = self.make()
            for function in before:
                function(self.world)
            with open(os.path.join(self.corpus, name + ".json")) as f:
                recording = json.load(f)
            response = recording["response"]
            if name in self.not_served:
                response = {"status": 501}
                recording["request"].setdefault("headers", {})
                status, _, raw = self.world.server.request(recording["request"]["method"], self.world.ours(recording["request"]["path"]))
                if status != 501:
                    raise AssertionError("is in %s, but the answer is %d: take the line out" % (NOT_SERVED, status))
                return
            self.world.replay(name, recording["request"], response, headers, keep)

        self.steps.append(("corpus " + name + (" (not served yet)" if name in self.not_served else ""), test))

    def end(self):
        name, last = self.steps[-1]

        def test():
            try:
                last()
            finally:
                if self.world:
                    status = self.world.server.stop()
                    self.world.server.done()
                    if status != 0:
                        raise AssertionError("SIGTERM ended slipwayd with %d" % status)

        self.steps[-1] = (name, test)
        return self.steps


def read(corpus, name):
    with open(os.path.join(corpus, name + ".json")) as f:
        return json.load(f)


def reply(world, infra_env, host, step, output):
    world.must(204, "POST", "/v2/infra-envs/%s/hosts/%s/instructions" % (infra_env, host),
               {"step_type": step, "step_id": step + "-00000000", "output": output if isinstance(output, str) else json.dumps(output)})


def make_known(world, corpus, infra_env, host, name, inventory_of=None):
    """A host whose every check is good."""
    if inventory_of:
        inventory = json.loads(read(corpus, inventory_of)["response"]["body"]["inventory"])
    else:
        inventory = json.loads(read(corpus, "assisted/host-reply-inventory")["request"]["body"]["output"])
    inventory["hostname"] = name
    world.must(200, "GET", "/v2/infra-envs/%s/hosts/%s/instructions?timestamp=%d" % (infra_env, host, time.time()))
    reply(world, infra_env, host, "inventory", inventory)
    for recording in ("ntp", "domain-resolution", "api-vip"):
        body = read(corpus, "assisted/host-reply-" + recording)["request"]["body"]
        reply(world, infra_env, host, body["step_type"], body["output"])


def register(world, infra_env, host, version="registry.example.com/assisted/agent:latest"):
    world.must(201, "POST", "/v2/infra-envs/%s/hosts" % infra_env, {"host_id": host, "discovery_agent_version": version},
               {"discovery_agent_version": version})


def service_story(corpus, here):
    s = Story(corpus, here, RECORDED)

    def play(names, prefix="assisted/"):
        for name in names.split():
            s.play(prefix + name)

    def set_hosts(w):
        w.ids.update(H1=str(uuid.uuid4()), H2=str(uuid.uuid4()), H3=str(uuid.uuid4()))

    play("component-versions default-config error-404-route error-405 error-400-accept error-400-handler error-400-media-type")
    play("error-400-unknown-field error-400-uuid error-400-validation infra-env-list error-404-object error-404-download")
    s.play("assisted/infra-env-register", keep="POOL")
    s.play("assisted/infra-env-register-rich", keep="RICH")
    play("infra-env-get infra-env-image-url infra-env-presigned infra-env-ipxe-script infra-env-ipxe-script-boot-order-control")
    play("infra-env-discovery-ignition infra-env-discovery-ignition-rich infra-env-static-network-config")
    play("infra-env-minimal-initrd-empty infra-env-minimal-initrd infra-env-update infra-env-regenerate-signing-key")
    s.do(set_hosts)
    play("error-404-instructions error-500-delete-unknown-host host-register-pool host-instructions-discovering-unbound")
    play("host-reply-inventory host-reply-ntp host-get-known-unbound host-list host-update-name host-update-rich")
    play("host-installer-args host-ignition-update")
    s.play("assisted/cluster-import", keep="CL")
    play("cluster-get cluster-update error-400-allow-add-hosts error-409-day1-action host-bind host-instructions-binding")
    play("host-register-again-binding host-get-discovering host-instructions-discovering")
    s.do(lambda w: reply(w, w.ids["POOL"], w.ids["H1"], "inventory",
                         read(corpus, "assisted/host-reply-inventory")["request"]["body"]["output"]))
    s.do(lambda w: reply(w, w.ids["POOL"], w.ids["H1"], "ntp-synchronizer",
                         read(corpus, "assisted/host-reply-ntp")["request"]["body"]["output"]))
    play("host-reply-domain-resolution host-reply-api-vip-failure host-get-insufficient host-instructions-insufficient")
    play("host-reply-api-vip host-get-known host-instructions-known cluster-get-with-host cluster-hosts")
    play("host-install host-instructions-installing host-ignition-get host-target-ignition host-progress-starting")
    play("host-progress-installing host-progress-writing-5 host-progress-writing-100 host-progress-waiting")
    play("host-get-installing-in-progress host-instructions-installing-in-progress error-409-install")
    play("error-500-labels-while-installing error-409-lower-stage host-progress-rebooting host-get-added-to-existing-cluster")
    play("host-register-again-wrong-boot-order host-get-installing-pending-user-action error-400-register-again host-reset")

    s.play("assisted/infra-env-register-with-cluster", keep="DIRECT")
    play("host-register-day2")
    s.do(lambda w: make_known(w, corpus, w.ids["DIRECT"], w.ids["H2"], "worker-1", "assisted/host-get-error"))
    play("error-409-unbind-infra-env-of-cluster")

    def write_some(w):
        path = "/v2/infra-envs/%s/hosts/%s" % (w.ids["DIRECT"], w.ids["H2"])
        w.must(202, "POST", path + "/actions/install")
        w.must(200, "GET", path + "/instructions", headers={"discovery_agent_version": "registry.example.com/assisted/agent:latest"})
        w.must(200, "PUT", path + "/progress", {"current_stage": "Writing image to disk", "progress_info": "40%"})

    s.do(write_some)
    play("host-progress-failed host-get-error host-instructions-error host-logs-progress host-logs-upload host-delete")

    def bound_third(w):
        pool, host = w.ids["POOL"], w.ids["H3"]
        register(w, pool, host)
        make_known(w, corpus, pool, host, "worker-2")
        w.must(200, "POST", "/v2/infra-envs/%s/hosts/%s/actions/bind" % (pool, host), {"cluster_id": w.ids["CL"]})
        register(w, pool, host)
        make_known(w, corpus, pool, host, "worker-2")

    s.do(bound_third)
    play("error-409-bind-twice host-unbind host-instructions-unbinding")
    s.do(lambda w: register(w, w.ids["POOL"], w.ids["H3"], "registry.example.com/old/agent:1"))
    play("host-instructions-upgrade-agent host-reply-media-disconnected host-get-disconnected-unbound")
    play("error-400-delete-infra-env-with-hosts cluster-delete infra-env-delete")
    return s.end()


def agent_story(corpus, here):
    s = Story(corpus, here, AGENT_RECORDED)
    folder = os.path.join(corpus, "agent", "errors")
    headers = {"38": {"Accept": "application/json"}, "39": {"Accept": "application/xml"}, "40": {"Content-Type": "text/plain"}}
    path = lambda w: "/v2/infra-envs/%s/hosts/bd92c51d-90b2-4e67-837f-8751878a28ab" % w.ids["POOL"]  # noqa: E731

    def make_pool(w):
        secret = json.dumps({"auths": {"registry.example.com": {"auth": "dTpw"}}})
        w.ids["POOL"] = w.must(201, "POST", "/v2/infra-envs", {"name": "accept", "pull_secret": secret})["id"]

    def bind(w):
        w.ids["CL"] = w.must(201, "POST", "/v2/clusters/import", {
            "name": "x", "api_vip_dnsname": "api.accept-fb290b8b.example.com",
            "openshift_cluster_id": "9c11aaaa-1111-4222-8333-444455556666"})["id"]
        w.must(200, "POST", path(w) + "/actions/bind", {"cluster_id": w.ids["CL"]})

    hooks = {
        "02": make_pool, "45": bind,
        "56": lambda w: w.must(202, "POST", path(w) + "/actions/install"),
        "74": lambda w: w.must(204, "DELETE", path(w)),
    }
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".json"):
            continue
        if name[:2] in hooks:
            s.do(hooks[name[:2]])
        s.play("agent/errors/" + name[:-5], headers=headers.get(name[:2]))
    return s.end()


def inventory_story(corpus, here):
    """The host object after the inventory of each machine was posted."""
    s = Story(corpus, here, {})

    def post(name):
        def function(w):
            recorded = read(corpus, "assisted/inventory-stored-" + name)["request"]["path"].split("/")
            if "POOL" not in w.ids:
                secret = json.dumps({"auths": {"registry.example.com": {"auth": "dTpw"}}})
                w.ids["POOL"] = w.must(201, "POST", "/v2/infra-envs", {"name": "x", "pull_secret": secret})["id"]
            w.ids["HOST"] = str(uuid.uuid4())
            w.recorded = {"POOL": recorded[-3], "HOST": recorded[-1]}
            register(w, w.ids["POOL"], w.ids["HOST"])
            w.must(200, "GET", "/v2/infra-envs/%s/hosts/%s/instructions?timestamp=%d" % (w.ids["POOL"], w.ids["HOST"], time.time()))
            reply(w, w.ids["POOL"], w.ids["HOST"], "inventory", read(corpus, "assisted/inventory-" + name))
        return function

    for name in ("vmware", "kvm-old-agent", "documentation-sample"):
        s.do(post(name))
        s.play("assisted/inventory-stored-" + name)
    return s.end()


def auth_story(corpus, here):
    s = Story(corpus, here, {}, "local")
    s.play("assisted/error-401")
    s.play("assisted/error-401-token", headers={"Authorization": "Bearer abc.def.ghi"})
    return s.end()


def tests(corpus, here):
    return service_story(corpus, here) + inventory_story(corpus, here) + agent_story(corpus, here) + auth_story(corpus, here)
