#!/usr/bin/env python3
"""Holds what the Builder's server says of requests that are not as they have to be against the reference's own.

    python3 -m venv venv && venv/bin/pip install 'airbyte-cdk[manifest-server]==7.39.1'
    venv/bin/python integration_tests/tools/manifest_server_forms.py --bin PROGRAM

Bodies, limits, states, paths, and tokens: of each the status is compared, of status 422 also the
kinds, places and words of the faults.  What differs for a reason (`ARGUED`) is counted by itself;
`docs/builder.md` has the reasons.

Needs nothing else, and talks to 127.0.0.1 only.
"""
import argparse
import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

SECRET = b"a secret of thirty-two characters"
PREFIX = "/v1/manifest/"
MANIFEST = {
    "version": "6.0.0",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["a"]},
    "streams": [{
        "type": "DeclarativeStream",
        "name": "a",
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url": "http://127.0.0.1:1/x"},
            "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": []}},
        },
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {}},
    }],
    "spec": {"type": "Spec", "connection_specification": {
        "type": "object", "required": ["k"], "properties": {"k": {"type": "string", "airbyte_secret": True}}}},
}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_, **__):
        return None


DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect())


# -- the requests -----------------------------------------------------------------------------


def bodies():
    """Triples of path, headers, and body."""
    without = lambda *keys: {key: value for key, value in MANIFEST.items() if key not in keys}
    for command in ("resolve", "full_resolve", "check", "discover", "test_read"):
        body = {"manifest": MANIFEST, "config": {"k": "v"}}
        if command == "test_read":
            body["stream_name"] = "a"
        path = PREFIX + command
        yield path, {}, body
        yield path + "/", {}, body
        for raw in (b"", b"{", b"null", b'"x"', b"[1]", b"5", b"{}"):
            yield path, {}, raw
        for wrong in (None, [], 5, "x", True):
            yield path, {}, {**body, "manifest": wrong}
            yield path, {}, {**body, "config": wrong}
            yield path, {}, {**body, "context": wrong}
        for manifest in ({}, without("streams"), without("check"), without("version"), without("type"), without("spec")):
            yield path, {}, {**body, "manifest": manifest}
        for fields in (
            {"streams": [{"$ref": "#/definitions/nope"}]}, {"version": "99.0.0"}, {"version": "x"}, {"version": "0.1.0"},
            {"streams": []}, {"streams": "x"}, {"check": {"type": "CheckStream", "stream_names": ["b"]}}, {"unknown": 1},
            {"concurrency_level": 5}, {"concurrency_level": None}, {"concurrency_level": {"type": "ConcurrencyLevel"}},
            {"__should_normalize": "no"}, {"__should_normalize": 0}, {"__should_migrate": True}, {"spec": 5}, {"spec": {"type": "Spec"}},
            {"streams": [{"type": "DeclarativeStream", "name": "a", "retriever": {"type": "CustomRetriever", "class_name": "a.B"}}]},
        ):
            yield path, {}, {**body, "manifest": {**MANIFEST, **fields}}
        for context in ({}, {"workspace_id": 5}, {"workspace_id": "a", "project_id": None}, {"unknown": 1}):
            yield path, {}, {**body, "context": context}
        yield path, {}, {**body, "config": {}}
        yield path, {}, {**body, "config": {"k": 5}}
        yield path, {}, {**body, "unknown": 1}
        for kind in ("text/plain", "application/json; charset=utf-8", "application/x-www-form-urlencoded"):
            yield path, {"Content-Type": kind}, body
    for name, most in (("record_limit", 5000), ("page_limit", 20), ("slice_limit", 20)):
        for limit in (0, -1, 1, most, most + 1, 1.0, 1.5, "1", " 2 ", "x", "1.0", "1.5", "1e1", "", "1_0", "+3", "03", True, False, None, [], {}, 10**30):
            yield PREFIX + "test_read", {}, {**body, name: limit}
    for limit in (0, 1, 100, 101, "5", None, 1.5):
        yield PREFIX + "full_resolve", {}, {**body, "stream_limit": limit}
    for name in (None, 5, "", [], "nope"):
        yield PREFIX + "test_read", {}, {**body, "stream_name": name}
    stream = {"stream_descriptor": {"name": "a"}, "stream_state": {"x": 1}}
    for state in (None, {}, 5, "x", [5], ["x"], [None], [{}], [{"type": "STREAM"}], [{"type": "STREAM", "stream": {}}], [{"type": "NOPE"}],
                  [{"type": "LEGACY", "data": {}}], [{"type": "STREAM", "stream": stream}], [{"type": "GLOBAL", "global": {"stream_states": []}}],
                  [{"type": "STREAM", "stream": {**stream, "stream_state": 5}}]):
        yield PREFIX + "test_read", {}, {**body, "state": state}
    for code in (None, 5, "", []):
        yield PREFIX + "test_read", {}, {**body, "custom_components_code": code}
    for path in ("/health", "/health/", "/capabilities", "/capabilities/", "/openapi.json", "/v1", PREFIX + "nope", PREFIX + "resolve"):
        yield path, {}, None


