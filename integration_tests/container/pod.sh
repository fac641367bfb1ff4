# shellcheck shell=bash disable=SC2154
# Plays the platform: runs images the way its pods do. To be sourced; `work` is a folder for files.

# What every container of a pod is run with; the image's own entrypoint is not used.
run_container() { # FOLDER MOUNT IMAGE SCRIPT [OPTION…]
    local folder=$1 mount=$2 image=$3 script=$4
    shift 4
    podman run --rm --network host --user 1000:1000 --cap-drop ALL \
        --security-opt no-new-privileges --read-only --read-only-tmpfs=false --tmpfs /tmp \
        --volume "$folder:$mount" --workdir "$mount" --env AIRBYTE_EDITION=COMMUNITY \
        --env AIRBYTE_VERSION=2.0.0 --env AIRBYTE_ENABLE_UNSAFE_CODE=false "$@" \
        --entrypoint sh "$image" -c "$script"
}

# A new folder that the pod's containers share.
share() {
    local folder
    folder=$(mktemp -d "$work/share.XXXXXX")
    chown 1000:1000 "$folder"
    chmod 2777 "$folder"
    echo "$folder"
}

# The end of every launch script, expanded in the pod: waits for the connector, and leaves its exit code.
# shellcheck disable=SC2016
launch_end='
child=$!
(while :; do
    if [ -f TERMINATED ]; then kill $child; exit; fi
    sleep 1
done) &
wait $child
code=$?
echo $code > TEMP_EXIT_CODE.txt
mv TEMP_EXIT_CODE.txt exitCode.txt
exit $code'

# Runs `spec`, `check`, or `discover`; prints the messages, and the exit code as last line.
pod_operation() { # IMAGE OPERATION [CONFIG]
    local image=$1 operation=$2 config=${3:-} folder arguments=
    folder=$(share)
    if [ -n "$config" ]; then
        cp "$config" "$folder/connectionConfiguration.json"
        arguments="--config /config/connectionConfiguration.json"
    fi
    run_container "$folder" /config "$image" "
        [ -n \"\$AIRBYTE_ENTRYPOINT\" ] || exit 127
        (eval \"\$AIRBYTE_ENTRYPOINT $operation $arguments\" > /config/jobOutput.json) &
        $launch_end" --env OPERATION_TYPE="$operation" 1>&2 || true
    cat "$folder/jobOutput.json" "$folder/exitCode.txt"
}

# Runs `read`; its output comes through named pipes, which `reader` reads.
# Leaves in the folder whose name it prints: out, err, log, and exitCode.txt (unless it was killed).
pod_read() { # IMAGE CONFIG CATALOG [STATE]
    local image=$1 config=$2 catalog=$3 state=${4:-} folder
    folder=$(share)
    cp "$config" "$folder/connectorConfig.json"
    cp "$catalog" "$folder/catalog.json"
    if [ -n "$state" ]; then cp "$state" "$folder/inputState.json"; fi
    mkfifo -m 666 "$folder/stdout" "$folder/stderr"
    chmod 644 "$folder"/*.json
    # shellcheck disable=SC2086
    run_container "$folder" /source "$image" "
        [ -n \"\$AIRBYTE_ENTRYPOINT\" ] || exit 127
        (
            state=
            if [ -f /source/inputState.json ]; then state='--state /source/inputState.json'; fi
            eval \"\$AIRBYTE_ENTRYPOINT read --config /source/connectorConfig.json --catalog /source/catalog.json \$state\" 2> stderr > stdout
        ) &
        $launch_end" --env DEPLOYMENT_MODE=OSS --env LOG_LEVEL=INFO --env WORKER_JOB_ID=1 \
        --env USE_STREAM_CAPABLE_STATE=true --env USE_FILE_TRANSFER=false \
        --env DATA_CHANNEL_MEDIUM=STDIO --env DATA_CHANNEL_FORMAT=JSONL ${pod_options:-} \
        > "$folder/log" 2>&1 &
    local pod=$!
    "${reader:-read_at_once}" "$folder"
    touch "$folder/TERMINATED"
    wait "$pod" || true
    echo "$folder"
}

# Readers of the pipes; like the platform they open stderr first.
read_at_once() {
    cat "$1/stderr" > "$1/err" &
    cat "$1/stdout" > "$1/out"
    wait_for_exit_code "$1"
}

read_late() {
    sleep "${pause:-2}"
    read_at_once "$1"
}

# Reads a little, looks away, and reads the rest.
read_with_a_pause() {
    cat "$1/stderr" > "$1/err" &
    { head -c 1000; sleep "${pause:-2}"; cat; } < "$1/stdout" > "$1/out"
    wait_for_exit_code "$1"
}

# Closes both pipes in mid-read, as the platform does when a sync is cancelled.
read_until_cancelled() {
    cat "$1/stderr" > "$1/err" &
    local errors=$!
    head -n 1000 < "$1/stdout" > "$1/out"
    wait_for_exit_code "$1"
    kill "$errors" 2> /dev/null || true
}

wait_for_exit_code() {
    for _ in $(seq 100); do
        if [ -f "$1/exitCode.txt" ]; then return; fi
        sleep 0.1
    done
}
