#!/usr/bin/env python3
"""Reads the same records with this runtime and with the reference, and prints the README's table.

    pip install airbyte-cdk==7.39.1
    cargo build --profile dist
    python3 benches/against_reference.py

A mock API on the loopback serves all workloads from memory. The two commands take turns, so that
a busy machine slows both. Their records must be the same (count and hash, order left out). CPU is
user and system time of the whole process, memory its peak, as the kernel counted them; each figure
is the median of the runs. Needs nothing but Python's standard library.
"""
import argparse
import gzip
import hashlib
import http.server
import json
import multiprocessing
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE_SIZE = 1000
DISTINCT_PAGES = 16
CHILDREN = 10


# ------------------------------------------------------------------ the mock API


def record(number):
    return {
        "id": number,
        "uuid": f"3f2b8c1e-{number % 10000:04}-4222-8333-{number:012}",
        "displayName": f"Person {number}",
        "emailAddress": f"person.{number}@example.com",
        "status": ("active", "invited", "deleted")[number % 3],
        "score": number % 100 + 0.25,
        "isActive": number % 2 == 0,
        "deletedAt": None,
        "createdAt": f"2024-01-{number % 28 + 1:02}T00:00:00Z",
        "tags": ["alpha", "beta", "gamma"][: number % 4],
        "address": {"street": f"{number} Long Street", "city": "Zürich", "zip": None},
        "metrics": {"visits": number % 1000, "rate": 0.125},
        "note": "first line\nsecond \"line\"",
    }


class Bodies:
    """All bodies, made once."""

    def __init__(self, rows):
        page = lambda n: json.dumps({"data": [record(n * PAGE_SIZE + i) for i in range(PAGE_SIZE)]})
        self.pages = [page(n).encode() for n in range(DISTINCT_PAGES)]
        lines = "".join(json.dumps(record(n)) + "\n" for n in range(rows))
        self.jsonl = gzip.compress(lines.encode(), 6)
        flat = [key for key, value in record(0).items() if not isinstance(value, (dict, list))]
        cell = lambda value: '"' + str(value).replace('"', '""') + '"'
        cells = lambda n: ",".join(cell(record(n)[key]) for key in flat)
        table = [",".join(flat), *(cells(n) for n in range(rows))]
        self.csv = gzip.compress("\n".join(table).encode(), 6)


def serve(rows, port, tls=None):
    """Serves until it is killed, and puts its port into the queue; `tls` is an `ssl.SSLContext`."""
    bodies = Bodies(rows)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            url = urllib.parse.urlsplit(self.path)
            query = {key: int(value) for key, value in urllib.parse.parse_qsl(url.query)}
            self.answer(self.body(url.path, query))

        def body(self, path, query):
            if path == "/items":
                if query["page"] > query["pages"]:
                    return b'{"data": []}'
                return bodies.pages[query["page"] % DISTINCT_PAGES]
            if path == "/rows.jsonl":
                return bodies.jsonl
            if path == "/rows.csv":
                return bodies.csv
            if path == "/parents":
                return json.dumps({"data": [{"id": n} for n in range(query["parents"])]}).encode()
            time.sleep(0.05)
            parent = int(path.split("/")[2])
            children = [record(parent * CHILDREN + n) for n in range(CHILDREN)]
            return json.dumps({"data": children}).encode()

        def answer(self, body):
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {len(body)}\r\n\r\n"
            self.wfile.write(head.encode() + body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    port.put(server.server_port)
    server.serve_forever()


# ------------------------------------------------------------------ the workloads


def stream(name, path, path_to_records=("data",), requester=None, retriever=None, **others):
    selector = {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": list(path_to_records)}}
    selector.update(others.pop("selector", {}))
    schema = {"type": "object", "additionalProperties": True, "properties": others.pop("properties", {})}
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": ["id"],
        "schema_loader": {"type": "InlineSchemaLoader", "schema": schema},
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": "{{ config['base_url'] }}", "path": path, "http_method": "GET", **(requester or {})},
            "record_selector": selector,
            **(retriever or {}),
        },
        **others,
    }