def tokens():
    """Pairs of a name and a header `Authorization`."""
    now = int(time.time())
    part = lambda value: base64.urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).rstrip(b"=").decode()

    def token(header, claims, secret=SECRET, algorithm=hashlib.sha256):
        signed = part(header) + "." + part(claims)
        return signed + "." + part(hmac.new(secret, signed.encode(), algorithm).digest())

    hs256 = {"alg": "HS256", "typ": "JWT"}
    good = token(hs256, {})
    for written in (None, "", "Bearer", "Bearer ", "Bearer " + good, "bearer " + good, "BEARER  " + good + " ", good, "Basic eA==", "Token " + good,
                    "Bearer a.b", "Bearer a.b.c", "Bearer ..", "Bearer %s.x" % good, "Bearer " + good.rpartition(".")[0] + ".", "Bearer %s=" % good):
        yield repr(written and written.replace(good, "TOKEN")), written
    for header in ({"alg": "HS256"}, {**hs256, "typ": "x"}, {"alg": "none"}, {}, {"alg": 5}, {"alg": "hs256"}, {**hs256, "kid": "a"}, {**hs256, "kid": 5},
                   {**hs256, "kid": None}, {**hs256, "crit": ["x"]}, {**hs256, "b64": False}, [], "x"):
        yield "header %s" % json.dumps(header), "Bearer " + token(header, {})
    yield "HS384", "Bearer " + token({"alg": "HS384"}, {}, algorithm=hashlib.sha384)
    yield "another secret", "Bearer " + token(hs256, {}, secret=b"another" * 5)
    for claims in ([], "x", b"5", b"{", b"", b'{"exp":NaN}', b'{"exp":Infinity}', b" {} ", {"typ": "io.airbyte.auth.internal_client", "exp": now + 300}):
        yield "claims %s" % claims, "Bearer " + token(hs256, claims)
    for name in ("exp", "nbf", "iat"):
        for moment in (now - 100, now + 100, now + 100.5, str(now + 100), str(now - 100), "soon", "", None, True, False, [], {}, -1, 0, 10**30, 1e300):
            yield "%s %r" % (name, moment), "Bearer " + token(hs256, {name: moment})
    for name in ("aud", "iss", "sub", "jti"):
        for value in ("x", "", 5, None, [], ["x"]):
            yield "%s %r" % (name, value), "Bearer " + token(hs256, {name: value})


# -- comparing --------------------------------------------------------------------------------


def ask(base, path, headers, body):
    """The status, and the answer as far as it is compared."""
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(base + path, content, {"Content-Type": "application/json", **headers})
    try:
        with DIRECT.open(request, timeout=60) as response:
            return response.status, None
    except urllib.error.HTTPError as error:
        text = error.read()
        if error.code == 401:
            return 401, (json.loads(text)["detail"], error.headers["www-authenticate"])
        if error.code == 422:
            return 422, [(fault["type"], fault["loc"], fault["msg"]) for fault in json.loads(text)["detail"]]
        return error.code, None


def argument(theirs, ours, headers, body):
    """Why a difference is right."""
    manifest = body.get("manifest") if isinstance(body, dict) else None
    is_off = isinstance(manifest, dict) and manifest.get("__should_normalize") == 0
    ARGUED = {
        "slash": theirs[0] == 307 and ours[0] in (200, 405),
        "content type": "Content-Type" in headers and (theirs[0], ours[0]) == (422, 200),
        "told apart": (theirs[0], ours[0]) == (500, 400),
        "switch": is_off and (theirs[0], ours[0]) == (400, 200),
    }
    return next((name for name, is_so in ARGUED.items() if is_so), None)


def start(program, port, environment):
    log = tempfile.TemporaryFile()
    process = subprocess.Popen(program, env={**os.environ, **environment}, stdout=log, stderr=log)
    base = "http://127.0.0.1:%d" % port
    for _ in range(600):
        try:
            ask(base, "/health/", {}, None)
            return process, base
        except OSError:
            time.sleep(0.1)
    raise SystemExit("%s does not answer" % program[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="our program")
    parser.add_argument("--port", type=int, default=18500)
    options = parser.parse_args()
    serve = "import uvicorn; from airbyte_cdk.manifest_server.app import app; uvicorn.run(app, port=%d, log_level='critical')"
    verdicts = {"same": 0, "argued": 0, "DIFFERS": 0}
    with tempfile.TemporaryDirectory() as data:
        pairs = []
        for port, environment in ((options.port, {}), (options.port + 2, {"AB_JWT_SIGNATURE_SECRET": SECRET.decode()})):
            theirs = [sys.executable, "-c", serve % port]
            ours = [os.path.abspath(options.bin), "builder", "--data", data, "--bind", "127.0.0.1:%d" % (port + 1)]
            pairs.append([start(theirs, port, environment), start(ours, port + 1, environment)])
        open_pair, guarded_pair = pairs
        requests = [(open_pair, "%s %s" % (path, json.dumps(body)[-120:] if not isinstance(body, bytes) else body), path, headers, body)
                    for path, headers, body in bodies()]
        requests += [(guarded_pair, name, PREFIX + "resolve", {} if header is None else {"Authorization": header}, {"manifest": MANIFEST})
                     for name, header in tokens()]
        try:
            for pair, name, path, headers, body in requests:
                theirs, ours = (ask(base, path, headers, body) for _, base in pair)
                argued = argument(theirs, ours, headers, body)
                verdict = "same" if theirs == ours else "argued" if argued else "DIFFERS"
                verdicts[verdict] += 1
                if verdict == "DIFFERS":
                    print("%s\n    reference: %s\n    ours:      %s" % (name, theirs, ours))
        finally:
            for process, _ in open_pair + guarded_pair:
                process.kill()
    print("%d requests: %s" % (len(requests), ", ".join("%d %s" % (count, verdict) for verdict, count in verdicts.items())))
    sys.exit(1 if verdicts["DIFFERS"] else 0)


if __name__ == "__main__":
    main()
