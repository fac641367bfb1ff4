#!/usr/bin/env python3
"""Holds golden cases against the reference: does airbyte-cdk do what a case expects of us?

    python3 -m venv venv && venv/bin/pip install airbyte-cdk==7.39.1
    venv/bin/python integration_tests/tools/against_reference.py                    # all cases
    venv/bin/python integration_tests/tools/against_reference.py oauth 'jwt*'       # some
    venv/bin/python integration_tests/tools/against_reference.py --bin PROGRAM      # what a build of ours does now

Every case is run on the reference, under the same standing clock and against the same scripted
API as `integration_tests/golden.rs` runs it on the binary.  Its requests and messages must be
those of the case's `requests.txt` and `messages.jsonl`.

What may differ: the order of requests, of records, and of states; how often a state is repeated;
the words of errors; whether a stream's last STATE stands before or after its COMPLETE.  A case
that differs for a reason has a file `differs.md`, a line for each part that differs, as in
`seconds passed: the pauses are drawn by chance` (or `all: ...`); that is reported, and no failure.

Needs nothing but airbyte-cdk, and talks to 127.0.0.1 only.
"""
import argparse
import base64
import collections
import concurrent.futures
import datetime
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

CASES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden")
# When the run of every case begins; the same as in `golden.rs`.
START = "2026-01-15T12:00:00Z"
EPOCH = datetime.datetime.fromisoformat(START).timestamp() * 1000
# Headers that every client sends in its own way.
ORDINARY = {"accept", "accept-encoding", "connection", "content-length", "host", "proxy-connection", "user-agent"}


# -- the scripted API -------------------------------------------------------------------------


class Api:
    """Answers from a case's `api.yaml`, and notes what was asked."""

    def __init__(self, case):
        self.case = case
        self.requests = []
        self.served = collections.Counter()
        self.lock = threading.Lock()
        path = os.path.join(case, "api.yaml")
        self.rules = {rule_key(request): answers if isinstance(answers, list) else [answers]
                      for request, answers in (load_yaml(path) or {}).items()} if os.path.exists(path) else {}

    def answer(self, method, url, headers, body):
        address, _, query = url.partition("?")
        query = sort_query(query)
        exact = "%s %s%s" % (method, address, "?" + query if query else "")
        with self.lock:
            self.requests.append(describe_request(method, url, headers, body))
            text = body.decode("utf-8", "replace")
            rules = [exact + " " + text, "%s %s %s" % (method, address, text), exact, "%s %s" % (method, address)]
            rule = next((rule for rule in rules if rule in self.rules), None)
            if rule is None:
                return {"status": 404, "json": {"error": "no rule"}}
            answers = self.rules[rule]
            self.served[rule] += 1
            return answers[min(self.served[rule], len(answers)) - 1]

    def body(self, answer):
        if "json" in answer:
            return json.dumps(answer["json"], ensure_ascii=False, separators=(",", ":")).encode()
        if "base64" in answer:
            return base64.b64decode(answer["base64"])
        if "file" in answer:
            with open(os.path.join(self.case, answer["file"]), "rb") as file:
                return file.read()
        return answer.get("text", "").encode()

    def serve(self):
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except ConnectionError:
                    self.close_connection = True

            def reply(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                if self.headers.get("transfer-encoding"):
                    body = self.chunks()
                answer = api.answer(self.command, self.path, list(self.headers.items()), body)
                if answer.get("drop"):
                    self.close_connection = True
                    return
                payload = api.body(answer)
                self.send_response_only(answer.get("status", 200))
                given = {name.lower() for name in answer.get("headers") or {}}
                if "json" in answer and "content-type" not in given:
                    self.send_header("Content-Type", "application/json")
                for name, value in (answer.get("headers") or {}).items():
                    self.send_header(name, str(value))
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(payload)

            def chunks(self):
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = reply

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


def rule_key(request):
    """A rule's name with its query sorted; what follows the address is a body."""
    method, _, rest = request.partition(" ")
    address, _, body = rest.partition(" ")
    address, _, query = address.partition("?")
    query = sort_query(query)
    return "%s %s%s%s" % (method, address, "?" + query if query else "", " " + body if body else "")


def sort_query(query):
    return "&".join(sorted(query.split("&"))) if query else ""


def describe_request(method, url, headers, body):
    address, _, query = url.partition("?")
    lines = ["%s %s%s" % (method, address, "?" + sort_query(query) if query else "")]
    lines += sorted("  %s: %s" % (name.lower(), without_chance(value)) for name, value in headers if name.lower() not in ORDINARY)
    text = body.decode("utf-8", "replace")
    lines += ["  | " + line for line in text.split("\n")] if text else []
    return "\n".join(lines) + "\n"


def without_chance(value):
    """A header's value; the signature of a token is left out where it differs every time."""
    before, blank, token = value.rpartition(" ")
    header, _, _ = token.partition(".")
    try:
        algorithm = str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4))).get("alg"))
    except (ValueError, AttributeError):
        return value
    return before + blank + token.rpartition(".")[0] + ".SIGNATURE" if algorithm.startswith(("ES", "PS")) else value


