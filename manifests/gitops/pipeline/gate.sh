#!/bin/sh
# Runs the gate for a revision. Exit status: 0 only for Succeeded, 1 only for Failed, else 2:
#   manifests/gitops/pipeline/gate.sh "$(git rev-parse --short HEAD)"
# It waits for the end, whatever the verdict, and then checks the verdict: a wait for success
# alone would sit out its whole timeout after a failure. Every call is a run, so that a job that
# is retried for the same revision gets a verdict of its own.
set -u
run_id=${1:?usage: gate.sh RUN_ID}
case $run_id in *[!A-Za-z0-9._-]*) echo "gate.sh: RUN_ID takes letters, digits and ._-" >&2; exit 64 ;; esac
here=$(dirname "$0")
gate() { kubectl -n ratelimiter "$@"; }
# What stands in a status may be of anybody: here it is lines of plain ASCII of bounded length and number, that
# command neither a terminal nor a pipeline (::error::, ##[error], ##vso[...]).
plain() {
  LC_ALL=C tr '\t\r' '  ' | LC_ALL=C tr -c '\n\040-\176' '?' |
    LC_ALL=C sed -e 's/##/# #/g' -e 's/##/# #/g' -e 's/^\( *\):\(:\)/\1: \2/' | cut -c 1-1000 | head -n 50
}
# Runs a command. What it wrote is told plainly once it has ended, on standard error where it failed.
told() {
  if said=$("$@" 2>&1); then
    printf '%s\n' "$said" | plain
  else
    printf '%s\n' "$said" | plain >&2
    return 1
  fi
}
# Neither for nor against the rate limiter: run again.
no_verdict() {
  echo "gate.sh: no verdict: $1" >&2
  told gate get chaosdemo gate -o jsonpath='{.status.phase}: {.status.message}' >&2
  exit 2
}

# Cut to what the status can hold.
request=$(printf %.128s "$(date -u +%Y%m%dT%H%M%SZ)-$$-$run_id")
manifest=$(kubectl kustomize "$here" | sed "s/^  runId: .*/  runId: \"$run_id\"/" |
  kubectl annotate --local -f - chaosdemo.dev/requested-at="$request" -o yaml)
apply() { printf '%s\n' "$manifest" | kubectl apply --server-side --force-conflicts -f -; }
told apply || no_verdict "it cannot be applied"

# Without this, the script would take the end of the last run for that of this one.
told gate wait chaosdemo/gate --for=jsonpath='{.status.lastHandledRunRequest}'="$request" --timeout=3m ||
  no_verdict "it does not start"
told gate wait chaosdemo/gate --for=condition=Finished --timeout=12m || no_verdict "it does not end"

told gate get chaosdemo gate -o jsonpath='{range .status.scenarios[*]}{.name}: {.result} ({.summary}){"\n"}{end}{.status.phase}: {.status.message}'
case $(gate get chaosdemo gate -o jsonpath='{.status.phase} {.status.conditions[?(@.type=="Succeeded")].status}') in
  "Succeeded True") exit 0 ;;
  # The rate limiter does what it must not do.
  Failed*) exit 1 ;;
  *) no_verdict "it was not carried out" ;;
esac
