#!/usr/bin/env bash
# Checks the server that START starts in FOLDER: annotations in the log, a summary on the run's page, JUNIT for others.
# Ends as `stripegym check` does.
set -euo pipefail
cd "${FOLDER:-.}"
summary=$(mktemp)
trap 'cat "$summary" >>"${GITHUB_STEP_SUMMARY:-/dev/stdout}"; rm -f "$summary"' EXIT
# shellcheck disable=SC2086 # FLAGS is a list of flags
stripegym check --all --ci --exec "$START" ${FLAGS:-} \
  --format github --format "markdown:$summary" --format "junit:${JUNIT:-stripegym.xml}"