def load_yaml(path):
    """YAML without dates, which JSON does not have."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {letter: [r for r in resolvers if r[0] != "tag:yaml.org,2002:timestamp"]
                                      for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader)


# -- running ----------------------------------------------------------------------------------


Outcome = collections.namedtuple("Outcome", "requests messages code stderr")


def run(case, program, options=()):
    """What `program` (a list of words before the command's own) does in `case`."""
    api = Api(case)
    server = api.serve()
    proxy = "http://127.0.0.1:%d" % server.server_address[1]
    with tempfile.TemporaryDirectory() as folder:
        for name in os.listdir(case):
            path = os.path.join(case, name)
            shutil.copy(path, folder) if os.path.isfile(path) else shutil.copytree(path, os.path.join(folder, name))
        command = "read"
        if os.path.exists(os.path.join(case, "command")):
            with open(os.path.join(case, "command")) as file:
                command = file.read().strip()
        args = [*command.split(), "--manifest-path", "manifest.yaml"]
        if args[0] != "spec":
            config = os.path.join(folder, "config.json")
            if not os.path.exists(config):
                with open(config, "w") as file:
                    file.write("{}")
            args += ["--config", "config.json", *options]
        for option in ("catalog", "state"):
            if args[0] == "read" and os.path.exists(os.path.join(folder, option + ".json")):
                args += ["--" + option, option + ".json"]
        env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        env.update(HTTP_PROXY=proxy, http_proxy=proxy, TZ="UTC", AIRBYTE_STAGING_DIRECTORY="staging")
        try:
            done = subprocess.run([*program, *args], cwd=folder, env=env, capture_output=True, timeout=120)
        except subprocess.TimeoutExpired as late:
            done = subprocess.CompletedProcess(late.cmd, -1, late.stdout or b"", b"it did not end")
    server.shutdown()
    server.server_close()
    return Outcome(api.requests, read_messages(done.stdout.decode("utf-8", "replace")), done.returncode, done.stderr.decode("utf-8", "replace"))


def read_messages(text):
    messages = []
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            message = json.loads(line)
        except ValueError:
            message = {"type": "JUNK", "line": line}
        if message.get("type") == "TRACE":
            message["trace"].get("error", {}).pop("stack_trace", None)
        if message.get("type") != "LOG":
            messages.append(message)
    return messages


def expected(case):
    with open(os.path.join(case, "requests.txt"), encoding="utf-8") as file:
        blocks = re.findall(r"^\S.*\n(?:  .*\n)*", file.read(), re.M)
    with open(os.path.join(case, "messages.jsonl"), encoding="utf-8") as file:
        messages = read_messages(file.read())
    code = messages.pop()["exit"] if messages and "exit" in messages[-1] else 0
    return Outcome(blocks, messages, code, "")


# -- the reference ----------------------------------------------------------------------------


def reference(args):
    """Runs the reference on a manifest of its own, with a clock that moves by waiting only."""
    from airbyte_cdk.entrypoint import AirbyteEntrypoint, launch
    from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
    from airbyte_cdk.sources.declarative.parsers.custom_code_compiler import INJECTED_COMPONENTS_PY  # noqa: F401  imports the rest
    import yaml

    at = args.index("--manifest-path")
    with open(args[at + 1], encoding="utf-8") as file:
        manifest = yaml.load(file, yaml.SafeLoader)
    args = args[:at] + args[at + 2:]
    stop_the_clock(datetime.datetime.fromisoformat(START))
    parsed = AirbyteEntrypoint.parse_args(args)
    given = lambda name, read: read(getattr(parsed, name)) if getattr(parsed, name, None) else None
    try:
        source = ConcurrentDeclarativeSource(
            config=given("config", ConcurrentDeclarativeSource.read_config),
            catalog=given("catalog", ConcurrentDeclarativeSource.read_catalog),
            state=given("state", ConcurrentDeclarativeSource.read_state) or [],
            source_config=manifest,
            config_path=getattr(parsed, "config", None),
        )
    except Exception as error:
        # As the reference's own command line reports a source that cannot be made.
        print(json.dumps({"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": EPOCH, "error": {"message": str(error)}}}))
        raise
    launch(source=source, args=args)


