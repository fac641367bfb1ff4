#!/usr/bin/env python3
"""Holds the Builder's server against the reference's own: does it answer as `airbyte/manifest-server` does?

    python3 -m venv venv && venv/bin/pip install 'airbyte-cdk[manifest-server]==7.39.1'
    venv/bin/python integration_tests/tools/against_manifest_server.py --bin PROGRAM                 # all golden cases
    venv/bin/python integration_tests/tools/against_manifest_server.py --bin PROGRAM oauth 'jwt*'    # some
    venv/bin/python integration_tests/tools/against_manifest_server.py --bin PROGRAM --folder DIR    # others
    venv/bin/python integration_tests/tools/against_manifest_server.py --bin PROGRAM --tables DIR    # tables of exchanges

Both servers run side by side, each with a scripted API for a proxy and a clock that begins anew
with every request.  Every case is resolved, fully resolved, checked, discovered, and each of its
streams is read; the commands that stand in the config of a `read` (`in_config`) are compared with
those of the reference's `connector_builder`.  A case is a folder as in `golden/`; a table is a `NAME.json.gz` with the text of
a `manifest`, a `config`, and a `mock` that maps requests to responses.

What may differ: stack traces, the words of errors after their first line, `Date` headers, and the
time that something was migrated at.  What differs for a reason (`ARGUED`, and a golden case's
`differs.md`) is counted by itself; `docs/builder.md` has the reasons.

Needs nothing else, and talks to 127.0.0.1 only.
"""
import argparse
import base64
import collections
import contextlib
import copy
import datetime
import fnmatch
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import types
import urllib.error
import urllib.request
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import against_reference as golden

COMMANDS = ("resolve", "full_resolve", "check", "discover", "test_read", "in_config")
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


# -- the APIs ---------------------------------------------------------------------------------


class Switch:
    """A scripted API that can be exchanged for another between two requests."""

    def __init__(self):
        self.api = None
        self.server = golden.Api.serve(self)

    def answer(self, *request):
        return self.api.answer(*request)

    def body(self, answer):
        return self.api.body(answer)

    @property
    def proxy(self):
        return "http://127.0.0.1:%d" % self.server.server_address[1]


class Table(golden.Api):
    """Answers from a table: `METHOD URL DIGEST` -> responses `{s: status, h: headers, b: body}`, of which
    the last one repeats.  What is not in it has the answer of what is most like it."""

    def __init__(self, table):
        self.requests = []
        self.served = collections.Counter()
        self.table = {self.split(key): responses for key, responses in table.items()}

    @staticmethod
    def split(key):
        method, url, digest = key.split(" ", 2)
        parts = urlsplit(url)
        address = parts.netloc.lower() + quote(unquote(parts.path or "/"), safe="/:@!$&'()*+,;=~-._")
        return method, address, frozenset(parse_qsl(parts.query, keep_blank_values=True)), digest

    def answer(self, method, url, headers, body):
        self.requests.append(golden.describe_request(method, url, headers, body))
        digest = hashlib.sha1(canonical_body(body, dict(headers)).encode()).hexdigest()[:10] if body else "-"
        key = self.split("%s %s %s" % (method, url, digest))
        if key not in self.table:
            same = [other for other in self.table if other[:2] == key[:2]]
            alike = lambda other: (len(other[2] & key[2]) * 2 - len(other[2] ^ key[2]) + (other[3] == key[3]), str(sorted(other[2])))
            if not same:
                return {"status": 404, "json": {"error": "no rule for this request"}}
            key = max(same, key=alike)
        responses = self.table[key]
        response = responses[min(self.served[key], len(responses) - 1)]
        self.served[key] += 1
        answer = {"status": response["s"], "headers": response.get("h") or {}}
        if response.get("b64") is not None:
            return {**answer, "base64": response["b64"]}
        return {**answer, "text": response.get("b") or ""}