def pages(**others):
    inject = lambda name: {"type": "RequestOption", "inject_into": "request_parameter", "field_name": name}
    paginator = {
        "type": "DefaultPaginator",
        "page_token_option": inject("page"),
        "page_size_option": inject("per_page"),
        "pagination_strategy": {"type": "PageIncrement", "start_from_page": 1, "page_size": PAGE_SIZE, "inject_on_first_request": True},
    }
    parameters = {"pages": "{{ config['pages'] }}"}
    return stream("items", "/items", requester={"request_parameters": parameters}, retriever={"paginator": paginator}, **others)


def rows(path, decoder):
    decoder = {"type": "GzipDecoder", "decoder": {"type": decoder}}
    return stream("rows", path, path_to_records=(), retriever={"decoder": decoder})


def transformed():
    added = {
        "tenant_key": "{{ config['tenant'] }}-{{ record['id'] }}",
        "created_day": "{{ format_datetime(record['createdAt'], '%Y-%m-%d') }}",
        "band": "{{ 'high' if record['score'] > 66 else ('mid' if record['score'] > 33 else 'low') }}",
    }
    fields = [{"type": "AddedFieldDefinition", "path": [name], "value": value} for name, value in added.items()]
    condition = "{{ record['status'] != 'deleted' and record['score'] > config['min_score'] }}"
    return pages(
        selector={"record_filter": {"type": "RecordFilter", "condition": condition}, "schema_normalization": "Default"},
        properties={"score": {"type": ["number", "null"]}, "is_active": {"type": ["boolean", "null"]}},
        transformations=[
            {"type": "AddFields", "fields": fields},
            {"type": "RemoveFields", "field_pointers": [["emailAddress"], ["metrics"]]},
            {"type": "KeysToSnakeCase"},
        ],
    )


def substreams():
    parents = stream("parents", "/parents", requester={"request_parameters": {"parents": "{{ config['parents'] }}"}})
    config = {"type": "ParentStreamConfig", "parent_key": "id", "partition_field": "parent_id", "stream": parents}
    router = {"type": "SubstreamPartitionRouter", "parent_stream_configs": [config]}
    path = "/parents/{{ stream_partition.parent_id }}/children"
    return stream("children", path, retriever={"partition_router": router})


