#!/usr/bin/env python3
"""Lists the functions that ordinary runs execute, for the linker to lay side by side.

    cargo build --release
    python3 benches/touched.py            # writes link/touched.ld; needs valgrind and openssl

The kernel maps a program in pieces of 64 KiB, each as soon as one instruction of it is executed. What
a run executes is a seventh of the program, but strewn over all of it, so nearly all of it would be
resident. `build.rs` gives the linker the list that this script writes, and what is executed becomes
one block.

The names in the list have no hashes, so that it outlives compilers and dependencies: a name that is
gone matches nothing, and a function that is new stays where the linker puts it. Run the script again
when the peak of `against_reference.py` has grown. It adds to the list, since valgrind sees no names in
the block that the list has made; to begin anew, link without it: empty the file first, and build.
"""
import argparse
import contextlib
import multiprocessing
import os
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import against_reference as bench

LIST = bench.ROOT / "link/touched.ld"
HEAD = """/* What ordinary runs execute; written by benches/touched.py, which says why. */
SECTIONS {
  .text.touched : {
"""
# Few of the functions that the compiler takes for unlikely are large, and many are executed once.
FOOT = """    *(.text.unlikely.*)
  }
} INSERT BEFORE .text;
"""
LISTED = re.compile(r"^    \*\(\.text\.(?!unlikely)(\S+)\)$", re.M)
ROWS = 2_000
# What changes from one compiler to the next: the hashes of crates, and what is added behind a name.
HASH = re.compile(r"(?<=Cs)[0-9A-Za-z]+(?=_)|17h[0-9a-f]{16}E.*|\.(llvm|part|isra|constprop|cold)\..*")


def incremental():
    """A stream with a cursor, so that states are read and made."""
    cursor = {
        "type": "DatetimeBasedCursor",
        "cursor_field": "createdAt",
        "datetime_format": "%Y-%m-%dT%H:%M:%SZ",
        "start_datetime": "2024-01-01T00:00:00Z",
        "end_datetime": "2024-01-10T00:00:00Z",
        "step": "P1D",
        "cursor_granularity": "PT1S",
    }
    return bench.pages(incremental_sync=cursor)


@contextlib.contextmanager
def server(tls=None):
    port = multiprocessing.Queue()
    process = multiprocessing.Process(target=bench.serve, args=(ROWS, port, tls), daemon=True)
    process.start()
    yield f"http{'s' if tls else ''}://127.0.0.1:{port.get()}"
    process.terminate()


def certificate(folder):
    """An authority, ca.pem, a certificate of it for the loopback, and the server's context with that."""

    def make(name, subject, *more):
        args = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={subject}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"]
        subprocess.run(["openssl", "req", "-x509", *args, *more], check=True, stderr=subprocess.DEVNULL)

    make("ca", "authority")
    signed_by = ["-CA", folder / "ca.pem", "-CAkey", folder / "ca.key"]
    make("server", "127.0.0.1", *signed_by, "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context


def executed(binary, args, folder, environment):
    """Names of the functions of `binary` that a run executes."""
    out = folder / "callgrind.out"
    command = ["valgrind", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={out}", binary, *args]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    if done.returncode:
        sys.exit(f"{args} ended with {done.returncode}: {done.stdout[-500:]}")
    objects, functions, found, here = {}, {}, set(), ""
    for line in out.read_text().splitlines():
        if match := re.match(r"(c?)ob=\((\d+)\)(?: (.*))?", line):
            name = objects.setdefault(match[2], match[3])
            here = here if match[1] else name
        elif match := re.match(r"(c?)fn=\((\d+)\)(?: (.*))?", line):
            name = functions.setdefault(match[2], match[3])
            if not match[1] and here and here.endswith(binary.name):
                found.add(name)
    return found


def runs(folder):
    """Commands and their environments, one after the other, each with what it reads in `folder`."""
    inputs = ["--config", folder / "config.json"]
    manifest = ["--manifest-path", folder / "manifest.yaml"]
    catalog = ["--catalog", folder / "catalog.json"]
    declared = bench.workloads(ROWS)
    declared["incremental"] = ("", incremental(), {"pages": 1})
    with server() as base_url:
        for name, (_, declaration, config) in declared.items():
            bench.write_inputs(folder, declaration, config, base_url)
            if name == "start":
                yield ["spec", *manifest], {}
            elif name == "pull":
                yield ["check", *inputs, *manifest], {}
                yield ["discover", *inputs, *manifest], {}
            if declaration:
                yield ["read", *inputs, *catalog, *manifest], {}
    with server(certificate(folder)) as base_url:
        bench.write_inputs(folder, bench.pages(), {"pages": 2}, base_url)
        yield ["read", *inputs, *catalog, *manifest], {"REQUESTS_CA_BUNDLE": str(folder / "ca.pem")}
    for example in sorted((bench.ROOT / "manifests").iterdir()):
        files = ["--manifest-path", example / "manifest.yaml", "--config", example / "config.json"]
        yield ["read", *files, "--replay", example / "cassette.jsonl"], {}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", type=pathlib.Path, default=bench.ROOT / "target/release/source-declarative-manifest", help="has to have its symbols")
    args = parser.parse_args()
    names = set(LISTED.findall(LIST.read_text()))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for command, environment in runs(folder):
            found = executed(args.binary, command, folder, {**os.environ, **environment})
            names |= {HASH.sub("*", name.split("'")[0]) for name in found}
            print(f"{command[0]}: {len(found)} functions, {len(names)} names so far", file=sys.stderr)
    plain = sorted(name for name in names if re.fullmatch(r"[\w.$*]+", name))
    LIST.write_text(HEAD + "".join(f"    *(.text.{name})\n" for name in plain) + FOOT)


if __name__ == "__main__":
    main()
