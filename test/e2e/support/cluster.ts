/** The cluster as tests see it: ChaosDemos, pods, the node, and whether Redis takes writes. */

import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { Kubectl } from '@chaosdemo/testbed';
import { inject } from 'vitest';
import { parse } from 'yaml';
import type { ChaosDemo, ChaosDemoStatus } from '../../../src/api/index.ts';
import type { LimiterMode } from '../../../src/local/limiters.ts';
import { root } from '../../../src/local/root.ts';
import { installLimiter } from '../../../tools/cluster/install.ts';
import { output } from '../../../tools/run.ts';
import { WEAKNESSES } from '../../kit/demo.ts';
import { until } from '../../kit/until.ts';
import type { ProvidedCluster } from '../global-setup.ts';
import { ARTEFACTS } from './artefacts.ts';

/** Where the operator is. */
export const SYSTEM = 'chaosdemo-system';
/** Where the rate limiter and the demos are. */
export const NAMESPACE = 'ratelimiter';

const OPERATOR_LABEL = 'app.kubernetes.io/name=chaosdemo-operator';
const LIMITER_LABEL = 'app.kubernetes.io/name=ratelimiter';
const RUN_MS = 720_000;

/** Of a pod, what tests look at. */
export interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export class Cluster {
  readonly provided: ProvidedCluster = inject('cluster');
  readonly kubectl = new Kubectl(this.provided.kubectl, this.provided.kubeconfig);
  readonly #client = new KubeClient(loadKubeConfig(this.provided.kubeconfig), { userAgent: 'e2e' });

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** kubectl in the namespace of the rate limiter. */
  async inNamespace(...args: string[]): Promise<string> {
    return await this.kubectl.run(['-n', NAMESPACE, ...args]);
  }

  /** A namespace in which the operator may run ChaosDemos, by the steps of docs/install.md. */
  async enable(namespace: string): Promise<void> {
    await this.kubectl.createNamespace(namespace, { 'chaosdemo.dev/enabled': 'true' });
    const name = 'chaosdemo-target';
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
    const operator = { kind: 'ServiceAccount', namespace: SYSTEM, name: 'chaosdemo-operator' };
    await this.kubectl.apply([
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { namespace, name },
        roleRef,
        subjects: [operator],
      },
    ]);
  }

  /** The shipped overlay, with exactly its three pods left. */
  async useLimiter(mode: LimiterMode): Promise<void> {
    await installLimiter(this.kubectl, mode, this.provided.images, {});
    await until(async () => (await this.limiterPods()).length === 3, { what: 'three pods of the limiter' });
  }

  /** A sample as it is shipped, under another name. */
  async apply(file: string, name: string): Promise<void> {
    const text = await readFile(join(root, 'manifests/samples', file), 'utf8');
    const demo = parse(text) as ChaosDemo;
    await this.kubectl.apply([{ ...demo, metadata: { ...demo.metadata, name } }]);
  }

  /** manifests/samples/minimal.yaml under another name, with this in its spec. */
  async applySpec(
    name: string,
    spec: { rateLimiter?: object; [field: string]: unknown },
    namespace = NAMESPACE,
  ): Promise<void> {
    const text = await readFile(join(root, 'manifests/samples/minimal.yaml'), 'utf8');
    const demo = parse(text) as { metadata: object; spec: { rateLimiter: object } };
    const rateLimiter = { ...demo.spec.rateLimiter, ...spec.rateLimiter };
    await this.kubectl.apply([
      {
        ...demo,
        metadata: { ...demo.metadata, name, namespace },
        spec: { ...demo.spec, scenarios: WEAKNESSES, ...spec, rateLimiter },
      },
    ]);
  }

  /** A merge patch, sent without the time that it takes to start kubectl. */
  async patch(name: string, body: object): Promise<void> {
    await this.#client.request({
      method: 'PATCH',
      path: `/apis/chaosdemo.dev/v1alpha1/namespaces/${NAMESPACE}/chaosdemos/${name}`,
      contentType: 'application/merge-patch+json',
      body,
    });
  }

  async status(name: string): Promise<ChaosDemoStatus> {
    return (await this.kubectl.json<ChaosDemo>(['-n', NAMESPACE, 'get', 'chaosdemo', name])).status ?? {};
  }

  async untilStatus(
    name: string,
    what: string,
    holds: (status: ChaosDemoStatus) => boolean,
  ): Promise<ChaosDemoStatus> {
    const seen = await until(
      async () => {
        const status = await this.status(name);
        return holds(status) || status.run?.completedAt !== undefined ? status : undefined;
      },
      { deadlineMs: RUN_MS, what: `${what} of ${name}` },
    );
    if (!holds(seen)) throw new Error(`${name} ended before ${what}: ${seen.phase}, ${seen.message}`);
    return seen;
  }

  /** Waits for the verdict, and keeps the whole object as an artefact. */
  async ended(name: string): Promise<ChaosDemoStatus> {
    await this.inNamespace('wait', `chaosdemo/${name}`, '--for=condition=Finished', `--timeout=${RUN_MS}ms`);
    await this.keep(`${name}.yaml`, await this.inNamespace('get', 'chaosdemo', name, '-o', 'yaml'));
    return await this.status(name);
  }

  /** Until a fault of this scenario is proven to be on. */
  async untilPaused(name: string): Promise<ChaosDemoStatus> {
    return await this.untilStatus(name, 'the pause', ({ scenarios }) => {
      const fault = scenarios?.[0]?.fault;
      return fault?.proof === 'Confirmed' && fault.endedAt === undefined;
    });
  }

  async limiterPods(): Promise<Pod[]> {
    return await this.#pods(NAMESPACE, LIMITER_LABEL);
  }

  async operatorPods(): Promise<Pod[]> {
    return await this.#pods(SYSTEM, OPERATOR_LABEL);
  }

  async #pods(namespace: string, selector: string): Promise<Pod[]> {
    return (await this.kubectl.json<{ items: Pod[] }>(['-n', namespace, 'get', 'pods', '-l', selector]))
      .items;
  }

  /** Name of the pod that holds the leader's Lease. */
  async leader(): Promise<string> {
    const get = ['-n', SYSTEM, 'get', 'lease', 'chaosdemo-operator'];
    const lease = await this.kubectl.json<{ spec: { holderIdentity?: string } }>(get);
    return lease.spec.holderIdentity ?? '';
  }

  /** /metrics of a pod of the operator, through the API server. */
  async metrics(pod: string): Promise<string> {
    return await this.kubectl.run([
      'get',
      '--raw',
      `/api/v1/namespaces/${SYSTEM}/pods/${pod}:8080/proxy/metrics`,
    ]);
  }

  /** Has a limiter count a request, and waits until Redis has the count. @throws while Redis takes no writes */
  async writeThroughLimiter(): Promise<void> {
    const pod = (await this.limiterPods()).find(isReady);
    if (!pod) throw new Error('no pod of the limiter is Ready');
    const proxy = `/api/v1/namespaces/${NAMESPACE}/pods/${pod.metadata.name}:8080/proxy`;
    const key = `write-probe-${Date.now()}`;
    await this.#client.request({ method: 'POST', path: `${proxy}/check`, body: { key } });
    const isCounted = async (): Promise<boolean> => {
      const path = `${proxy}/counter`;
      const { synced } = await this.#client.request<{ synced: number }>({
        method: 'GET',
        path,
        query: { key },
      });
      return synced === 1;
    };
    await until(isCounted, { what: 'Redis to have the count of a request' });
  }

  /** How often Redis was paused since it started, by its own statistics. Queried between runs, as in docs/troubleshooting.md. */
  async pauses(): Promise<number> {
    const password = await this.inNamespace(
      'get',
      'secret',
      'redis-observer',
      '-o',
      'jsonpath={.data.password}',
    );
    const login = [
      '--no-auth-warning',
      '--user',
      'observer',
      '--pass',
      Buffer.from(password, 'base64').toString(),
    ];
    const said = await this.inNamespace(
      'exec',
      'redis-0',
      '--',
      'redis-cli',
      ...login,
      'INFO',
      'commandstats',
    );
    return Number(/cmdstat_client\|pause:calls=(\d+)/.exec(said)?.[1] ?? 0);
  }

  /** Runs a shell command in the node. */
  async onNode(command: string): Promise<string> {
    const { engine, engineEnv, node } = this.provided;
    return await output(engine, ['exec', node, 'sh', '-c', command], {
      env: { ...process.env, ...engineEnv },
    });
  }

  /** Process id, in the node, of the operator of a pod. */
  async operatorProcess(pod: string): Promise<number> {
    const search = `grep -lz "^POD_NAME=${pod}$" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3`;
    const found = (await this.onNode(`${search} || true`)).trim().split('\n').map(Number);
    if (found.length !== 1 || !found[0]) throw new Error(`processes of ${pod}: ${found.join(' ')}`);
    return found[0];
  }

  /** Writes an artefact. */
  async keep(name: string, text: string): Promise<void> {
    await writeFile(join(ARTEFACTS, name), text);
  }

  /** `kubectl get -w` into an artefact, from now until the row of the verdict. Returns the rows. */
  async watchToTheEnd(name: string, file: string): Promise<string[]> {
    const { kubectl, kubeconfig } = this.provided;
    const args = ['--kubeconfig', kubeconfig, '-n', NAMESPACE, 'get', 'chaosdemo', name, '-w'];
    const rows = spawn(kubectl, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const path = join(ARTEFACTS, file);
    rows.stdout.pipe(createWriteStream(path));
    try {
      const ended = new RegExp(`^${name}\\s+(Succeeded|Failed|Errored|Aborted)`, 'm');
      await until(async () => ended.test(await readFile(path, 'utf8')), {
        deadlineMs: RUN_MS,
        what: `the row of the verdict on ${name}`,
      });
    } finally {
      rows.kill();
    }
    return (await readFile(path, 'utf8')).trimEnd().split('\n');
  }

  /** Whether the API server would refuse this, and why. */
  async refusal(manifest: object): Promise<string> {
    try {
      await this.kubectl.run(['apply', '--server-side', '--dry-run=server', '-f', '-'], {
        input: JSON.stringify(manifest),
      });
      return '';
    } catch (error) {
      return String(error);
    }
  }

  /** helm against this cluster. */
  async helm(...args: string[]): Promise<string> {
    return await output(this.provided.helm, args, {
      env: { ...process.env, KUBECONFIG: this.provided.kubeconfig },
    });
  }

  /** Whether the API server has this. */
  async has(...what: string[]): Promise<boolean> {
    const found = await this.kubectl.run(['get', ...what, '--ignore-not-found', '-o', 'name']);
    return found.trim() !== '';
  }
}

export function isReady({ metadata, status }: Pod): boolean {
  const ready = status.conditions?.some(
    (condition) => condition.type === 'Ready' && condition.status === 'True',
  );
  return ready === true && metadata.deletionTimestamp === undefined;
}