def canonical_body(body, headers):
    """The text of a body that does not depend on how it is written."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return "b64:" + base64.b64encode(body).decode()
    kind = next((value.lower() for name, value in headers.items() if name.lower() == "content-type"), "")
    if "json" in kind or text[:1] in "{[":
        try:
            return "json:" + json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        except ValueError:
            pass
    if "x-www-form-urlencoded" in kind:
        pairs = sorted(parse_qsl(text, keep_blank_values=True))
        return "form:" + "&".join(quote(k, safe="") + "=" + quote(v, safe="") for k, v in pairs)
    return "text:" + text


# -- the cases --------------------------------------------------------------------------------


Case = collections.namedtuple("Case", "name manifest config state api reasons")


def folder_case(path):
    def given(name, otherwise):
        file = os.path.join(path, name)
        if not os.path.exists(file):
            return otherwise
        with open(file, encoding="utf-8") as text:
            try:
                return json.load(text)
            except ValueError:
                return otherwise

    reasons = os.path.join(path, "differs.md")
    return Case(os.path.basename(path), plain(golden.load_yaml(os.path.join(path, "manifest.yaml"))), given("config.json", {}),
                given("state.json", []), lambda: golden.Api(path), open(reasons).read().splitlines() if os.path.exists(reasons) else [])


def table_case(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        table = json.load(file)
    manifest = table["manifest"]
    if isinstance(manifest, str):
        import yaml
        manifest = yaml.load(manifest, yaml.SafeLoader)
    name = os.path.basename(path).partition(".")[0]
    return Case(name, plain(manifest), table.get("config") or {}, [], lambda: Table(table["mock"]), [])


def plain(value):
    """A value as JSON has it."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return value


def stream_names(manifest):
    names = []
    for stream in manifest.get("streams") or []:
        if isinstance(stream, dict) and "$ref" in stream:
            stream = {**follow(manifest, stream["$ref"]), **stream}
        elif isinstance(stream, str):
            stream = follow(manifest, stream)
        if not isinstance(stream, dict):
            continue
        if stream.get("type") == "ConditionalStreams":
            names += stream_names({**manifest, "streams": stream.get("streams")})
            continue
        name = stream.get("name") or (stream.get("$parameters") or {}).get("name")
        if isinstance(name, str):
            names.append(name)
    return names


def follow(manifest, reference):
    value = manifest
    for part in reference.lstrip("#/").split("/"):
        value = value.get(part, {}) if isinstance(value, dict) else {}
    return value if isinstance(value, dict) else {}


# -- the servers ------------------------------------------------------------------------------


class Server:
    """One of the two servers, with its own API."""

    def __init__(self, program, port, log, reads=None):
        self.switch = Switch()
        self.reads = reads
        env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        env.update(HTTP_PROXY=self.switch.proxy, http_proxy=self.switch.proxy, TZ="UTC")
        self.env = env
        self.process = subprocess.Popen(program, env=env, stdout=subprocess.DEVNULL, stderr=open(log, "w"))
        self.base = "http://127.0.0.1:%d" % port
        for _ in range(600):
            try:
                DIRECT.open(self.base + "/health/", timeout=2).read()
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("%s does not answer; see %s" % (program[0], log))

    def ask(self, api, command, body):
        """Status, answer, what the API was asked, and the seconds that it took."""
        self.switch.api = api
        request = urllib.request.Request(self.base + "/v1/manifest/" + command, json.dumps(body).encode(), {"Content-Type": "application/json"})
        began = time.monotonic()
        if command == "in_config" and self.reads:
            status, answer = self.read(body)
            return status, answer, sorted(api.requests), time.monotonic() - began
        try:
            with DIRECT.open(request, timeout=120) as response:
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        except OSError as error:
            status, text = 0, str(error).encode()
        took = time.monotonic() - began
        try:
            answer = json.loads(text)
        except ValueError:
            answer = text.decode("utf-8", "replace")
        return status, answer, sorted(api.requests), took


    def read(self, files):
        """The last message of a `read` of ours, and its exit code."""
        with in_folder(files) as folder:
            process = subprocess.run([self.reads, *arguments(folder), "--clock", golden.START], env=self.env, capture_output=True, text=True, timeout=120)
        messages = [json.loads(line) for line in process.stdout.splitlines()]
        return process.returncode, next((it for it in reversed(messages) if it["type"] in ("RECORD", "TRACE")), messages[-1:])