def stop_the_clock(start):
    """Lets the reference see a clock that stands at `start` and moves only when it is waited for; gives
    the list of the seconds that have passed so."""
    import pyrate_limiter.clocks
    import pyrate_limiter.limiter

    real_sleep = time.sleep
    lock = threading.Lock()
    passed = [0.0]

    def sleep(seconds):
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        with lock:
            passed[0] += seconds + 1e-6  # some time passes even then
        real_sleep(0.001)

    class AnyMoment(type):
        def __instancecheck__(cls, value):
            return isinstance(value, datetime.datetime)

    class Moment(datetime.datetime, metaclass=AnyMoment):
        @classmethod
        def now(cls, tz=None):
            now = start + datetime.timedelta(seconds=passed[0])
            now = now.astimezone(tz) if tz else now.replace(tzinfo=None)
            return cls(now.year, now.month, now.day, now.hour, now.minute, now.second, now.microsecond, now.tzinfo)

        @classmethod
        def utcnow(cls):
            return cls.now()

    time.sleep = sleep
    time.time = lambda: start.timestamp() + passed[0]
    time.time_ns = lambda: int(time.time() * 1e9)
    time.monotonic = pyrate_limiter.clocks.monotonic = lambda: 1000 + passed[0]
    pyrate_limiter.clocks.time, pyrate_limiter.limiter.sleep = time.time, sleep
    module = types.ModuleType("datetime")
    module.__dict__.update(datetime.__dict__, datetime=Moment)
    for name, user in list(sys.modules.items()):
        if name.startswith(("airbyte_cdk", "backoff")):
            for attribute, value in list(vars(user).items()):
                if value is datetime.datetime:
                    setattr(user, attribute, Moment)
                elif value is datetime:
                    setattr(user, attribute, module)
    return passed


# -- comparing --------------------------------------------------------------------------------


