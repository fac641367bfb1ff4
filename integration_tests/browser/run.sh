#!/usr/bin/env bash
# Uses the Connector Builder in a browser, as people do.
#
#   run.sh [BINARY]      target/debug/source-declarative-manifest, unless given
#
# Needs Node with npm, and Chromium (Debian: chromium).
# SHOTS is a folder for screenshots; without it none are made.
# SLOW_MS plays a busy machine, to find tests that race with the page: answers come up to so many milliseconds later.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
BINARY=$(realpath "${1:-${CARGO_TARGET_DIR:-$root/target}/debug/source-declarative-manifest}")
CHROMIUM=${CHROMIUM:-$(command -v chromium)}
export BINARY CHROMIUM

cd "$here"
npm ci --no-audit --no-fund --silent
node --test --test-concurrency=1 --test-timeout=300000 ./*.test.js
