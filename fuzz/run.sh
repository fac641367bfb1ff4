#!/usr/bin/env bash
# Runs fuzz targets, one after the other: fuzz/run.sh [SECONDS [TARGET…]]
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-1300}
shift || true
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
    targets=(fuzz_targets/*.rs)
fi
for target in "${targets[@]}"; do
    target=$(basename "$target" .rs)
    mkdir -p "corpus/$target" "regressions/$target"
    # No sanitizer: there is no unsafe code of ours, and they slow down what looks for panics.
    cargo +nightly fuzz run --sanitizer none --fuzz-dir . "$target" \
        "corpus/$target" "seeds/$target" "regressions/$target" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
done