def canonical(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def comparable(outcome):
    """An outcome without what may differ: name of a part -> its lines."""
    parts = collections.defaultdict(list)
    for request in outcome.requests:
        head, *rest = request.rstrip("\n").split("\n")
        headers = sorted(tidy_header(line) for line in rest if not line.startswith("  | "))
        body = "\n".join(line[4:] for line in rest if line.startswith("  | "))
        address, _, query = head.partition("?")
        query = urlencode(sorted(parse_qsl(query, keep_blank_values=True)))
        parts["requests"].append(" ".join([address + "?" + query, *headers, tidy_body(body)]))
    for message in outcome.messages:
        kind = message["type"]
        if passed := message.get(kind.lower(), {}).get("emitted_at"):
            parts["seconds passed"] = [max(round((passed - EPOCH) / 1000), *parts["seconds passed"] or [0])]
        if kind == "RECORD":
            record = {k: v for k, v in message["record"].items() if k != "emitted_at" and v is not None}
            parts["records of " + record["stream"]].append(canonical(record))
        elif kind == "STATE":
            state = without_durations(message["state"])
            name = state["stream"]["stream_descriptor"]["name"]
            parts["last state of " + name] = [canonical(state["stream"].get("stream_state"))]
            counts = parts["recordCount of " + name] or [0]
            parts["recordCount of " + name] = [counts[0] + (state.get("sourceStats") or {}).get("recordCount", 0)]
        elif kind == "TRACE" and message["trace"]["type"] == "ERROR":
            error = message["trace"]["error"]
            stream = (error.get("stream_descriptor") or {}).get("name")
            parts["errors"].append("%s error of %s" % (error.get("failure_type"), stream))
            parts["~words of errors"].append(error["message"])
        elif kind == "TRACE" and message["trace"]["type"] == "STREAM_STATUS":
            status = message["trace"]["stream_status"]
            name = "statuses of " + status["stream_descriptor"]["name"]
            text = canonical([status["status"], status.get("reasons") and [r["type"] for r in status["reasons"]]])
            if parts[name][-1:] != [text]:
                parts[name].append(text)
        elif kind == "CONNECTION_STATUS":
            parts["connection"].append(message["connectionStatus"]["status"])
            parts["~words of the connection status"].append(message["connectionStatus"].get("message") or "")
        elif kind == "CATALOG":
            parts["catalog"] += [canonical(without_nulls(stream)) for stream in message["catalog"]["streams"]]
        elif kind == "CONTROL":
            control = {k: v for k, v in message["control"].items() if k != "emitted_at"}
            parts["controls"].append(canonical(control))
        elif kind == "SPEC":
            parts["spec"].append(canonical(without_nulls(message["spec"])))
        else:
            parts["other messages"].append(canonical(message))
    for name, lines in parts.items():
        if name.split(" ")[0] in ("requests", "records", "errors", "~words"):
            lines.sort()
    parts["exit code"] = ["failure" if outcome.code else "success"]
    return {name: lines for name, lines in parts.items() if lines}


def tidy_header(line):
    name, _, value = line.strip().partition(": ")
    return name + ": " + (value.lower().replace("; ", ";") if name == "content-type" else value)


def tidy_body(text):
    try:
        return canonical(json.loads(text))
    except ValueError:
        return text


def without_nulls(value):
    return {k: v for k, v in value.items() if v is not None}


def without_durations(value):
    """`lookback_window` of a per-partition state is how long the run took."""
    if isinstance(value, list):
        return [without_durations(item) for item in value]
    if isinstance(value, dict):
        return {k: "SECONDS" if k == "lookback_window" and type(item) is int else without_durations(item) for k, item in value.items()}
    return value


def differences(reference, ours):
    """The parts that differ, with their lines; and those whose words only differ."""
    there, here = comparable(reference), comparable(ours)
    hard, soft = [], []
    for name in sorted({*there, *here}, key=lambda n: (not n.startswith("requests"), n)):
        theirs, mine = there.get(name, []), here.get(name, [])
        if theirs == mine or name == "seconds passed" and abs((theirs or [0])[0] - (mine or [0])[0]) <= 5:
            continue
        left, right = collections.Counter(map(str, theirs)), collections.Counter(map(str, mine))
        lines = ["      reference: " + line for line in (left - right).elements()]
        lines += ["      ours:      " + line for line in (right - left).elements()]
        lines = lines or ["      reference: %s" % theirs, "      ours:      %s" % mine]
        (soft if name.startswith("~") else hard).append("\n".join(["    " + name.lstrip("~"), *lines[:12]]))
    return hard, soft


def judge(case, options):
    name = os.path.basename(case)
    theirs = run(case, [sys.executable, os.path.abspath(__file__), "--reference"])
    ours = run(case, [os.path.abspath(options.bin)], ["--clock", START]) if options.bin else expected(case)
    hard, soft = differences(theirs, ours)
    reasons = []
    if os.path.exists(os.path.join(case, "differs.md")):
        with open(os.path.join(case, "differs.md"), encoding="utf-8") as file:
            reasons = file.read().splitlines()
    parts = [reason.partition(":")[0] for reason in reasons]
    argued = [part for part in hard if {part.partition("\n")[0].strip(), "all"} & set(parts)]
    hard = [part for part in hard if part not in argued]
    verdict = "DIFFERS" if hard else "argued" if argued else "same"
    text = ["%-8s %s" % (verdict, name), *("    " + reason for reason in reasons if argued)]
    if hard or options.verbose:
        text += hard + (argued if options.verbose else [])
        if hard and theirs.code and theirs.stderr.strip():
            text.append("    the reference's stderr ends: " + theirs.stderr.strip()[-300:])
    if options.words or options.verbose:
        text += soft
    if options.verbose:
        for who, outcome in (("reference", theirs), ("ours", ours)):
            text += ["    -- %s, exit code %s" % (who, outcome.code)]
            text += ["    " + line.rstrip("\n").replace("\n", "\n    ") for line in outcome.requests]
            text += ["    " + json.dumps(message, ensure_ascii=False)[:options.width] for message in outcome.messages]
    return verdict, "\n".join(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=["*"], help="names of cases, or patterns of names")
    parser.add_argument("--folder", default=CASES, help="where the cases are")
    parser.add_argument("--bin", help="compare with what this build of ours does, not with the expectations")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--words", action="store_true", help="show how the words of errors differ")
    parser.add_argument("--verbose", action="store_true", help="show all that both did")
    parser.add_argument("--width", type=int, default=1500, help="characters of a message that --verbose shows")
    options = parser.parse_args()
    names = sorted(n for n in os.listdir(options.folder) if os.path.exists(os.path.join(options.folder, n, "manifest.yaml")))
    names = [n for n in names if any(fnmatch.fnmatch(n, pattern) for pattern in options.cases)]
    verdicts = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for verdict, text in pool.map(lambda n: judge(os.path.join(options.folder, n), options), names):
            verdicts[verdict] += 1
            print(text, flush=True)
    print(", ".join("%d %s" % (count, verdict) for verdict, count in verdicts.items()))
    sys.exit(1 if verdicts["DIFFERS"] else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--reference"]:
        reference(sys.argv[2:])
    else:
        main()
