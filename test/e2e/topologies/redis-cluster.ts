/** A Redis Cluster of three primaries and three replicas that announce their host names, behind one headless Service. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keepingTime } from '../../kit/pace.ts';
import { verdictLine } from '../../kit/status.ts';
import { until } from '../../kit/until.ts';
import type { Cluster } from '../support/cluster.ts';
import {
  apiObjects,
  ended,
  headless,
  loginFor,
  Namespace,
  outageDemo,
  redisContainer,
  statefulSet,
  userWith,
} from './target.ts';

const NAMESPACE = 'redis-cluster';
const PODS = Array.from({ length: 6 }, (_, i) => `redis-${i}`);
const PORT = 6379;
const STORE = { cluster: [{ host: 'redis', port: PORT }] };
/** No scenario waits for the end of so long a window, and a DataLoss needs that none ends. */
const WINDOW = { windowSeconds: 120 };
const ROLES = [...Array<string>(3).fill('master'), ...Array<string>(3).fill('slave')];
/** A silent node fails after this; milliseconds. */
const NODE_TIMEOUT_MS = 5000;
/** Twice that. */
const FAULT = { type: 'Stall', duration: '10s' };

const CONFIGURATION = [
  `port ${PORT}`,
  'save ""',
  'dir /data',
  'protected-mode no',
  'cluster-enabled yes',
  `cluster-node-timeout ${NODE_TIMEOUT_MS}`,
  'cluster-preferred-endpoint-type hostname',
  userWith('+cluster|nodes +cluster|failover +client|kill +unlink ~rl:*'),
  '',
].join('\n');

function objects(redis: string): object[] {
  const host = `$(POD_NAME).redis.${NAMESPACE}.svc.cluster.local`;
  const announced = ['--cluster-announce-ip', '$(POD_IP)', '--cluster-announce-hostname', host];
  const container = redisContainer('redis', redis, PORT, [
    'redis-server',
    '/etc/redis/redis.conf',
    ...announced,
  ]);
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: NAMESPACE, name: 'redis' },
      data: { 'redis.conf': CONFIGURATION },
    },
    headless(NAMESPACE, 'redis', [{ name: 'redis', port: PORT, targetPort: 'redis' }]),
    statefulSet(NAMESPACE, 'redis', PODS.length, {
      containers: [
        {
          ...container,
          env: [field('POD_NAME', 'metadata.name'), field('POD_IP', 'status.podIP')],
          volumeMounts: [
            { name: 'data', mountPath: '/data' },
            { name: 'config', mountPath: '/etc/redis' },
          ],
        },
      ],
      volumes: [
        { name: 'data', emptyDir: {} },
        { name: 'config', configMap: { name: 'redis' } },
      ],
    }),
    loginFor(NAMESPACE, ['redis']),
  ];
}

