"""Every operation of the API: its methods, credentials, identifiers and bodies. Run by tests/cli/slipwayd-routes.sh."""
import collections
import json
import uuid

from slipway_api import BASE, Slipwayd

SECRET = json.dumps({"auths": {"q": {"auth": "dTpw"}}})

# METHOD PATH WHO[|WHO] [501: known, not served] [body: takes a JSON object]
OPERATIONS = """
GET    /v2/clusters user
POST   /v2/clusters user 501
GET    /v2/clusters/default-config user
POST   /v2/clusters/disconnected user 501
POST   /v2/clusters/import user body
DELETE /v2/clusters/{cl} user
GET    /v2/clusters/{cl} user|agent
PATCH  /v2/clusters/{cl} user body
POST   /v2/clusters/{cl}/actions/allow-add-hosts user
POST   /v2/clusters/{cl}/actions/allow-add-workers user
POST   /v2/clusters/{cl}/actions/cancel user
POST   /v2/clusters/{cl}/actions/complete-installation agent 501
POST   /v2/clusters/{cl}/actions/install user
POST   /v2/clusters/{cl}/actions/reset user
GET    /v2/clusters/{cl}/credentials user 501
GET    /v2/clusters/{cl}/downloads/credentials user|url 501
GET    /v2/clusters/{cl}/downloads/credentials-presigned user 501
GET    /v2/clusters/{cl}/downloads/files user|agent|url 501
GET    /v2/clusters/{cl}/downloads/files-presigned user 501
GET    /v2/clusters/{cl}/hosts user|agent
GET    /v2/clusters/{cl}/ignored-validations user 501
PUT    /v2/clusters/{cl}/ignored-validations user 501
GET    /v2/clusters/{cl}/install-config user 501
PATCH  /v2/clusters/{cl}/install-config user 501
GET    /v2/clusters/{cl}/logs user|url
POST   /v2/clusters/{cl}/logs agent
PUT    /v2/clusters/{cl}/logs-progress agent 501
DELETE /v2/clusters/{cl}/manifests user 501
GET    /v2/clusters/{cl}/manifests user 501
PATCH  /v2/clusters/{cl}/manifests user 501
POST   /v2/clusters/{cl}/manifests user 501
GET    /v2/clusters/{cl}/manifests/files user 501
GET    /v2/clusters/{cl}/monitored-operators user|agent 501
PUT    /v2/clusters/{cl}/monitored-operators agent 501
GET    /v2/clusters/{cl}/preflight-requirements user 501
PUT    /v2/clusters/{cl}/progress agent 501
GET    /v2/clusters/{cl}/supported-platforms user 501
GET    /v2/clusters/{cl}/ui-settings user 501
PUT    /v2/clusters/{cl}/ui-settings user 501
POST   /v2/clusters/{cl}/uploads/ingress-cert agent 501
GET    /v2/component-versions open
GET    /v2/domains user
GET    /v2/events user|url
POST   /v2/events agent body
GET    /v2/infra-env/{ie}/hosts/{host}/downloads/ignition user|agent
GET    /v2/infra-envs user
POST   /v2/infra-envs user body
DELETE /v2/infra-envs/{ie} user
GET    /v2/infra-envs/{ie} user|agent|url
PATCH  /v2/infra-envs/{ie} user body
GET    /v2/infra-envs/{ie}/downloads/files user|agent|url
GET    /v2/infra-envs/{ie}/downloads/files-presigned user
GET    /v2/infra-envs/{ie}/downloads/image-url user
GET    /v2/infra-envs/{ie}/downloads/minimal-initrd user|url
GET    /v2/infra-envs/{ie}/hosts user|agent
POST   /v2/infra-envs/{ie}/hosts agent body
DELETE /v2/infra-envs/{ie}/hosts/{host} user
GET    /v2/infra-envs/{ie}/hosts/{host} user|agent
PATCH  /v2/infra-envs/{ie}/hosts/{host} user body
POST   /v2/infra-envs/{ie}/hosts/{host}/actions/bind user body
POST   /v2/infra-envs/{ie}/hosts/{host}/actions/install user
POST   /v2/infra-envs/{ie}/hosts/{host}/actions/reset user
PATCH  /v2/infra-envs/{ie}/hosts/{host}/actions/reset-validation/{any} user
POST   /v2/infra-envs/{ie}/hosts/{host}/actions/unbind user
GET    /v2/infra-envs/{ie}/hosts/{host}/downloads/seed agent
GET    /v2/infra-envs/{ie}/hosts/{host}/ignition user
PATCH  /v2/infra-envs/{ie}/hosts/{host}/ignition user body
PATCH  /v2/infra-envs/{ie}/hosts/{host}/installer-args user body
GET    /v2/infra-envs/{ie}/hosts/{host}/instructions agent
POST   /v2/infra-envs/{ie}/hosts/{host}/instructions agent body
PUT    /v2/infra-envs/{ie}/hosts/{host}/logs-progress agent body
PUT    /v2/infra-envs/{ie}/hosts/{host}/progress agent body
POST   /v2/infra-envs/{ie}/regenerate-signing-key user
GET    /v2/openshift-versions open
GET    /v2/operators/bundles user 501
GET    /v2/operators/bundles/{any} user 501
GET    /v2/release-sources user
GET    /v2/support-levels/architectures user 501
GET    /v2/support-levels/features user 501
GET    /v2/support-levels/features/detailed user 501
GET    /v2/supported-operators user
GET    /v2/supported-operators/{any} user
"""

Operation = collections.namedtuple("Operation", "method path who flags")


