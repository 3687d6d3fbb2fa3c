/**
 * Runs under a Failover: a primary and a replica under three Sentinels, which the clients of the services ask for the
 * primary. `chaosdemo test` has no Sentinels, so these are pods at a real API server, with an operator.
 */
import { fileURLToPath } from 'node:url';
import { KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { REDIS_ACL } from '@chaosdemo/redis-faults';
import { type ControlPlane, registerPods, Supervisor, startControlPlane } from '@chaosdemo/testbed';
import type { ChaosDemo } from '../../src/api/index.ts';
import { readSource } from '../../src/cli/report/read.ts';
import { NO_COOLDOWN, startOperator } from '../../src/local/operator.ts';
import { userLine } from '../../test/kit/nodes-on-redis.ts';
import { authSecret, RedisUnderSentinels, SENTINEL_REF } from '../../test/kit/redis-under-sentinels.ts';
import { WATCHED_AS } from '../../test/kit/sentinels.ts';
import { ensureControlPlaneBinaries } from '../../tools/binaries/control-plane.ts';
import { DemoWatch } from '../demo-watch.ts';
import { enabledNamespace } from '../survey-all.ts';
import type { Library } from './libraries.ts';
import { startInstances } from './services.ts';

const crds = fileURLToPath(new URL('../../crds', import.meta.url));
const LABELS = { app: 'api' };
const RUN_MS = 240_000;

/** `spec.lock.redis` of a run here. */
export const SENTINEL_REDIS = {
  serviceName: 'redis',
  authSecretName: 'redis-auth',
  failover: 'Allow',
  // A client of Sentinels connects from the address of this machine.
  otherClients: 'Allow',
  sentinel: SENTINEL_REF,
};

/** What a run left. */
interface Ended {
  readonly demo: ChaosDemo;
  readonly history?: string;
}

export class FailoverStage {
  readonly #client: KubeClient;
  readonly #controlPlane: ControlPlane;
  readonly #demos: DemoWatch;
  readonly #signal: AbortSignal;
  #runs = 0;

  private constructor(controlPlane: ControlPlane, signal: AbortSignal) {
    const { kubeconfig } = controlPlane.kubectl;
    this.#client = new KubeClient(loadKubeConfig(kubeconfig));
    this.#controlPlane = controlPlane;
    this.#demos = new DemoWatch(kubeconfig);
    this.#signal = signal;
  }

  /** It ends with the supervisor. */
  static async start(supervisor: Supervisor, signal: AbortSignal): Promise<FailoverStage> {
    const progress = (line: string): void => void process.stderr.write(`${line}\n`);
    const binaries = await ensureControlPlaneBinaries({ progress, signal });
    const controlPlane = await startControlPlane({ binaries, supervisor, signal });
    await controlPlane.kubectl.applyCustomResourceDefinitions(crds, { signal });
    await startOperator({ controlPlane, supervisor }, { args: [NO_COOLDOWN], signal });
    return new FailoverStage(controlPlane, signal);
  }

  /** Runs a ChaosDemo on instances of a library, in a namespace of its own. */
  async run(library: Library, env: Readonly<Record<string, string>>, demo: object): Promise<Ended> {
    const { kubectl } = this.#controlPlane;
    const namespace = `lock-${(this.#runs += 1)}`;
    const supervisor = new Supervisor();
    let watched: RedisUnderSentinels | undefined;
    try {
      const aclUsers = [userLine('operator', `${REDIS_ACL} +client|kill`)];
      watched = await RedisUnderSentinels.start(supervisor, { aclUsers });
      const sentinels = watched.sentinels.map(({ target: { host, port } }) => `${host}:${port}`).join();
      const ofSentinels = { SENTINELS: sentinels, MASTER: WATCHED_AS };
      const instances = await startInstances(library, supervisor, () => ({ ...env, ...ofSentinels }));
      await kubectl.apply(enabledNamespace(namespace));
      await watched.register(kubectl, namespace);
      await kubectl.apply([authSecret(namespace, 'redis-auth', { username: 'operator', service: 'redis' })]);
      await registerPods(
        kubectl,
        instances.map(({ host: ip, pid = 0, port: number }, i) => ({
          namespace,
          name: `api-${i}`,
          labels: LABELS,
          container: 'api',
          image: 'local/api',
          imageId: 'local/api',
          port: { name: 'http', number },
          ip,
          pid,
        })),
      );
      const name = 'lock';
      await kubectl.apply([{ ...demo, metadata: { name, namespace } }]);
      await this.#demos.untilOver({ namespace, name }, { timeoutMs: RUN_MS, signal: this.#signal });
      return await this.#ended(namespace, name);
    } finally {
      watched?.close();
      await kubectl.run(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found']);
      await supervisor.close();
    }
  }

  async close(): Promise<void> {
    await this.#demos.close();
    await this.#client.close();
  }

  async #ended(namespace: string, name: string): Promise<Ended> {
    const { kubectl } = this.#controlPlane;
    const text = await kubectl.run(['-n', namespace, 'get', 'chaosdemo', name, '-o', 'json']);
    const demo = JSON.parse(text) as ChaosDemo;
    const { history } = await readSource(this.#client, demo, this.#signal);
    return { demo, ...(history && { history }) };
  }
}