def workloads(size):
    n_rows, n_pages, n_parents = size, max(size // (4 * PAGE_SIZE), 1), max(size // 400, 1)
    return {
        "start": ("`spec`", None, {}),
        "pull": (f"pull, {n_pages * PAGE_SIZE:,} records", pages(), {"pages": n_pages}),
        "transform": (f"filter and transform, {n_pages * PAGE_SIZE // 5:,} records", transformed(), {"pages": max(n_pages // 5, 1), "tenant": "acme", "min_score": 5}),
        "substreams": (f"substreams, {n_parents:,} requests of 50 ms, 10 at a time", substreams(), {"parents": n_parents, "num_workers": 10}),
        "csv": (f"gzip CSV, {n_rows:,} rows", rows("/rows.csv", "CsvDecoder"), {}),
        "jsonl": (f"gzip JSON lines, {n_rows:,} rows", rows("/rows.jsonl", "JsonlDecoder"), {}),
    }


def write_inputs(folder, declared, config, base_url):
    declared = declared or pages()
    name = declared["name"]
    properties = {"base_url": {"type": "string"}}
    manifest = {
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": [name]},
        "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": "{{ config.get('num_workers', 2) }}", "max_concurrency": 100},
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "additionalProperties": True, "required": ["base_url"], "properties": properties}},
        "streams": [declared],
    }
    catalog_stream = {"name": name, "json_schema": {"type": "object"}, "supported_sync_modes": ["full_refresh"]}
    configured = {"stream": catalog_stream, "sync_mode": "full_refresh", "destination_sync_mode": "append"}
    files = {"manifest.yaml": manifest, "config.json": {"base_url": base_url, **config}, "catalog.json": {"streams": [configured]}}
    for file, content in files.items():
        (folder / file).write_text(json.dumps(content))


# ------------------------------------------------------------------ measuring


# Starts a command from a process that is smaller than any of them: the kernel counts what a process
# was before it became another one as part of its peak.
STARTER = """
import os, sys, time
start = time.monotonic()
output = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
actions = [(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, file_actions=actions)
_, status, usage = os.wait4(pid, 0)
wall = time.monotonic() - start
print(os.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""


def run(command, action, folder):
    args = [*shlex.split(command), action, "--manifest-path", f"{folder}/manifest.yaml"]
    if action == "read":
        args += ["--config", f"{folder}/config.json", "--catalog", f"{folder}/catalog.json"]
    starter = [sys.executable, "-I", "-S", "-c", STARTER, f"{folder}/output", *args]
    figures = subprocess.run(starter, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    code, wall, cpu, peak = map(float, figures)
    if code:
        sys.exit(f"{shlex.join(args)} ended with {code:.0f}")
    peak_bytes = peak * (1 if sys.platform == "darwin" else 1024)
    return {"wall": wall, "cpu": cpu, "mb": peak_bytes / 1e6}


def digest(file):
    """How many records there are, and a hash that their order does not change."""
    count, total = 0, 0
    for line in open(file, "rb"):
        message = json.loads(line)
        if message.get("type") == "RECORD":
            data = json.dumps([message["record"]["stream"], message["record"]["data"]], sort_keys=True)
            total += int.from_bytes(hashlib.blake2b(data.encode(), digest_size=8).digest(), "big")
            count += 1
    return count, total % 2**64


def measure(name, workload, args, base_url):
    title, declared, config = workload
    action = "read" if declared else "spec"
    commands = {"ours": args.ours, "reference": args.reference}
    found = {command: [] for command in commands}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        write_inputs(folder, declared, config, base_url)
        digests = {}
        for command, line in commands.items():
            run(line, action, folder)
            digests[command] = digest(folder / "output")
        if digests["ours"] != digests["reference"]:
            sys.exit(f"{name}: the records are not the same: {digests}")
        for _ in range(args.runs):
            for command, line in commands.items():
                found[command].append(run(line, action, folder))
    median = lambda command, key: statistics.median(figures[key] for figures in found[command])
    ratio = lambda key: statistics.median(theirs[key] / ours[key] for ours, theirs in zip(found["ours"], found["reference"]))
    cell = lambda key, form: f"{median('ours', key):{form}} / {median('reference', key):{form}} ({ratio(key):.0f}×)"
    return f"| {title} | {cell('cpu', '.3f')} | {cell('wall', '.2f')} | {cell('mb', '.0f')} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", default=str(ROOT / "target/dist/source-declarative-manifest"), help="command of this runtime")
    parser.add_argument("--reference", default="source-declarative-manifest", help="command of the reference")
    parser.add_argument("--runs", type=int, default=3, help="timed runs of each command")
    parser.add_argument("--size", type=int, default=200_000, help="rows of the downloads; the other workloads follow")
    parser.add_argument("workloads", nargs="*", help=f"some of {', '.join(workloads(1))}; all if none")
    args = parser.parse_args()
    chosen = {name: it for name, it in workloads(args.size).items() if name in (args.workloads or workloads(1))}
    port = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(args.size, port), daemon=True)
    server.start()
    base_url = f"http://127.0.0.1:{port.get()}"
    print("| workload | CPU s, ours / reference | wall s | peak MB |\n| --- | --- | --- | --- |")
    for name, workload in chosen.items():
        print(measure(name, workload, args, base_url), flush=True)
    server.terminate()


if __name__ == "__main__":
    main()
