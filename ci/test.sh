#!/bin/sh
# Tests the API in the current folder with `chaosdemo test`. The pipelines in this folder run it.
#
#   CHAOSDEMO_START      command that starts one instance of the API
#   CHAOSDEMO_INSTANCES  how many instances to start
#   CHAOSDEMO_PATH       path of the request that counts
#   CHAOSDEMO_URLS       instead of these: addresses of running instances, one a line
#   CHAOSDEMO_REDIS      the Redis in which they count; needed with CHAOSDEMO_URLS
#   CHAOSDEMO_FILE       a ChaosDemo, as --save writes it, instead of facts that requests find out
#   CHAOSDEMO_OPTIONS    other options of `chaosdemo test`, one a line: --limit=10
#   CHAOSDEMO_REPORTS    folder for the reports; default: chaosdemo-reports
#
# The exit status is that of `chaosdemo test`.
set -eu

set -- --report-dir "${CHAOSDEMO_REPORTS:-chaosdemo-reports}"
[ -z "${CHAOSDEMO_START:-}" ] || set -- "$@" --start "$CHAOSDEMO_START"
[ -z "${CHAOSDEMO_INSTANCES:-}" ] || set -- "$@" --instances "$CHAOSDEMO_INSTANCES"
[ -z "${CHAOSDEMO_PATH:-}" ] || set -- "$@" --path "$CHAOSDEMO_PATH"
[ -z "${CHAOSDEMO_REDIS:-}" ] || set -- "$@" --redis "$CHAOSDEMO_REDIS"
[ -z "${CHAOSDEMO_FILE:-}" ] || set -- "$@" --file "$CHAOSDEMO_FILE"

# A line is an argument, whatever blanks and wildcards it has.
set -f
IFS='
'
for url in ${CHAOSDEMO_URLS:-}; do set -- "$@" --url "$url"; done
for option in ${CHAOSDEMO_OPTIONS:-}; do set -- "$@" "$option"; done

exec node "$(dirname "$0")/../scripts/chaosdemo.mjs" test --plain "$@"
