/** The operator itself on a master that real Sentinels watch: pods, a Service and a Secret, as in a cluster. */
import { registerPods, serviceObject } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { rateLimiterOf, redisRef } from '../../kit/demo.ts';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { type StartedSentinel, startSentinels, WATCHED_AS } from '../../kit/sentinels.ts';
import { scenarioOf, verdictLine } from '../../kit/status.ts';
import { World } from '../../kit/world.ts';

const DOWN_AFTER_MS = 3000;
const LABELS = { 'app.kubernetes.io/name': 'sentinel' };
const SENTINEL = {
  serviceName: 'redis-sentinel',
  masterName: WATCHED_AS,
  authSecretName: 'redis-sentinel-auth',
};

let world: World;
let sentinels: readonly StartedSentinel[];
beforeAll(async () => {
  world = await World.start('strict');
  const { controlPlane, namespace, redis, redisUsers, supervisor } = world.environment;
  const master = { ...redis, user: redisUsers.admin };
  sentinels = await startSentinels(supervisor, master, { downAfterMs: DOWN_AFTER_MS, replicas: 0 });
  await register(...sentinels);
  const { username = '', password = '' } = sentinels[0]?.target ?? {};
  await controlPlane.kubectl.apply([
    serviceObject({
      namespace,
      name: SENTINEL.serviceName,
      selector: LABELS,
      port: 26_379,
      targetPort: 'sentinel',
    }),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'chaosdemo.dev/redis-auth',
      metadata: { namespace, name: SENTINEL.authSecretName },
      stringData: { username, password },
    },
  ]);
});
afterAll(async () => {
  for (const { observer } of sentinels ?? []) observer.disconnect();
  await world?.stop();
});

/** Makes pods of them behind the Service. */
async function register(...started: readonly StartedSentinel[]): Promise<void> {
  const { controlPlane, namespace } = world.environment;
  const pods = started.map(({ pid, target: { host, podName, port } }) => ({
    namespace,
    name: podName,
    labels: LABELS,
    container: 'sentinel',
    image: 'sentinel:1',
    imageId: 'sentinel@sha256:1',
    port: { name: 'sentinel', number: port },
    ip: host,
    pid,
  }));
  await registerPods(controlPlane.kubectl, pods);
}

const watched = () => rateLimiterOf({ redis: redisRef({ sentinel: SENTINEL }) });
const outage = (countdown: string) => ({
  name: 'outage',
  type: 'StoreOutage',
  countdown,
  storeOutage: {
    fault: { type: 'Stall', duration: '2500ms' },
    callerTimeout: '1s',
    // In 2.5 s, fewer are hardly enough.
    requestsPerSecond: 10,
    settle: '2s',
    accept: ['FailsClosed'],
  },
});

describe('a ChaosDemo on a master that Sentinels watch', () => {
  it.skipIf(withoutRealTime)('runs to its verdict with 2.5 s, and no Sentinel notices', (context) =>
    keepingTime(async () => {
      const seen: string[] = [];
      for (const { target } of sentinels) {
        const subscriber = new Redis({ host: target.host, port: target.port });
        onTestFinished(() => subscriber.disconnect());
        subscriber.on('pmessage', (_pattern: string, event: string) => seen.push(event));
        await subscriber.psubscribe('*');
      }
      await world.applySpec('short', { rateLimiter: watched(), scenarios: [outage('0s')] });
      const status = await world.ended('short');
      expect(verdictLine(status)).toMatch(/^Succeeded /);
      expect(scenarioOf(status)).toMatchObject({ result: 'Held', fault: { proof: 'Confirmed' } });
      expect(seen.filter((event) => /down|switch|failover/.test(event))).toEqual([]);
    })(context),
  );
});
