#!/usr/bin/env python3
"""Lists the functions that ordinary runs execute, for the linker to lay side by side.

    cargo build --release
    python3 benches/touched.py            # writes link/touched.ld; needs valgrind, nm and openssl

The kernel maps a program in pieces of 64 KiB, each as soon as one instruction of it is executed. What
a run executes is a seventh of the program, but strewn over all of it, so nearly all of it would be
resident. `build.rs` gives the linker the list that this script writes, and what is executed becomes
one block. In it stands first what a plain `read` executes, and of that first what all runs do, and so
on: each kind of run finds its own functions in few pieces.

The names in the list have no hashes, so that it outlives compilers and dependencies: a name that is
gone matches nothing, and a function that is new stays where the linker puts it: a hundred such make
three megabytes. Run the script again when the peak of `against_reference.py` has grown. What is inlined
changes from build to build, and more so from one kind of optimisation to another, the image's for one.
So the script adds to the list what it finds, and takes several binaries, which need their symbols. To
begin anew, empty the list.
"""
import argparse
import bisect
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
# In .text itself, and not beside it: valgrind and others know no functions elsewhere.
HEAD = """/* What ordinary runs execute; written by benches/touched.py, which says why. */
SECTIONS {
  .text : {
"""
FOOT = """  }
} INSERT BEFORE .fini;
"""
# What is executed by the same runs stands together, under their numbers.
GROUP = re.compile(r"^    /\* runs ([\d ]+) \*/$")
NAME = re.compile(r"^    \*\(\.text\.(\S+) \S+\)$")
# Where valgrind loads a program; it tells places in the file only of one whose sections it understands.
LOADED_AT = 0x108000
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


class Symbols:
    """The functions of a program by their addresses."""

    def __init__(self, binary):
        listed = subprocess.run(["nm", "--defined-only", "--numeric-sort", binary], capture_output=True, text=True, check=True).stdout
        code = [(int(address, 16), name) for address, kind, name in map(str.split, listed.splitlines()) if kind in "tTwWi"]
        self.starts = sorted({start for start, _ in code})
        self.names = {}
        for start, name in code:
            self.names.setdefault(start, set()).add(name)

    def at(self, addresses):
        """All names of the functions that the addresses lie in."""
        places = {bisect.bisect_right(self.starts, address) for address in addresses}
        return set().union(*(self.names[self.starts[place - 1]] for place in places if place))


def executed(binary, symbols, args, folder, environment):
    """Names of the functions of `binary` that a run executes."""
    out = folder / "callgrind.out"
    options = ["--dump-instr=yes", "--compress-pos=no", f"--callgrind-out-file={out}"]
    command = ["valgrind", "--tool=callgrind", *options, binary, *args]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    if done.returncode:
        sys.exit(f"{args} ended with {done.returncode}: {done.stdout[-500:]}")
    objects, addresses, here = {}, set(), ""
    bases = {str(binary): 0, "???": LOADED_AT}
    with open(out) as lines:
        for line in lines:
            if line.startswith("0x"):
                if here in bases:
                    addresses.add(int(line.split(maxsplit=1)[0], 16) - bases[here])
            elif match := re.match(r"(c?)ob=\((\d+)\)(?: (.*))?", line.rstrip()):
                name = objects.setdefault(match[2], match[3])
                here = here if match[1] else name
    return symbols.at(addresses)


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


def read_list():
    """The names in the list, with the numbers of the runs that execute them."""
    executing, group = {}, set()
    for line in LIST.read_text().splitlines():
        if match := GROUP.match(line):
            group = {int(number) for number in match[1].split()}
        elif match := NAME.match(line):
            executing[match[1]] = set(group)
    return executing


def write_list(executing):
    """Writes the names; those first that the first run executes, of them those that the second does."""
    n_runs = 1 + max(max(numbers) for numbers in executing.values())
    order = lambda name: ([number not in executing[name] for number in range(n_runs)], name)
    lines, last = [], None
    for name in sorted(executing, key=order):
        if executing[name] != last:
            last = executing[name]
            lines.append(f"    /* runs {' '.join(map(str, sorted(last)))} */\n")
        lines.append(f"    *(.text.{name} .text.unlikely.{name})\n")
    LIST.write_text(HEAD + "".join(lines) + FOOT)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", nargs="*", type=pathlib.Path, default=[bench.ROOT / "target/release/source-declarative-manifest"], help="have to have their symbols")
    args = parser.parse_args()
    executing = read_list()
    for binary in map(pathlib.Path.resolve, args.binaries):
        symbols = Symbols(binary)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for number, (command, environment) in enumerate(runs(folder)):
                found = executed(binary, symbols, command, folder, {**os.environ, **environment})
                for name in found:
                    name = HASH.sub("*", name)
                    if re.fullmatch(r"[\w.$*]+", name):
                        executing.setdefault(name, set()).add(number)
                print(f"{command[0]}: {len(found)} functions, {len(executing)} names so far", file=sys.stderr)
    write_list(executing)


if __name__ == "__main__":
    main()
