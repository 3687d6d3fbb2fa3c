/** Faults of a fault proxy by an operator: whole runs, an abort, and operators that are killed during a fault. */

import { randomBytes } from 'node:crypto';
import { type RedisServer, registerPods, serviceObject, startRedis } from '@chaosdemo/testbed';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChaosDemoStatus } from '../../src/api/index.ts';
import { accepts } from '../../src/local/address.ts';
import { aclLines, makeRedisUsers } from '../../src/local/redis-users.ts';
import { redisPod } from '../../src/local/target.ts';
import { rateLimiterOf } from '../kit/demo.ts';
import { type RunningProxy, startFaultProxy, TOKEN } from '../kit/fault-proxy.ts';
import { isNightly, rows } from '../kit/nightly.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { isConfirmed, scenarioOf, verdictLine } from '../kit/status.ts';
import { until } from '../kit/until.ts';
import { World } from '../kit/world.ts';

const NAMESPACE = `proxied-${randomBytes(4).toString('hex')}`;
const LABELS = { 'app.kubernetes.io/name': 'redis-upstream' };
const auth = (name: string, data: object): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'chaosdemo.dev/redis-auth',
  metadata: { namespace: NAMESPACE, name },
  stringData: data,
});

/** All but the rights to pause: some providers permit these to no user. */
const MANAGED = { username: 'managed', password: 'of-the-managed-redis' };
const RIGHTS =
  '-@all +client|list +watch +multi +exec +ping +info +time +set +get +hvals ~chaosdemo:probe:* %R~rl:* resetchannels';

let world: World;
let proxied: World;
let redis: RedisServer;
let proxy: RunningProxy;
beforeAll(async () => {
  world = await World.start('strict', { otherNamespaces: [NAMESPACE] });
  const users = makeRedisUsers();
  const managed = `user ${MANAGED.username} on >${MANAGED.password} ${RIGHTS}`;
  redis = await startRedis({ aclUsers: [...aclLines(users), managed] });
  proxy = await startFaultProxy(redis);
  // The pod and the Service that the limiters know as `redis` are those of the proxy.
  const { host, port } = proxy;
  const front: RedisServer = { ...redis, host, port, stop: async () => redis.stop() };
  const own = { redis: front, limiterUser: users.limiter, secret: { ...users.operator } };
  proxied = await world.addTarget(NAMESPACE, 'strict', { own });
  const { kubectl } = world.environment.controlPlane;
  const upstream = { ...redisPod(NAMESPACE, redis), name: 'redis-upstream-0', labels: LABELS };
  await registerPods(kubectl, [upstream]);
  const ofProxy = (name: string, port: number, targetPort: number): object => {
    const selector = { 'app.kubernetes.io/name': 'redis' };
    const service = serviceObject({ namespace: NAMESPACE, name, selector, port, targetPort: 'tcp' });
    const { spec } = service as { spec: { ports: { targetPort: number | string }[] } };
    for (const each of spec.ports) each.targetPort = targetPort;
    return service;
  };
  await kubectl.apply([
    ofProxy('fault-proxy', 8474, proxy.controlPort),
    ofProxy('redis-direct', 6379, proxy.directPort),
    auth('managed', { ...MANAGED, service: 'redis-direct' }),
    serviceObject({
      namespace: NAMESPACE,
      name: 'redis-upstream',
      selector: LABELS,
      port: 6379,
      targetPort: 'redis',
    }),
    auth('upstream', { ...users.operator, service: 'redis-upstream' }),
    auth('fault-proxy-auth', { password: TOKEN }),
    auth('another', { password: 'another-token-of-the-tests', service: 'fault-proxy' }),
  ]);
});
afterAll(async () => {
  await world?.stop();
  await proxy?.kill();
});