export function redisCluster(cluster: Cluster, image: () => string): void {
  const namespace = new Namespace(cluster, NAMESPACE);
  /** Of each pod: its role, and how often it was paused. */
  const nodes = async () =>
    await Promise.all(
      PODS.map(async (pod) => {
        const info = await namespace.redisCli(pod, 'INFO', 'everything');
        const field = (name: string): string => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1] ?? '';
        const pauses = Number(/cmdstat_client\|pause:calls=(\d+)/.exec(info)?.[1] ?? 0);
        return { run: field('run_id'), role: field('role'), link: field('master_link_status'), pauses };
      }),
    );

  beforeAll(async () => {
    await cluster.enable(NAMESPACE);
    await cluster.kubectl.apply(objects(cluster.provided.images.redis));
    await namespace.untilReady('statefulset/redis');
    const ips = await namespace.run(
      'get',
      'pods',
      '-l',
      'app.kubernetes.io/name=redis',
      '-o',
      'jsonpath={.items[*].status.podIP}',
    );
    const servers = ips.split(' ').map((ip) => `${ip}:${PORT}`);
    await namespace.redisCli(
      'redis-0',
      '--cluster',
      'create',
      ...servers,
      '--cluster-replicas',
      '1',
      '--cluster-yes',
    );
    await until(
      async () => {
        const links = (await nodes()).map(({ link, role }) => `${role} ${link}`).toSorted();
        return links.join() === [...Array(3).fill('master '), ...Array(3).fill('slave up')].join();
      },
      { what: 'three replicas in sync', deadlineMs: 120_000, everyMs: 500 },
    );
    await cluster.kubectl.apply(apiObjects(NAMESPACE, image(), STORE, WINDOW.windowSeconds));
    await namespace.untilReady('deployment/api');
  });
  afterAll(() => namespace.delete());

  it(
    'a Stall pauses all primaries once and reaches a verdict, and no node fails over',
    keepingTime(async () => {
      const before = await nodes();
      const status = await ended(cluster, outageDemo(NAMESPACE, { service: 'redis' }, [FAULT], WINDOW));
      expect(verdictLine(status)).toMatch(/^Succeeded ExpectationsMet/);
      expect(status.scenarios).toMatchObject([
        { result: 'Held', summary: 'FailsClosed', fault: { proof: 'Confirmed' } },
      ]);
      const paused = before.map((node) => ({
        ...node,
        pauses: node.pauses + (node.role === 'master' ? 1 : 0),
      }));
      expect(await nodes()).toEqual(paused);
      for (const pod of PODS) expect(await namespace.redisCli(pod, 'CLUSTER', 'NODES')).not.toMatch(/fail/);
      expect(logs(await Promise.all(PODS.map((pod) => namespace.run('logs', pod))))).toEqual([]);
    }),
  );

  it(
    'a Disconnect, a Latency and a DataLoss reach all primaries',
    keepingTime(async () => {
      const faults = [
        { type: 'Disconnect', duration: '5s' },
        { type: 'Latency', duration: '5s', latency: '100ms' },
        { type: 'DataLoss', duration: '5s' },
      ];
      const redis = { service: 'redis', count: { key: 'rl:$(key)' } };
      const options = { ...WINDOW, name: 'others', accept: ['Enforces', 'FailsClosed', 'Forgets'] };
      const status = await ended(cluster, outageDemo(NAMESPACE, redis, faults, options));
      expect(verdictLine(status)).toMatch(/^Succeeded ExpectationsMet/);
      expect(status.scenarios).toMatchObject([
        { result: 'Held', summary: 'FailsClosed', fault: { proof: 'Confirmed' } },
        { result: 'Held', summary: 'Enforces', fault: { proof: 'Confirmed' } },
        { result: 'Held', summary: expect.stringMatching(/^Forgets/), fault: { proof: 'Confirmed' } },
      ]);
      expect((await nodes()).map(({ role }) => role).toSorted()).toEqual(ROLES);
    }),
  );

  it(
    'a Failover swaps each primary with its replica, and the limit is kept',
    keepingTime(async () => {
      const before = await nodes();
      const fault = { type: 'Failover', duration: '5s' };
      const redis = { service: 'redis', failover: 'Allow' };
      const options = { ...WINDOW, name: 'failover', accept: ['Enforces'] };
      const status = await ended(cluster, outageDemo(NAMESPACE, redis, [fault], options));
      expect(verdictLine(status)).toMatch(/^Succeeded ExpectationsMet/);
      expect(status.scenarios).toMatchObject([{ result: 'Held', fault: { proof: 'Confirmed' } }]);
      const swapped = before.map(({ role }) => (role === 'master' ? 'slave' : 'master'));
      expect((await nodes()).map(({ role }) => role)).toEqual(swapped);
    }),
  );

  it(
    'pods that a liveness probe restarts in a fault are named, and recover',
    keepingTime(async () => {
      const probe = { httpGet: { path: '/ping', port: 'http' }, periodSeconds: 1 };
      const probes = {
        livenessProbe: { ...probe, failureThreshold: 1 },
        // Longer than the fault: a container that starts in it is not checked, and so not restarted again.
        startupProbe: { ...probe, initialDelaySeconds: 20 },
      };
      const template = { spec: { containers: [{ name: 'api', ...probes }] } };
      await namespace.run('patch', 'deployment/api', '--patch', JSON.stringify({ spec: { template } }));
      await namespace.untilReady('deployment/api');
      const demo = outageDemo(NAMESPACE, { service: 'redis' }, [{ type: 'Disconnect', duration: '15s' }], {
        ...WINDOW,
        name: 'restarted',
        accept: ['FailsClosed', 'Mixed'],
        settle: '5s',
      });
      const status = await ended(cluster, demo);
      expect(verdictLine(status)).toMatch(/^Succeeded ExpectationsMet/);
      const [{ evidence = [] } = {}] = status.scenarios ?? [];
      expect(evidence).toContainEqual(expect.stringMatching(/^api-.* restarted during the fault/));
    }),
  );
}

/** Lines of logs about a failed node or a failover. */
function logs(all: readonly string[]): string[] {
  return all.flatMap((log) => log.split('\n').filter((line) => /FAIL|[Ff]ailover|[Ee]lection/.test(line)));
}
