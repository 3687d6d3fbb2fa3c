/** The operator as a process of the embedded run: with a ServiceAccount and the shipped rights, never as the admin. */
import { join } from 'node:path';
import type { ControlPlane, OwnedProcess, Supervisor } from '@chaosdemo/testbed';
import { root } from './root.ts';

/** Namespace and ServiceAccount of manifests/operator. */
const account = { namespace: 'chaosdemo-system', name: 'chaosdemo-operator' };
/** Longer than any run of a demo; the token ends with the control plane anyway. */
const tokenSeconds = 24 * 3600;

/** The flag of an operator whose runs follow each other on one Redis without a cool-down. */
export const NO_COOLDOWN = '--fault-cooldown=0s';

export type OperatorProcess = Awaited<ReturnType<typeof spawnOperator>>;

export interface OperatorOptions {
  /** Further flags of the operator. */
  readonly args?: readonly string[];
  /** A program to run in place of the sources, such as a bundle, and its complete environment. */
  readonly program?: { readonly file: string; readonly env: NodeJS.ProcessEnv };
  readonly signal?: AbortSignal;
}

/** Applies the shipped manifests, enables the namespace `ratelimiter`, and starts the operator. */
export async function startOperator(
  { controlPlane, supervisor }: { readonly controlPlane: ControlPlane; readonly supervisor: Supervisor },
  options: OperatorOptions = {},
): Promise<OperatorProcess> {
  const { kubectl } = controlPlane;
  const call = options.signal ? { signal: options.signal } : {};
  for (const folder of ['manifests/operator', 'manifests/operator/enable-namespace']) {
    const manifest = await kubectl.run(['kustomize', join(root, folder)], call);
    await kubectl.apply(manifest, call);
  }
  return await spawnOperator({ controlPlane, supervisor, account, ...options });
}

/** The target and identity of an operator. */
export interface SpawnOptions extends Omit<OperatorOptions, 'signal'> {
  readonly controlPlane: Pick<ControlPlane, 'kubeconfigFor' | 'kubectl'>;
  readonly supervisor: Supervisor;
  /** A ServiceAccount with its rights; its namespace is that of the operator. */
  readonly account: { readonly namespace: string; readonly name: string };
}

/** Starts an operator with a token of its account. It ends with the supervisor. */
export async function spawnOperator(options: SpawnOptions) {
  const { account, args = [], controlPlane, program, supervisor } = options;
  const { name, namespace } = account;
  const token = await controlPlane.kubectl.serviceAccountToken(namespace, name, tokenSeconds);
  const kubeconfig = await controlPlane.kubeconfigFor('operator', token, namespace);
  const folder = supervisor.temporaryFolder('operator');

  const spawn = (): Promise<OwnedProcess> =>
    supervisor.start({
      name: 'operator',
      command: process.execPath,
      args: [
        program?.file ?? join(root, 'src/operator/main.ts'),
        `--kubeconfig=${kubeconfig}`,
        `--namespace=${namespace}`,
        '--http-host=127.0.0.1',
        '--http-port=0',
        ...args,
      ],
      ...(program ? { env: program.env } : {}),
      logFile: join(folder, 'operator.log'),
    });
  let running = await spawn();
  return {
    /** The current process; another one after `start`. */
    get process() {
      return running;
    },
    /** Starts it again, after it was killed. */
    async start() {
      running = await spawn();
    },
    /** SIGTERM, and time to release active pauses: slightly longer than the operator's own deadline (25 s). */
    async stop() {
      await running.stop(30_000);
    },
  };
}