def read_table():
    for line in OPERATIONS.strip().split("\n"):
        method, path, who, *flags = line.split()
        yield Operation(method, path, set(who.split("|")), flags)


class World:
    def __init__(self, server):
        self.server = server
        _, ie = server.api("POST", "/v2/infra-envs", {"name": "p", "pull_secret": SECRET})
        _, other = server.api("POST", "/v2/infra-envs", {"name": "q", "pull_secret": SECRET})
        _, cluster = server.api("POST", "/v2/clusters/import", {"name": "c", "api_vip_dnsname": "192.0.2.1",
                                                               "openshift_cluster_id": str(uuid.uuid4())})
        self.ids = {"ie": ie["id"], "cl": cluster["id"], "host": str(uuid.uuid4()), "any": "x"}
        self.user = {"Authorization": server.admin}
        self.agent = {"X-Secret-Key": server.ctl(["tokens", "agent", ie["id"]])}
        self.foreign = {"X-Secret-Key": server.ctl(["tokens", "agent", other["id"]])}
        assert server.api("POST", "/v2/infra-envs/%s/hosts" % ie["id"], {"host_id": self.ids["host"]}, self.agent)[0] == 201

    def good(self, op):
        return self.agent if "agent" in op.who else self.user

    def ask(self, op, headers, body=None, method=None, **ids):
        head = dict(headers)
        if body is not None:
            head.setdefault("Content-Type", "application/json")
        path = BASE + op.path.format(**dict(self.ids, **ids))
        status, got, data = self.server.request(method or op.method, path, head, body)
        return status, got, json.loads(data) if data[:1] in (b"{", b"[") else data


def is_plain(status, answer):
    return isinstance(answer, dict) and answer.get("code") == status and bool(answer.get("message"))


def is_model(status, answer):
    return (isinstance(answer, dict) and answer.get("code") == str(status) and answer.get("id") == status
            and answer.get("kind") == "Error" and answer.get("href") == "" and bool(answer.get("reason")))


def credentials(w, op):
    bad = [{}, {"X-Secret-Key": ""}, {"X-Secret-Key": "x.y.z"}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic !"},
           {"Authorization": "nonsense"}, {"X-Secret-Key": w.agent["X-Secret-Key"][:-4] + "AAAA"}]
    for headers in bad:
        status, _, answer = w.ask(op, headers)
        if "open" in op.who:
            assert status == 200, (headers, status)
        else:
            assert status == 401 and is_plain(401, answer), (headers, status, answer)
    for kind, headers in (("user", w.user), ("agent", w.agent)):
        status, _, answer = w.ask(op, headers) if op.method == "GET" else (None, None, None)
        if status is not None and kind not in op.who and "open" not in op.who:
            assert status == 403 and is_plain(403, answer), (kind, status, answer)


def identifiers(w, op):
    for name in ("ie", "cl", "host"):
        if "{%s}" % name not in op.path:
            continue
        for bad in ("x", "11111111-1111-1111-1111-11111111111", "11111111-1111-1111-1111-11111111111g", "%00", "..%2f"):
            status, _, answer = w.ask(op, w.good(op), **{name: bad})
            assert status == 400 and is_plain(400, answer), (name, bad, status, answer)
    if "agent" in op.who and "{ie}" in op.path and "body" not in op.flags:
        status, _, answer = w.ask(op, w.foreign)
        assert status == 404 and is_model(404, answer), ("foreign", status, answer)


def methods(w, op, allowed):
    status, headers, answer = w.ask(op, w.good(op), method="OPTIONS")
    got = {m.strip() for m in (headers.get("Allow") or "").split(",")}
    assert status == 405 and is_plain(405, answer) and allowed <= got, (status, got, allowed)
    assert got - allowed <= {"HEAD"}, (got, allowed)


def unserved(w, op):
    body = b"{}" if op.method in ("POST", "PUT", "PATCH") else None
    status, headers, answer = w.ask(op, w.good(op), body)
    assert status == 501 and is_model(501, answer), (status, answer)


def bodies(w, op):
    for body in (b'{"no_such_field":1}', b"[]", b'"x"', b"1", b"null", b"{", b"", b"\xff", b'{"a":"\xff"}', b'{"name":{},"output":[]}'):
        status, _, answer = w.ask(op, w.good(op), body)
        # a body without required fields may be empty
        if body in (b"", b"null") and status in (200, 201, 204, 404):
            continue
        assert status == 400 and (is_plain(400, answer) or is_model(400, answer)), (body, status, answer)
    status, _, answer = w.ask(op, dict(w.good(op), **{"Content-Type": "text/plain"}), b"{}")
    assert status == 400 and is_plain(400, answer), (status, answer)


def main():
    server = Slipwayd("local")
    try:
        w = World(server)
        operations = list(read_table())
        by_path = collections.defaultdict(set)
        for op in operations:
            by_path[op.path].add(op.method)
        for op in operations:
            try:
                credentials(w, op)
                identifiers(w, op)
                # "/v2/clusters/import" is a cluster of no UUID as well
                if op.path not in ("/v2/clusters/import", "/v2/clusters/disconnected", "/v2/clusters/default-config"):
                    methods(w, op, by_path[op.path])
                if "501" in op.flags:
                    unserved(w, op)
                if "body" in op.flags:
                    bodies(w, op)
            except Exception:
                print("%s %s: %s" % (op.method, op.path, server.log_text()))
                raise
        assert len(operations) > 80
        assert server.stop() == 0, server.log_text()
    finally:
        server.done()


if __name__ == "__main__":
    main()