/** A spec with one such fault, through the proxy. */
function specOf(
  fault: { readonly type: string; readonly via?: string; readonly duration: string },
  { secret = 'fault-proxy-auth', isManaged = false } = {},
): object {
  const redisRef = {
    serviceName: isManaged ? 'redis-direct' : 'redis-upstream',
    authSecretName: isManaged ? 'managed' : 'upstream',
    faultProxy: { serviceName: 'fault-proxy', authSecretName: secret },
  };
  const scenario = (name: string, of: object, accept: string) => {
    const storeOutage = { fault: of, callerTimeout: '1s', settle: '2s', accept: [accept] };
    return { name, type: 'StoreOutage', expect: 'Held', countdown: '3s', storeOutage };
  };
  const latency = { type: 'Latency', duration: '4s', latency: '300ms' };
  return {
    rateLimiter: rateLimiterOf({ redis: redisRef }),
    scenarios: [
      scenario('outage', fault, 'FailsClosed'),
      ...(isManaged && isNightly ? [scenario('slow', latency, 'Enforces')] : []),
    ],
  };
}

describe.skipIf(withoutRealTime)('an operator with a fault proxy', () => {
  it.runIf(isNightly)('reaches a verdict on limiters whose Redis refuses connections', (context) =>
    keepingTime(async () => {
      await proxied.applySpec('refused', specOf({ type: 'Refuse', duration: '5s' }));
      const status = await proxied.ended('refused');
      expect(status).toMatchObject({ phase: 'Succeeded' });
      expect(scenarioOf(status)).toMatchObject({ result: 'Held', summary: 'FailsClosed' });
      expect(scenarioOf(status).fault).toMatchObject({ proof: 'Confirmed' });
      expect(await proxy.get('/fault')).toMatchObject({ faults: 1, fault: null });
    })(context),
  );

  it('reaches verdicts on a managed Redis, without the right to pause it', (context) =>
    keepingTime(async () => {
      const before = Number((await proxy.get('/fault'))['faults']);
      const spec = specOf({ type: 'Stall', via: 'Proxy', duration: '4s' }, { isManaged: true });
      await proxied.applySpec('managed', spec);
      const status = await proxied.ended('managed');
      expect(verdictLine(status)).toMatch(/^Succeeded/);
      expect(scenarioOf(status, 'outage')).toMatchObject({ result: 'Held', summary: 'FailsClosed' });
      if (isNightly)
        expect(scenarioOf(status, 'slow')).toMatchObject({ result: 'Held', summary: 'Enforces' });
      for (const { fault } of status.scenarios ?? []) expect(fault).toMatchObject({ proof: 'Confirmed' });
      expect(await proxy.get('/fault')).toMatchObject({ faults: before + (isNightly ? 2 : 1), fault: null });
    })(context));

  it('ends the fault of a run that is aborted', (context) =>
    keepingTime(async () => {
      await proxied.applySpec('aborted', specOf({ type: 'Refuse', duration: '40s' }));
      await proxied.untilStatus('aborted', 'the Refuse', isConfirmed);
      expect(await accepts(proxy)).toBe(false);
      await proxied.annotate('aborted', 'abort', '1');
      const status = await proxied.ended('aborted');
      expect(status.phase).toBe('Aborted');
      const { endedAt = '', until: planned = '' } = scenarioOf(status).fault ?? {};
      expect(Date.parse(endedAt)).toBeLessThan(Date.parse(planned));
      expect(await accepts(proxy)).toBe(true);
    })(context));

  const phases: readonly (readonly [string, (status: ChaosDemoStatus) => boolean])[] = [
    ['active', isConfirmed],
    ['announced', ({ scenarios }) => scenarios?.[0]?.fault !== undefined],
  ];
  it.for(rows(phases))('is killed, and the fault ends at its deadline: %s', ([phase, isReached], context) =>
    keepingTime(async () => {
      const name = `killed-${phase}`;
      const before = Number((await proxy.get('/fault'))['faults']);
      await proxied.applySpec(name, specOf({ type: 'Refuse', duration: '6s' }));
      await proxied.untilStatus(name, phase, isReached);
      await world.killOperator();
      if (phase === 'active') {
        expect(await accepts(proxy)).toBe(false);
        await until(() => accepts(proxy), { what: 'connections to be accepted' });
      }
      await world.operator.start();
      const status = await proxied.ended(name);
      expect(status.phase).toMatch(/Succeeded|Errored/);
      // No process has observed the whole fault.
      if (phase === 'active') expect(scenarioOf(status).result).toBe('Inconclusive');
      expect((await proxy.get('/fault'))['faults']).toBe(before + 1);
      expect(await proxy.get('/fault')).toMatchObject({ fault: null });
    })(context),
  );
});
