/** What every topology has: an API, a login of the operator, and a ChaosDemo with store outages. */
import type { ChaosDemo, ChaosDemoStatus } from '../../../src/api/index.ts';
import { REDIS_ACL } from '../../../src/subjects/redis/client/advice.ts';
import { userLine } from '../../kit/nodes-on-redis.ts';
import type { Cluster } from '../support/cluster.ts';
import { HARDENED, RESTRICTED, workload } from '../support/your-api.ts';

/** Password of the user that `userLine` makes. */
const PASSWORD = 'secret';
const OPERATOR = 'operator';
const LIMIT = 10;
const WINDOW_SECONDS = 15;
const SECRET = 'redis-auth';

/** The line of the operator's user in redis.conf, with the documented rights and these. */
export const userWith = (rights: string): string => userLine(OPERATOR, `${REDIS_ACL} ${rights}`);

/** The line of its user in the configuration of a Sentinel. */
export const userOf = (rights: string): string => userLine(OPERATOR, rights);

/** Two pods of limiter.ts. @param store see there */
export function apiObjects(
  namespace: string,
  image: string,
  store: object,
  windowSeconds = WINDOW_SECONDS,
): object[] {
  const env = { PORT: 8080, LIMIT, WINDOW_SECONDS: windowSeconds, STORE: JSON.stringify(store) };
  const container = {
    name: 'api',
    image,
    imagePullPolicy: 'IfNotPresent',
    env: Object.entries(env).map(([name, value]) => ({ name, value: String(value) })),
    ports: [{ name: 'http', containerPort: env.PORT }],
    readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 1 },
    securityContext: HARDENED,
  };
  return workload(namespace, container, 2);
}

/** @param services that the login may be used for */
export function loginFor(namespace: string, services: readonly string[]): object {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'chaosdemo.dev/redis-auth',
    metadata: { namespace, name: SECRET },
    stringData: { username: OPERATOR, password: PASSWORD, service: services.join(' ') },
  };
}

/** A headless Service of all pods of a StatefulSet, as charts have it. */
export function headless(namespace: string, name: string, ports: readonly object[]): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name },
    spec: { clusterIP: 'None', publishNotReadyAddresses: true, selector: labelsOf(name), ports },
  };
}

/** A StatefulSet behind the headless Service of its name. @param pod its containers and volumes */
export function statefulSet(namespace: string, name: string, replicas: number, pod: object): object {
  const labels = labelsOf(name);
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { namespace, name },
    spec: {
      serviceName: name,
      replicas,
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { ...RESTRICTED, ...pod } },
    },
  };
}

const labelsOf = (name: string): Record<string, string> => ({ 'app.kubernetes.io/name': name });

/** A container of a pod that has the volume `data`. As in usual charts, a probe connects by redis-cli. */
export function redisContainer(
  name: string,
  image: string,
  port: number,
  command: readonly string[],
): Record<string, unknown> {
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command,
    ports: [{ name, containerPort: port }],
    readinessProbe: { exec: { command: ['redis-cli', '-p', `${port}`, 'ping'] }, periodSeconds: 5 },
    securityContext: HARDENED,
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  };
}

/** A ChaosDemo with one store outage for each fault. @param redis `rateLimiter.redis`, without the login */
export function outageDemo(
  namespace: string,
  redis: object,
  faults: readonly { readonly type: string; readonly duration: string; readonly latency?: string }[],
  {
    accept = ['FailsClosed'],
    name = 'outage',
    settle = '2s',
    windowSeconds = WINDOW_SECONDS,
  }: { accept?: string[]; name?: string; settle?: string; windowSeconds?: number } = {},
): ChaosDemo {
  const storeOutage = { callerTimeout: '1s', settle };
  const loses = (type: string): boolean => type === 'DataLoss' || type === 'Failover';
  const spec = {
    rateLimiter: {
      selector: { matchLabels: labelsOf('api') },
      port: 'http',
      http: { headers: [{ name: 'x-api-key', value: '$(key)' }] },
      health: { path: '/healthz' },
      limit: {
        requests: LIMIT,
        window: `${windowSeconds}s`,
        algorithm: 'FixedWindow',
        windowStart: 'FirstRequest',
      },
      redis: { authSecretName: SECRET, ...redis },
    },
    scenarios: faults.map((fault) => ({
      name: fault.type.toLowerCase(),
      type: 'StoreOutage',
      countdown: '1s',
      storeOutage: {
        ...storeOutage,
        fault,
        accept: accept.filter((one) => one !== 'Forgets' || loses(fault.type)),
      },
    })),
    pace: { mode: 'Auto', dwell: '0s' },
  };
  const metadata = { namespace, name };
  return { apiVersion: 'chaosdemo.dev/v1alpha1', kind: 'ChaosDemo', metadata, spec } as unknown as ChaosDemo;
}

/** Applies it, and waits for the verdict. The whole object is an artefact. */
export async function ended(cluster: Cluster, demo: ChaosDemo): Promise<ChaosDemoStatus> {
  const { name, namespace } = demo.metadata;
  await cluster.kubectl.apply([demo]);
  const about = ['-n', namespace, `chaosdemo/${name}`];
  await cluster.kubectl.run(['wait', ...about, '--for=condition=Finished', '--timeout=300s']);
  const { status = {} } = await cluster.kubectl.json<ChaosDemo>(['get', ...about]);
  await cluster.keep(`${namespace}-${name}.json`, `${JSON.stringify(status, null, 2)}\n`);
  return status;
}

/** kubectl in a namespace. */
export class Namespace {
  readonly name: string;
  readonly #cluster: Cluster;

  constructor(cluster: Cluster, name: string) {
    this.#cluster = cluster;
    this.name = name;
  }

  async run(...args: string[]): Promise<string> {
    return await this.#cluster.kubectl.run(['-n', this.name, ...args]);
  }

  /** Waits until all pods of a workload are Ready, such as `deployment/api`. */
  async untilReady(workload: string): Promise<void> {
    await this.run('rollout', 'status', workload, '--timeout=180s');
  }

  /** redis-cli in a pod. */
  async redisCli(pod: string, ...args: string[]): Promise<string> {
    return await this.run('exec', pod, '-c', 'redis', '--', 'redis-cli', ...args);
  }

  async delete(): Promise<void> {
    await this.#cluster.kubectl.run(['delete', 'namespace', this.name, '--timeout=120s']);
  }
}