@contextlib.contextmanager
def in_folder(files):
    """A folder with these files, each as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as file:
                json.dump(content, file)
        yield folder


def arguments(folder):
    files = [("--" + name, os.path.join(folder, name + ".json")) for name in ("config", "catalog", "state")]
    return ["read", *(part for pair in files for part in pair)]


def answer_in_config(files):
    """What the reference's `connector_builder` prints."""
    from airbyte_cdk.connector_builder import main as builder
    from airbyte_cdk.models import AirbyteMessageSerializer
    from airbyte_cdk.utils.traced_exception import AirbyteTracedException

    with in_folder(files) as folder:
        try:
            return builder.handle_request(arguments(folder))
        except Exception as exc:
            error = AirbyteTracedException.from_exception(exc, message="Error handling request: %s" % exc)
            return json.dumps(AirbyteMessageSerializer.dump(error.as_airbyte_message()))


def reference(port):
    """The reference's own server, with a clock that begins anew with every request."""
    import asyncio.base_events

    # The loop's own clock goes on.
    real = types.ModuleType("time")
    real.__dict__.update(time.__dict__)
    asyncio.base_events.time = real
    from airbyte_cdk.manifest_server import app as server
    from airbyte_cdk.sources.declarative.parsers.custom_code_compiler import INJECTED_COMPONENTS_PY  # noqa: F401  imports the rest
    from airbyte_cdk.connector_builder import main as builder  # noqa: F401
    from fastapi.responses import JSONResponse
    import uvicorn

    passed = golden.stop_the_clock(datetime.datetime.fromisoformat(golden.START))

    @server.app.post("/v1/manifest/in_config")
    def in_config(files: dict):
        message = json.loads(answer_in_config(files))
        return JSONResponse(message, status_code=200)

    async def anew(scope, receive, send):
        passed[0] = 0.0
        await server.app(scope, receive, send)

    uvicorn.run(anew, host="127.0.0.1", port=port, log_level="warning")


# -- comparing --------------------------------------------------------------------------------


def tidy(value, key=None):
    """An answer without what may differ."""
    if key == "migrated_at":
        return "NOW"
    if isinstance(value, dict):
        if key == "headers":
            value = {k: v for k, v in value.items() if k.lower() not in ("date", "server", "content-length")}
        if key == "response":
            # Our HTTP library forgets how a server has spelt the names.
            value["headers"] = {k.lower(): v for k, v in (value.get("headers") or {}).items()}
        return {k: tidy(v, k) for k, v in value.items() if k not in ("stacktrace", "stack_trace", "emitted_at")}
    if isinstance(value, list):
        return [tidy(item, key) for item in value]
    if isinstance(value, float) and value == int(value) and abs(value) < 2**53:
        return int(value)
    return value


def differences(theirs, ours, place=""):
    """Where two answers differ: lines of place, theirs, and ours."""
    if type(theirs) is not type(ours) and not (isinstance(theirs, (int, float)) and isinstance(ours, (int, float))):
        return [(place, theirs, ours)]
    if isinstance(theirs, dict):
        found = []
        for key in sorted({*theirs, *ours}):
            if key not in theirs or key not in ours:
                found.append(("%s.%s" % (place, key), theirs.get(key, "(nothing)"), ours.get(key, "(nothing)")))
            else:
                found += differences(theirs[key], ours[key], "%s.%s" % (place, key))
        return found
    if isinstance(theirs, list):
        if len(theirs) != len(ours):
            return [(place + ".length", "%d: %s" % (len(theirs), short(theirs)), "%d: %s" % (len(ours), short(ours)))]
        return [line for idx, (a, b) in enumerate(zip(theirs, ours)) for line in differences(a, b, "%s[%d]" % (place, idx))]
    return [] if theirs == ours else [(place, theirs, ours)]


# Words of errors, which are ours where they help more.
WORDS = re.compile(r"\.(internal_message|message|detail)$")


def is_masked(place, theirs, ours):
    """A secret of the config that theirs shows: encoded, split, or got for it."""
    if not isinstance(theirs, str) or not isinstance(ours, str) or "****" not in ours:
        return False
    return re.fullmatch(".+".join(map(re.escape, re.split(r"\*{4}", ours))), theirs, re.DOTALL) is not None


def is_descriptor_of_another(place, theirs, ours):
    """Theirs shows what its other thread has made of the slice by then."""
    return ".slice_descriptor." in place or ".slice_descriptor" in place and ours != "(nothing)"


def is_overwritten(place, theirs, ours):
    """Theirs writes a shared value into components that had none of that name."""
    return place.startswith(".manifest.") and "#/definitions/linked/" in str(theirs) and ours == "(nothing)"


