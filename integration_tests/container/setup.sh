# shellcheck shell=bash disable=SC2154
# Makes images without a daemon, and an API to read. To be sourced; `work` is a folder for files,
# `root` that of the project, `here` that of this file, `binary` what is put into the images.

# Settings that hold without CAP_SYS_RESOURCE, with either version of control groups, and below a
# folder that can be thrown away.
cat > "$work/containers.conf" << END
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1024:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
END
cat > "$work/storage.conf" << END
[storage]
driver = "vfs"
graphroot = "$work/storage"
runroot = "$work/run"
END
export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf
export BUILDAH_ISOLATION=chroot
base=airbyte/source-declarative-manifest:7.0.0

# What the Dockerfile's build arguments name instead of images from a registry: a shell, with the
# libraries that the binary needs when it is not static; and certificates.
build_stand_ins() {
    local tree=$work/shell library
    mkdir -p "$tree/bin" "$tree/etc" "$tree/tmp" "$work/certificates"
    cp "$(command -v busybox)" "$tree/bin/busybox"
    for name in $(busybox --list); do ln -s busybox "$tree/bin/$name" 2> /dev/null || true; done
    chmod 1777 "$tree/tmp"
    echo 'root:x:0:0:root:/root:/bin/sh' > "$tree/etc/passwd"
    echo 'root:x:0:' > "$tree/etc/group"
    for library in $(ldd "$binary" 2> /dev/null | grep -o '/[^ ]*' || true); do
        mkdir -p "$tree$(dirname "$library")"
        cp -L "$library" "$tree$library"
    done
    cp /etc/ssl/certs/ca-certificates.crt "$work/certificates/"
    printf 'FROM scratch\nCOPY . /\n' | buildah bud -q -t localhost/shell -f - "$tree" > /dev/null
    printf 'FROM scratch\nCOPY . /etc/ssl/certs/\n' \
        | buildah bud -q -t localhost/certificates -f - "$work/certificates" > /dev/null
}

# Builds the project's Dockerfile from the binary; what it needs is laid beside it.
build() { # IMAGE [BUILD ARGUMENT…]
    local image=$1 argument arguments=()
    shift
    for argument in BINARY=prebuilt SHELL_IMAGE=localhost/shell \
        CERTIFICATES_IMAGE=localhost/certificates "$@"; do
        arguments+=(--build-arg "$argument")
    done
    buildah bud -q --layers --platform "linux/$architecture" -t "$image" "${arguments[@]}" "$work/context" > /dev/null
    echo "built $image"
}

build_base() {
    build_stand_ins
    architecture=$(podman info --format '{{.Host.Arch}}')
    local dist=$work/context/dist/$architecture
    mkdir -p "$dist" "$work/context/manifests"
    cp "$root/Dockerfile" "$root/.dockerignore" "$work/context/"
    cp -r "$root/manifests" "$here/connector" "$work/context/"
    strip -o "$dist/source-declarative-manifest" "$binary"
    build "$base"
}

bake() { # FOLDER IMAGE
    build "$2" MANIFEST="$1" NAME="${2%:*}" VERSION="${2#*:}"
}

# Builds a manifest-only connector from a Dockerfile made for the Python image.
rebase() { # FORM IMAGE
    buildah bud -q -t "$2" --build-arg BASE_IMAGE="$base" --build-arg CONNECTOR_NAME=demo \
        -f "$here/rebase/$1.Dockerfile" "$here/connector" > /dev/null
    echo "rebased $2"
}

# Serves the API that `connector/manifest.yaml` reads, at `$api`, until the script ends.
start_api() {
    local pages=$work/api id
    mkdir -p "$pages"
    api=http://127.0.0.1:$((20000 + $$ % 20000))
    printf '{"items": [{"id": 1, "name": "one"}, {"id": 2, "name": "two\\r\\n"}], "next": "%s/users-2.json"}' "$api" > "$pages/users-1.json"
    printf '{"items": [{"id": 3, "name": null}]}' > "$pages/users-2.json"
    printf '{"items": [%s]}' "$(for id in 1 2 3 4 5; do printf '{"id": %d, "at": "2024-01-0%d"},' $id $id; done | sed 's/,$//')" > "$pages/events.json"
    printf '{"items": [%s], "next": "%s/endless.json"}' "$(seq 1000 | sed 's/.*/{"id": &},/' | tr -d '\n' | sed 's/,$//')" "$api" > "$pages/endless.json"
    busybox httpd -f -p "${api#http://}" -h "$pages" &
    local server=$!
    # shellcheck disable=SC2064
    trap "kill $server; $(trap -p EXIT | sed "s/^trap -- '\(.*\)' EXIT$/\1/")" EXIT
}

# A configured catalog of streams.
catalog() { # STREAM…
    local stream streams=
    for stream in "$@"; do
        streams+='{"stream": {"name": "'$stream'", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}, "sync_mode": "incremental", "destination_sync_mode": "append"},'
    done
    echo '{"streams": ['"${streams%,}"']}'
}

state_of() { # STREAM STATE
    echo '[{"type": "STREAM", "stream": {"stream_descriptor": {"name": "'"$1"'"}, "stream_state": '"$2"'}}]'
}
