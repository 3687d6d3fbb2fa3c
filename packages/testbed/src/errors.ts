/** Errors of this package. Each has a stable code for programs, and what a person can do. */

/** A code, and what to do. */
export interface Fix {
  readonly code: string;
  readonly remedy: string;
}

const remedies = {
  ASSETS_UNUSABLE: 'Point KUBEBUILDER_ASSETS at a folder with etcd, kube-apiserver and kubectl, or unset it.',
  BINARIES_MISSING:
    'Set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl (`setup-envtest use -p path` makes one).',
  REDIS_MISSING:
    'Install Redis 7 or later or Valkey and see that `redis-server --version` works (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis).',
  LOOPBACK_ALIAS_MISSING:
    'Each limiter has its own loopback address. On macOS add them: for i in 2 3 4; do sudo ifconfig lo0 alias 127.0.0.$i up; done',
  PROCESS_EXITED: 'Read the last lines of its output.',
  NOT_READY: 'Read the last lines of its output; a machine under heavy load is the usual cause.',
  KUBECTL_FAILED: 'Read the response of the API server.',
  STOPPED: 'Start a new environment.',
} as const;

/** The codes of this package. */
export type TestbedCode = keyof typeof remedies;

/** Its `message` states what happened, `remedy` what to do. Carries no secret. */
export class TestbedError extends Error {
  readonly code: string;
  readonly remedy: string;

  /** @param fix a code of this package, or one of its user with what to do */
  constructor(fix: Fix | TestbedCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    const { code, remedy } = typeof fix === 'string' ? { code: fix, remedy: remedies[fix] } : fix;
    this.code = code;
    this.remedy = remedy;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