def is_told_apart(place, theirs, ours):
    """Theirs fails without a word where a manifest or a state is none."""
    return place == "status" and str(theirs).startswith("500 ") and str(ours).startswith("400 ")


def is_asked_again(place, theirs, ours):
    """Theirs, which keeps nothing in the Builder, asks for the same more often."""
    return place == "requests" and ours == []


def is_guessed(place, theirs, ours):
    """A body that is no UTF-8 and names no character set is shown in a guessed one."""
    ascii_only = lambda text: re.sub(r"[^\x20-\x7e]", "", text)
    return place.endswith(".body") and isinstance(theirs, str) and isinstance(ours, str) and ascii_only(theirs) == ascii_only(ours)


def is_apostrophe(place, theirs, ours):
    """In queries `'` is sent as `%27`, which is the same to servers."""
    plain = lambda requests: [request.replace("%27", "'") for request in requests]
    return place == "other requests" and plain(theirs) == plain(ours)


ARGUED = {"masked": is_masked, "descriptor": is_descriptor_of_another, "overwritten": is_overwritten,
          "told apart": is_told_apart, "asked again": is_asked_again, "apostrophe": is_apostrophe, "guessed": is_guessed}

# What differs in golden cases only.
ARGUED_CASES = {
    "csv_decoder": "the field without a name is `None` in its server, and `null` in its reads and in ours",
    "config_remap_from_config": "`resolve_manifest` in a config looks at the config in theirs, and fails with it",
    "config_transformations": "`resolve_manifest` in a config looks at the config in theirs, and fails with it",
    "datetime_cursor_*": "a read that limits cut short moves the global state of theirs, but not of ours",
    "dynamic_schema_loader_*": "a request for the schema that fails is shown by ours only",
    "legacy_session_token*": "its process remembers a login for good, also that of others",
    "oauth_single_use_refresh_token_missing_in_answer": "a login without a token is a page in theirs",
    "substream_partition_router_lazy": "the requests of parents that are read lazily are shown by ours only",
}


def argument(case, line):
    """Why a difference is right."""
    name = next((name for name, is_it in ARGUED.items() if is_it(*line)), None)
    of_case = "differs.md" if case.reasons else next((it for it in ARGUED_CASES if fnmatch.fnmatch(case.name, it)), None)
    return name or of_case


def short(value, width=300):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= width else text[:width] + "…"


