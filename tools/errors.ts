/** Errors of the tools, the survey and the tests: with a code for scripts, and what to do. */
import { type Fix, TestbedError } from '@chaosdemo/testbed';

const remedies = {
  DOWNLOAD_FAILED:
    'Check the network, or point CHAOSDEMO_ENVTEST_INDEX at a mirror of the envtest release index (off: never download).',
  DOWNLOAD_CORRUPT: 'Nothing of it was kept. Try again; if it happens twice, do not trust that mirror.',
  GO_MISSING: 'Install Go from https://go.dev/dl and see that `go version` works.',
  BUILD_FAILED:
    'Read the output above; a full disk, an older Go and an unreachable module proxy are the usual causes.',
  BINARIES_UNAVAILABLE:
    'Either install Go, or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl (`setup-envtest use -p path` makes one).',
  DISK_FULL:
    'Free some gigabytes there: a build of the Kubernetes binaries needs them until it ends. Or set HOME or XDG_CACHE_HOME to a larger disk.',
  LOCK_TIMEOUT: 'If no other run is at work, delete the lock folder named above.',
  COMMAND_FAILED: 'Read what it wrote.',
  REDIS_RELEASE_MISSING:
    'On Linux and amd64, see that python3 -m pip and apt-get of Debian work and reach their packages. Elsewhere, put a redis-server of that version first in PATH and run npm test.',
  MODEL_MISSING:
    'See that python3 -m pip and npm reach their packages, or use a profile of another model: --diagnosis-profiles.',
  ENGINE_MISSING:
    'Install Docker (https://docs.docker.com/engine/install) or podman, or start its daemon; on Debian, run it as root and podman is installed. Without either, npm run demo shows the same on a bare machine.',
  CLUSTER_IMPOSSIBLE:
    'Provide what is missing, or use a machine with Docker, or with Linux and root. npm run demo needs neither.',
  IMAGE_UNAVAILABLE:
    'See that the registry can be reached, or load the image into Docker or podman beforehand. On Debian, root can have images made from this machine instead.',
  CLUSTER_EXISTS:
    'Wait until the run that made it has ended. If there is none: kind delete cluster --name, with the name of the cluster.',
  NO_CLUSTER: 'Make it: npm run kind:up',
  NO_VERDICT: 'Read the log of the operator: kubectl -n chaosdemo-system logs deploy/chaosdemo-operator',
  BROWSER_MISSING:
    'Install Chromium or Chrome and see that `chromium --version` works (Debian: apt-get install chromium fonts-dejavu-core; macOS: brew install --cask chromium).',
  RUNTIME_MISSING:
    'Install what is missing (Debian, Ubuntu: apt-get install python3-venv default-jdk-headless maven; Go: https://go.dev/dl), or take a limiter in JavaScript, which needs nothing more.',
} as const;

type ToolErrorCode = keyof typeof remedies;

/** What to do about an error with this code. */
export function fixOf(code: ToolErrorCode): Fix {
  return { code, remedy: remedies[code] };
}

/** Its `message` states what happened, `remedy` what to do. Carries no secret. */
export class ToolError extends TestbedError {
  constructor(code: ToolErrorCode, message: string, options?: { cause?: unknown }) {
    super(fixOf(code), message, options);
  }
}
