#!/usr/bin/env bash
# Reads random manifests from a server that is often broken, for a time: tools/soak.sh [SECONDS [SEED]]
# What it looks at is in ../soak.rs.
set -euo pipefail
cd "$(dirname "$0")/../.."
SOAK_SECONDS=${1:-3600} SOAK_SEED=${2:-0} exec cargo test --test integration soak -- --nocapture
