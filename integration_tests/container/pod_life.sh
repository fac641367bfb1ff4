#!/usr/bin/env bash
# What a pod may live through, played in full length; takes three minutes. `run.sh` plays it in short.
#
#   pod_life.sh [BINARY]      target/debug/source-declarative-manifest, unless given; as root
#
# Needs what `run.sh` needs, and python3; for the clock that jumps, faketime and a binary that is
# linked dynamically.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
binary=$(realpath "${1:-${CARGO_TARGET_DIR:-$root/target}/debug/source-declarative-manifest}")
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
# shellcheck source=setup.sh
. "$here/setup.sh"
# shellcheck source=pod.sh
. "$here/pod.sh"
port=$((20000 + $$ % 20000))
echo '{"base_url": "http://127.0.0.1:'"$port"'"}' > "$work/config.json"
catalog items > "$work/catalog.json"
image=airbyte/source-long:0.0.1

serve() { # N_PAGES SECONDS_OF_A_TOKEN
    python3 "$here/api.py" "$port" "$1" "$2" > "$work/n_tokens" &
    server=$!
    sleep 1
}
# Ends the API, and says how the read went.
report() { # WHAT OUTPUT EXIT_CODE N_RECORDS
    kill "$server"
    wait "$server" || true
    server=
    local n_records
    n_records=$(grep -c '^{"type":"RECORD"' "$2" || true)
    echo "$1: exit $3, $n_records records, $(cat "$work/n_tokens") tokens, $(grep -c '"type":"ERROR"' "$2" || true) errors"
    [ "$3 $n_records" = "0 $4" ] || { tail -n 3 "$2" | cut -c 1-500; exit 1; }
}
# Runs a read as a pod does.
play() { # WHAT N_PAGES SECONDS_OF_A_TOKEN
    local folder
    serve "$2" "$3"
    folder=$(pod_read "$image" "$work/config.json" "$work/catalog.json")
    report "$1" "$folder/out" "$(cat "$folder/exitCode.txt")" "$(($2 * 1000))"
}

cp -r "$here/long" "$work/"
build_base
cp -r "$here/long" "$work/context/"
bake long "$image"

reader=read_late pause=10 play "pipes that open after 10 s" 20 60
reader=read_with_a_pause pause=120 play "a stall of two minutes, tokens of 5 s" 60 5
pod_options="--memory 64m --memory-swap 64m" play "100 MB in a pod of 64 MB" 200 600

if command -v faketime > /dev/null && ldd "$binary" 2> /dev/null | grep libc.so > /dev/null; then
    library=$(find /usr/lib -name 'libfaketime.so.1' | head -n 1)
    serve 150 30
    echo '+0' > "$work/clock"
    LD_PRELOAD=$library FAKETIME_TIMESTAMP_FILE=$work/clock FAKETIME_NO_CACHE=1 \
        FAKETIME_DONT_FAKE_MONOTONIC=1 "$binary" read --manifest-path "$here/long/manifest.yaml" \
        --config "$work/config.json" --catalog "$work/catalog.json" > "$work/out" &
    pid=$!
    for clock in +2d -3d +1h +0; do
        sleep 1
        echo "$clock" > "$work/clock"
        echo "the clock says $clock; $(grep -c '^{"type":"RECORD"' "$work/out" || true) records so far"
    done
    code=0
    wait "$pid" || code=$?
    report "a clock that jumps" "$work/out" "$code" 150000
fi
