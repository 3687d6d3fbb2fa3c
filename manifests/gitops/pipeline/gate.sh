#!/bin/sh
# Runs the gate for a revision and ends with 0 only for Succeeded:
#   manifests/gitops/pipeline/gate.sh "$(git rev-parse --short HEAD)"
# First waits for the end, whatever it is, and only then looks at the verdict: a wait for
# success alone would sit out its whole timeout after a failure.
set -eu
run_id=${1:?usage: gate.sh RUN_ID}
case $run_id in *[!A-Za-z0-9._-]*) echo "gate.sh: RUN_ID takes letters, digits and ._-" >&2; exit 64 ;; esac
here=$(dirname "$0")
gate() { kubectl -n ratelimiter "$@"; }

kubectl kustomize "$here" | sed "s/^  runId: .*/  runId: \"$run_id\"/" | kubectl apply --server-side -f -

# Without this, the end of the last run would be taken for that of this one.
if ! gate wait chaosdemo/gate --for=jsonpath='{.status.run.id}'="$run_id" --timeout=3m; then
  gate get chaosdemo gate -o jsonpath='{.status.phase}: {.status.message}{"\n"}' >&2
  exit 2
fi
gate wait chaosdemo/gate --for=condition=Complete --timeout=12m

phase=$(gate get chaosdemo gate -o jsonpath='{.status.phase}')
gate get chaosdemo gate -o jsonpath='{range .status.scenarios[*]}{.name}: {.result} ({.summary}){"\n"}{end}{.status.phase}: {.status.message}{"\n"}'
case $phase in
  Succeeded) exit 0 ;;
  # The rate limiter does what it must not do.
  Failed) exit 1 ;;
  # Not its fault, and no clearance either: run again.
  *) exit 2 ;;
esac
