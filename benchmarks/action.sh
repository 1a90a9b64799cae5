#!/usr/bin/env bash
# What action.yml runs: profiles $PICTURE with the program $1, adds the table to the job's summary, and fails over budget.
# Environment: PICTURE, REPORT, RUNS; BUDGET, WEIGHTS and OPTIONS may be empty.
set -euo pipefail
program=$1
# A file's name may have spaces; the options are words.
arguments=(profile "$PICTURE" --offline --runs "$RUNS" --json "$REPORT" --markdown "$REPORT.md")
[ -z "${WEIGHTS:-}" ] || arguments+=(--weights "$WEIGHTS")
[ -z "${BUDGET:-}" ] || arguments+=(--budget "$BUDGET")
read -ra options <<<"${OPTIONS:-}"
status=0
"$program" "${arguments[@]}" ${options[@]+"${options[@]}"} || status=$?
if [ -f "$REPORT" ]; then
	cat "$REPORT.md" >>"${GITHUB_STEP_SUMMARY:-/dev/stdout}"
	p95=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["wall_ms"]["p95"])' "$REPORT")
	echo "p95-ms=$p95" >>"${GITHUB_OUTPUT:-/dev/stdout}"
fi
exit "$status"
