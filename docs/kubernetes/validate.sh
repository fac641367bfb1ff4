#!/bin/sh
# Checks the manifests of this folder against the schemas of Kubernetes; needs Python and PyPI.
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate==1.37.0
"$venv/bin/kubernetes-validate" --strict "$folder"/*.yaml
