#!/usr/bin/env bash
# Builds the image of connectors without a daemon, from a binary that is there already, runs it as
# the platform's pods do, and compares what it answers with what the binary answers by itself.
#
#   run.sh [BINARY]      target/debug/source-declarative-manifest, unless given; as root
#
# Needs buildah, podman, runc, and a static busybox (Debian: buildah podman runc busybox-static).
# WORK is the folder to work in; then it is kept.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
binary=$(realpath "${1:-${CARGO_TARGET_DIR:-$root/target}/debug/source-declarative-manifest}")
if [ -n "${WORK:-}" ]; then
    work=$(realpath "$WORK")
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
# shellcheck source=setup.sh
. "$here/setup.sh"
# shellcheck source=pod.sh
. "$here/pod.sh"

n_passed=0
passed() {
    n_passed=$((n_passed + 1))
    echo "ok   $1"
}
check() { # WHAT FOUND EXPECTED
    if [ "$2" != "$3" ]; then
        echo "FAILED $1"
        diff <(echo "$3") <(echo "$2") | head -n 20
        exit 1
    fi
    passed "$1"
}

# Messages without what differs from run to run; streams are read side by side.
comparable() {
    sed -E 's/"emitted_at":[0-9.]+/"emitted_at":0/; s/(.Date.: .)[^.]*/\1/' | sort
}

bare() {
    "$binary" "$@" 2> /dev/null || true
}

echo "# the images"
build_base
bake manifests/pokeapi airbyte/source-pokeapi:1.2.3
bake connector airbyte/source-demo:0.0.1
for form in plain python traced; do
    rebase "$form" airbyte/source-demo:"$form"
done

start_api
echo '{"base_url": "'"$api"'"}' > "$work/config.json"
echo '{"base_url": "'"$api"'/nowhere"}' > "$work/wrong.json"
catalog users events > "$work/catalog.json"
catalog endless > "$work/endless.json"
state_of events '{"at": "2024-01-03"}' > "$work/state.json"
manifest=$here/connector/manifest.yaml
given=(--manifest-path "$manifest" --config "$work/config.json")

cat > "$work/injected.json" << END
{"__injected_declarative_manifest": {
    "version": "7.0.0",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["users"]},
    "streams": [{
        "type": "DeclarativeStream",
        "name": "users",
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": "$api", "path": "users-2.json"},
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": ["items"]}
            }
        }
    }],
    "spec": {
        "type": "Spec",
        "connection_specification": {"type": "object", "additionalProperties": false}
    }
}}
END

echo "# what the image says of itself"
inspect() { podman image inspect "$1" --format "$2"; }
check "labels" "$(inspect airbyte/source-pokeapi:1.2.3 '{{index .Labels "io.airbyte.name"}}:{{index .Labels "io.airbyte.version"}}')" \
    airbyte/source-pokeapi:1.2.3
check "the platform's entrypoint is the image's" \
    "$(inspect "$base" '{{range .Config.Env}}{{println .}}{{end}}' | sed -n 's/^AIRBYTE_ENTRYPOINT=//p')" \
    "$(inspect "$base" '{{join .Config.Entrypoint " "}}')"
check "the user" "$(podman run --rm --entrypoint sh "$base" -c 'id -un; id -u; id -g; touch /airbyte/integration_code/x && echo writes')" \
    "$(printf 'airbyte\n1000\n1000\nwrites')"

echo "# the base"
check "a generic specification" "$(pod_operation "$base" spec 2> /dev/null)" "$(bare spec; echo 0)"
check "an injected manifest" "$(pod_operation "$base" check "$work/injected.json" 2> /dev/null | tail -n 2)" \
    "$(printf '{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}\n0')"

echo "# an example from its cassette"
example=$root/manifests/pokeapi
replayed() {
    podman run --rm --read-only --volume "$example:/example:ro" airbyte/source-pokeapi:1.2.3 "$@" \
        --config /example/config.json --replay /example/cassette.jsonl
}
check "spec" "$(pod_operation airbyte/source-pokeapi:1.2.3 spec 2> /dev/null)" \
    "$(bare spec --manifest-path "$example/manifest.yaml"; echo 0)"
for operation in check discover read; do
    check "$operation" "$(replayed "$operation")" \
        "$(bare "$operation" --manifest-path "$example/manifest.yaml" --config "$example/config.json" --replay "$example/cassette.jsonl")"
done

read_of() { # FOLDER
    comparable < "$1/out"
    echo "exit $(cat "$1/exitCode.txt")"
}
bare_read() {
    bare read "${given[@]}" --catalog "$work/catalog.json" "$@" | comparable
    echo "exit 0"
}

for tag in 0.0.1 plain python traced; do
    image=airbyte/source-demo:$tag
    echo "# the pods of $image"
    check "spec" "$(pod_operation "$image" spec 2> /dev/null)" "$(bare spec --manifest-path "$manifest"; echo 0)"
    check "check" "$(pod_operation "$image" check "$work/config.json" 2> /dev/null)" "$(bare check "${given[@]}"; echo 0)"
    check "discover" "$(pod_operation "$image" discover "$work/config.json" 2> /dev/null)" "$(bare discover "${given[@]}"; echo 0)"
    check "read" "$(read_of "$(pod_read "$image" "$work/config.json" "$work/catalog.json")")" "$(bare_read)"
done
check "check of a wrong config" \
    "$(pod_operation "$image" check "$work/wrong.json" 2> /dev/null | comparable)" \
    "$( (bare check --manifest-path "$manifest" --config "$work/wrong.json"; echo 0) | comparable)"
check "read from a state" \
    "$(read_of "$(pod_read "$image" "$work/config.json" "$work/catalog.json" "$work/state.json")")" \
    "$(bare_read --state "$work/state.json")"

echo "# the life of a pod"
check "pipes that are opened late" \
    "$(read_of "$(reader=read_late pod_read "$image" "$work/config.json" "$work/catalog.json")")" "$(bare_read)"
check "a reader that looks away" \
    "$(read_of "$(reader=read_with_a_pause pod_read "$image" "$work/config.json" "$work/catalog.json")")" "$(bare_read)"
folder=$(reader=read_until_cancelled pod_read "$image" "$work/config.json" "$work/endless.json")
check "a cancelled read ends by itself, without a word" \
    "$(cat "$folder/exitCode.txt"; wc -c < "$folder/err"; wc -l < "$folder/out")" "$(printf '1\n0\n1000')"

echo "$n_passed passed, 0 failed"
