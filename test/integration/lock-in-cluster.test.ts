/** A lock as a subject of a real operator, on a real API server: from its object to conditions, columns and metrics. */
import { registerPods } from '@chaosdemo/testbed';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keepingTime } from '../kit/pace.ts';
import { compared, type PlantLock, plantedPods } from '../kit/planted-lock.ts';
import { conditionText } from '../kit/status.ts';
import { World } from '../kit/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start('approximate');
});
afterAll(() => world?.stop());

/** The user of the limiters may use keys with this prefix. */
const under =
  (plant: PlantLock): PlantLock =>
  (store, ...rest) => {
    const lock = plant(store, ...rest);
    return {
      acquire: (key, token) => lock.acquire(`rl:${key}`, token),
      release: (key, token) => lock.release(`rl:${key}`, token),
    };
  };

const grantedOnError: PlantLock = (store, ...rest) => {
  const lock = compared(store, ...rest);
  return { ...lock, acquire: (key, token) => lock.acquire(key, token).catch(() => ({ token })) };
};

it(
  'a lock that is granted if Redis errs is violated, in each place that reports it',
  keepingTime(async () => {
    const { controlPlane, namespace, redis, redisUsers } = world.environment;
    const { host, port } = redis;
    const pods = await plantedPods({ host, port, ...redisUsers.limiter }, under(grantedOnError));
    const registered = await registerPods(
      controlPlane.kubectl,
      pods.map(({ host: ip, name, port: number }) => ({
        namespace,
        name,
        labels: { app: 'worker' },
        container: 'worker',
        image: 'local/worker:test',
        imageId: 'local/worker@sha256:0',
        port: { name: 'http', number },
        ip,
        pid: process.pid,
      })),
    );
    await world.applySpec('lock', {
      rateLimiter: undefined,
      lock: {
        selector: { matchLabels: { app: 'worker' } },
        acquire: { path: '/locks/$(key)', token: { pointer: '/token' } },
        release: { path: '/locks/$(key)', headers: [{ name: 'x-lock-token', value: '$(token)' }] },
        ttl: '2s',
        // The limiters of this world are strangers to its pods.
        redis: { serviceName: 'redis', authSecretName: 'redis-auth', otherClients: 'Allow' },
        health: { path: '/healthz' },
      },
      scenarios: [
        { name: 'outage', type: 'Exclusion', countdown: '1s', exclusion: { fault: { duration: '3s' } } },
      ],
    });
    const status = await world.ended('lock');
    expect(status.run).toMatchObject({ phase: 'Failed', reason: 'UnexpectedViolation' });
    expect(status.scenarios).toMatchObject([
      {
        result: 'Violated',
        summary: expect.stringMatching(/^DoubleGrants; \d+ > 1 at once/),
        fault: { proof: 'Confirmed' },
        history: { lines: expect.any(Number) },
      },
    ]);
    expect(conditionText(status, 'ExclusionViolated')).toBe('True Violated');
    // What belongs to another subject is not spoken of.
    expect(status.conditions?.map(({ type }) => type)).not.toContain('StoreOutageViolated');
    expect(await world.kubectl('get', 'chaosdemo', 'lock')).toMatch(/outage violated \(DoubleGrants; /);
    await Promise.all(registered.map((pod) => pod.delete()));
  }),
);
