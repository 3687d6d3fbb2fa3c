/**
 * Three pods, each with a Redis and a Sentinel that announce their host names, and a Service that selects the primary by
 * a label: the layout of the usual chart. The API finds the primary by the Sentinels.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SENTINEL_ACL } from '../../../src/subjects/redis/admission/sentinels.ts';
import { keepingTime } from '../../kit/pace.ts';
import { verdictLine } from '../../kit/status.ts';
import { until } from '../../kit/until.ts';
import type { Cluster } from '../support/cluster.ts';
import { HARDENED } from '../support/your-api.ts';
import {
  apiObjects,
  ended,
  headless,
  loginFor,
  Namespace,
  outageDemo,
  redisContainer,
  statefulSet,
  userOf,
  userWith,
} from './target.ts';

const NAMESPACE = 'sentinel';
const MASTER = 'mymaster';
const PODS = ['redis-0', 'redis-1', 'redis-2'];
const DOWN_AFTER_MS = 5000;
/** Close to the longest that the Sentinels permit. */
const FAULT = '4s';
const PORTS = { redis: 6379, sentinel: 26_379 };
const ofPrimary = { isMaster: 'true' };
const REDIS = {
  service: 'redis-primary',
  sentinel: { service: 'redis', masterName: MASTER, authSecretName: 'redis-auth' },
};

/** Writes both configurations, once the name of the first primary is known to DNS. A Sentinel changes its own. */
const configure = `
import { lookup } from 'node:dns/promises';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
const domain = 'redis.${NAMESPACE}.svc.cluster.local';
const own = process.env.POD_NAME + '.' + domain;
const primary = 'redis-0.' + domain;
while (!(await lookup(primary).catch(() => undefined))) await sleep(500);
await writeFile('/data/redis.conf', [
  'port ${PORTS.redis}', 'save ""', 'dir /data', 'protected-mode no', 'replica-announce-ip ' + own,
  ${JSON.stringify(userWith('+client|kill'))},
  ...(own === primary ? [] : ['replicaof ' + primary + ' ${PORTS.redis}']), ''].join('\\n'));
await writeFile('/data/sentinel.conf', [
  'port ${PORTS.sentinel}', 'dir /data', 'protected-mode no',
  ${JSON.stringify(userOf(`${SENTINEL_ACL} +sentinel|failover`))},
  'sentinel resolve-hostnames yes', 'sentinel announce-hostnames yes', 'sentinel announce-ip ' + own,
  'sentinel monitor ${MASTER} ' + primary + ' ${PORTS.redis} 2',
  'sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}', ''].join('\\n'));
`;

/** @param node an image whose entrypoint is Node */
function objects(redis: string, node: string): object[] {
  const ports = Object.entries(PORTS).map(([name, port]) => ({ name, port, targetPort: name }));
  const sentinel = ['redis-server', '/data/sentinel.conf', '--sentinel'];
  return [
    headless(NAMESPACE, 'redis', ports),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: NAMESPACE, name: 'redis-primary' },
      spec: { selector: { 'app.kubernetes.io/name': 'redis', ...ofPrimary }, ports: ports.slice(0, 1) },
    },
    statefulSet(NAMESPACE, 'redis', PODS.length, {
      initContainers: [
        {
          name: 'configure',
          image: node,
          imagePullPolicy: 'IfNotPresent',
          args: ['--input-type=module', '--eval', configure],
          env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          securityContext: HARDENED,
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      containers: [
        redisContainer('redis', redis, PORTS.redis, ['redis-server', '/data/redis.conf']),
        redisContainer('sentinel', redis, PORTS.sentinel, sentinel),
      ],
      volumes: [{ name: 'data', emptyDir: {} }],
    }),
    loginFor(NAMESPACE, ['redis', 'redis-primary']),
  ];
}