def commands_in_config(case):
    """The names of commands, and the files of their reads."""
    limits = {"max_records": 3, "max_slices": 2, "max_pages_per_slice": 2, "max_streams": 1}
    names = [name for name in stream_names(case.manifest)[:1] if isinstance(name, str)] or ["nothing"]
    stream = {"name": names[0], "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}
    catalog = {"streams": [{"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "overwrite"}]}
    for command, more in (
        ("resolve_manifest", {}),
        ("resolve_manifest", {"__should_migrate": True, "__should_normalize": True}),
        ("full_resolve_manifest", {"__test_read_config": limits}),
        ("test_read", {"__test_read_config": limits}),
        ("nothing", {}),
    ):
        config = {**case.config, "__command": command, "__injected_declarative_manifest": case.manifest, **more}
        yield command, {"config": config, "catalog": catalog, "state": case.state}


def judge(case, servers, options):
    """Pairs of command and its differences; and how long ours took for test reads."""
    found, seconds = [], []
    for command in COMMANDS:
        if options.command and command not in options.command:
            continue
        body = {"manifest": case.manifest, "config": case.config}
        bodies = [(command, body)]
        if command == "resolve":
            flags = {"__should_migrate": True, "__should_normalize": True}
            bodies = [(command, {"manifest": case.manifest}), (command + " anew", {"manifest": {**case.manifest, **flags}})]
        if command == "test_read":
            names = stream_names(case.manifest)[: options.streams]
            bodies = [("test_read of " + name, {**body, "stream_name": name, "state": case.state}) for name in names]
        if command == "in_config":
            bodies = [("%s in config" % name, files) for name, files in commands_in_config(case)]
        for name, body in bodies:
            theirs, ours = (server.ask(case.api(), command, copy.deepcopy(body)) for server in servers)
            if command == "test_read":
                seconds.append(ours[3])
            lines = []
            if theirs[0] != ours[0] and (theirs[0], ours[0]) != (200, 0):
                lines.append(("status", "%s %s" % (theirs[0], short(theirs[1])), "%s %s" % (ours[0], short(ours[1]))))
            else:
                lines += differences(tidy(theirs[1]), tidy(ours[1]))
            if theirs[2] != ours[2]:
                mine, all_of_theirs = collections.Counter(ours[2]), collections.Counter(theirs[2])
                unlike = lambda these, those: list((these - those).elements())
                place = "requests" if set(mine) == set(all_of_theirs) else "other requests"
                lines.append((place, unlike(all_of_theirs, mine), unlike(mine, all_of_theirs)))
            found.append((name, lines))
    return found, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=["*"], help="names of cases, or patterns of names")
    parser.add_argument("--bin", required=True, help="our program")
    parser.add_argument("--folder", default=golden.CASES, help="where folders of cases are")
    parser.add_argument("--tables", help="where tables of exchanges are, instead of a folder of cases")
    parser.add_argument("--limit", type=int, default=10**6, help="how many cases at most")
    parser.add_argument("--streams", type=int, default=3, help="how many streams of each are read")
    parser.add_argument("--skip", action="append", default=[], help="patterns of names that are left out: the reference never ends some")
    parser.add_argument("--command", action="append", choices=COMMANDS)
    parser.add_argument("--port", type=int, default=18200)
    parser.add_argument("--words", action="store_true", help="count other words of errors as differences")
    parser.add_argument("--width", type=int, default=300, help="characters that are shown of a value")
    options = parser.parse_args()
    if options.tables:
        paths = [os.path.join(options.tables, n) for n in sorted(os.listdir(options.tables)) if n.endswith(".json.gz")]
        read = table_case
    else:
        paths = [os.path.join(options.folder, n) for n in sorted(os.listdir(options.folder))]
        paths = [p for p in paths if os.path.exists(os.path.join(p, "manifest.yaml"))]
        read = folder_case
    matches = lambda path, pattern: fnmatch.fnmatch(os.path.basename(path).partition(".")[0], pattern)
    wanted = lambda path: any(matches(path, pattern) for pattern in options.cases) and not any(matches(path, pattern) for pattern in options.skip)
    paths = [path for path in paths if wanted(path)]
    step = max(1, len(paths) // options.limit)
    paths = paths[::step][: options.limit]
    here = [sys.executable, os.path.abspath(__file__), "--reference", str(options.port)]
    bind = "127.0.0.1:%d" % (options.port + 1)
    servers = [Server(here, options.port, "/tmp/manifest-server-reference.log"),
               Server([os.path.abspath(options.bin), "builder", "--bind", bind, "--clock", golden.START], options.port + 1,
                      "/tmp/manifest-server-ours.log", os.path.abspath(options.bin))]
    verdicts, classes, arguments, times = collections.Counter(), collections.Counter(), collections.Counter(), []
    try:
        for path in paths:
            case = read(path)
            found, seconds = judge(case, servers, options)
            times += seconds
            for name, lines in found:
                hard = [line for line in lines if options.words or not WORDS.search(line[0])]
                reasons = {argument(case, line) for line in hard}
                arguments.update(reasons - {None})
                if None not in reasons and hard:
                    verdicts["argued"] += 1
                    continue
                hard = [line for line in hard if not argument(case, line)]
                verdict = "DIFFERS" if hard else "words" if lines else "same"
                verdicts[verdict] += 1
                for place, theirs, ours in hard:
                    classes[re.sub(r"\[\d+\]", "[]", place)] += 1
                if hard:
                    print("%s: %s" % (case.name, name))
                    for place, theirs, ours in hard[:8]:
                        print("    %s\n      reference: %s\n      ours:      %s" % (place, short(theirs, options.width), short(ours, options.width)), flush=True)
    finally:
        for server in servers:
            server.process.kill()
    for place, count in classes.most_common(40):
        print("%5d %s" % (count, place))
    times.sort()
    if times:
        print("test reads of ours: median %.0f ms, slowest %.0f ms" % (times[len(times) // 2] * 1e3, times[-1] * 1e3))
    counts = lambda counter: ", ".join("%d %s" % (count, name) for name, count in counter.most_common())
    print("argued: %s" % (counts(arguments) or "none"))
    print("%d cases; answers: %s" % (len(paths), counts(verdicts)))
    sys.exit(1 if verdicts["DIFFERS"] else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--reference"]:
        reference(int(sys.argv[2]))
    else:
        main()
