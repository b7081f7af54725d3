#!/usr/bin/env bash
# Puts stripegym on the PATH of the steps that follow: the one that is there, else one built from this checkout.
set -euo pipefail
if command -v stripegym >/dev/null; then
  stripegym --version
  exit 0
fi
into="${RUNNER_TEMP:-/tmp}/stripegym"
cargo install --locked --root "$into" --path "$(dirname "$0")/.."
echo "$into/bin" >>"$GITHUB_PATH"