export function sentinels(cluster: Cluster, image: () => string): void {
  const namespace = new Namespace(cluster, NAMESPACE);
  const watched = async (pod: string): Promise<ReadonlyMap<string, string>> => {
    const reply = await namespace.redisCli(pod, '-p', `${PORTS.sentinel}`, 'SENTINEL', 'MASTER', MASTER);
    const lines = reply.split('\n');
    return new Map(lines.flatMap((name, i) => (i % 2 === 0 ? [[name, lines[i + 1] ?? ''] as const] : [])));
  };
  /** Each event of a Sentinel is a line of its log. */
  const failures = async (): Promise<string[]> => {
    const logs = await Promise.all(PODS.map((pod) => namespace.run('logs', pod, '-c', 'sentinel')));
    return logs.flatMap((log) =>
      log.split('\n').filter((line) => /[+-](\w*down|\w*failover|switch)/.test(line)),
    );
  };
  /** What a failover or a resync would change. */
  const replication = async () =>
    await Promise.all(
      PODS.map(async (pod) => {
        const info = await namespace.redisCli(pod, 'INFO');
        return info.match(/^(run_id|role|master_host|master_replid|connected_slaves|sync_\w+):.*$/gm);
      }),
    );

  beforeAll(async () => {
    await cluster.enable(NAMESPACE);
    await cluster.kubectl.apply(objects(cluster.provided.images.redis, image()));
    await namespace.untilReady('statefulset/redis');
    await namespace.run('label', 'pod', 'redis-0', 'isMaster=true');
    for (const pod of PODS) {
      await until(
        async () => {
          const state = await watched(pod);
          const knows = `${state.get('num-other-sentinels')} ${state.get('num-slaves')}`;
          return knows === '2 2' && state.get('flags') === 'master';
        },
        { what: 'the Sentinels to know each other', deadlineMs: 120_000, everyMs: 500 },
      );
    }
    const store = { redis: { sentinels: [{ host: 'redis', port: PORTS.sentinel }], name: MASTER } };
    await cluster.kubectl.apply(apiObjects(NAMESPACE, image(), store));
    await namespace.untilReady('deployment/api');
  });
  afterAll(() => namespace.delete());

  it(
    'a Stall and a Disconnect reach a verdict, and no Sentinel notices',
    keepingTime(async () => {
      const [servers, events] = [await replication(), await failures()];
      expect(servers[0]).toContain('role:master');
      const faults = [
        { type: 'Stall', duration: FAULT },
        { type: 'Disconnect', duration: FAULT },
      ];
      const status = await ended(cluster, outageDemo(NAMESPACE, REDIS, faults));
      expect(verdictLine(status)).toMatch(/^Succeeded ExpectationsMet/);
      for (const scenario of status.scenarios ?? []) {
        expect(scenario).toMatchObject({
          result: 'Held',
          summary: 'FailsClosed',
          fault: { proof: 'Confirmed' },
        });
      }
      expect(await failures()).toEqual(events);
      expect(await replication()).toEqual(servers);
      for (const pod of PODS) expect((await watched(pod)).get('flags')).toBe('master');
    }),
  );

  it(
    'a Failover is sent once, and followed by the label of the primary',
    keepingTime(async () => {
      const fault = { type: 'Failover', duration: '20s' };
      const demo = outageDemo(NAMESPACE, { ...REDIS, failover: 'Allow' }, [fault], {
        name: 'failover',
        accept: ['Enforces', 'Forgets', 'FailsClosed'],
      });
      const [status] = await Promise.all([ended(cluster, demo), relabel()]);
      expect(verdictLine(status)).toMatch(/^Succeeded ExpectationsMet/);
      expect(status.scenarios).toMatchObject([{ result: 'Held', fault: { proof: 'Confirmed' } }]);
      expect((await watched('redis-2')).get('config-epoch')).toBe('1');
      const roles = await Promise.all(PODS.map((pod) => namespace.redisCli(pod, 'ROLE')));
      expect(roles.map((role) => role.split('\n')[0]).filter((role) => role === 'master')).toHaveLength(1);
      expect(roles[0]).toMatch(/^slave/);
    }),
  );

  /** As an operator of Redis: once the Sentinels have switched, the label moves to the new primary. */
  async function relabel(): Promise<void> {
    const primary = await until(
      async () => {
        const [host = ''] = (await watched('redis-2')).get('ip')?.split('.') ?? [];
        return host === 'redis-0' ? undefined : host;
      },
      { what: 'a failover', deadlineMs: 300_000, everyMs: 500 },
    );
    await namespace.run('label', 'pod', 'redis-0', 'isMaster-');
    await namespace.run('label', 'pod', primary, 'isMaster=true');
  }
}
