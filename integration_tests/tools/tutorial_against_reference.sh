#!/usr/bin/env bash
# Makes the connector of the Builder's tutorial in a browser, downloads it, and holds what this
# program makes of it against what the reference does: `spec`, `check`, `discover`, and two reads.
#
#   tutorial_against_reference.sh PYTHON [BINARY]
#
# PYTHON has the reference: `pip install 'airbyte-cdk[manifest-server]==7.39.1'`.  What the browser
# needs is said in `browser/run.sh`.  CASES is the folder that the connector is kept in; without it
# that is a temporary one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$(realpath -s "$1")
BINARY=$(realpath "${2:-${CARGO_TARGET_DIR:-$here/../../target}/debug/source-declarative-manifest}")
CHROMIUM=${CHROMIUM:-$(command -v chromium)}
CASES=${CASES:-$(mktemp -d)}
export BINARY CASES CHROMIUM

cd "$here/../browser"
npm ci --no-audit --no-fund --silent
node --test --test-timeout=300000 tutorial.test.js

# A case is one command: the others are the same folder with another.
cd "$CASES"
for command in spec check discover; do
  cp -r tutorial "tutorial_$command"
  echo "$command" >"tutorial_$command/command"
done
# The second read goes on where the first one ended.
"$BINARY" manifest validate tutorial/manifest.yaml
cp -r tutorial tutorial_again
cat >tutorial_again/state.json <<'STATE'
[{"type": "STREAM", "stream": {"stream_descriptor": {"name": "Rates"}, "stream_state": {"date": "2026-01-13"}}}]
STATE
"$python" "$here/against_reference.py" --bin "$BINARY" --folder "$CASES"
"$python" "$here/against_manifest_server.py" --bin "$BINARY" --folder "$CASES" tutorial tutorial_again
