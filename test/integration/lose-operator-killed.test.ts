/** A real limiter whose counts are lost, by a real operator; and one that is killed while callers are watched. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isNightly } from '../kit/nightly.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { isConfirmed, scenarioOf } from '../kit/status.ts';
import { World } from '../kit/world.ts';
import { asAdmin } from './support/outcome.ts';
import { startYourApi } from './support/your-api.ts';

const LIMIT = 10;

describe.skipIf(withoutRealTime)('a limiter whose counts an operator removes', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('approximate');
    const configured = { limit: LIMIT, windowSeconds: 120 };
    await startYourApi(world, { limiter: 'rate-limiter-flexible', variant: 'default', configured });
    const { username } = world.environment.redisUsers.operator;
    await asAdmin(world, (redis) =>
      redis.call('ACL', 'SETUSER', username, '+unlink', '~rlflx:demo-*', '+script|flush'),
    );
  }, 300_000);
  afterAll(() => world?.stop());

  const apply = async (name: string, duration: string): Promise<void> => {
    const rateLimiter = {
      selector: { matchLabels: { 'app.kubernetes.io/name': 'your-api' } },
      http: { headers: [{ name: 'X-Api-Key', value: '$(key)' }] },
      health: { path: '/healthz' },
      limit: { requests: LIMIT, window: '120s' },
      redis: {
        service: 'redis',
        authSecretName: 'redis-auth',
        // Processes of one machine reach Redis from its address, and not from those of their pods.
        otherClients: 'Allow',
        count: { key: 'rlflx:$(key)' },
      },
    };
    const storeOutage = { fault: { type: 'DataLoss', duration, scripts: true }, settle: '2s' };
    const scenarios = [{ name: 'loss', type: 'StoreOutage', countdown: '3s', storeOutage }];
    await world.applySpec(name, { rateLimiter, scenarios });
  };
  const unlinks = () =>
    asAdmin(world, async (redis) => {
      const info = await redis.info('commandstats');
      return Number(/cmdstat_unlink:calls=(\d+)/.exec(info)?.[1] ?? 0);
    });

  it('is found to forget callers, and Redis does not cool down', (context) =>
    keepingTime(async () => {
      await apply('forgets', '10s');
      const status = await world.ended('forgets');
      const scenario = scenarioOf(status);
      expect(scenario).toMatchObject({ result: 'Violated', summary: `Forgets, ${2 * LIMIT} > ${LIMIT}` });
      expect(scenario.measures).toContainEqual(
        expect.objectContaining({ name: 'overAdmission', value: LIMIT }),
      );
      expect(await unlinks()).toBe(1);
      expect(await world.pauses()).toBe(0);
      await world.untilNoLeases();
    })(context));

  it.runIf(isNightly)('is not judged if the operator is killed while its callers are watched', (context) =>
    keepingTime(async () => {
      const before = await unlinks();
      await apply('killed', '20s');
      await world.untilStatus('killed', 'the loss to be confirmed', isConfirmed);
      await world.killOperator();
      expect(await world.takesWrites()).toBe(true);
      await world.operator.start();
      const status = await world.ended('killed');
      expect(status).toMatchObject({ phase: 'Errored' });
      expect(scenarioOf(status)).toMatchObject({ result: 'Inconclusive' });
      // Once removed, and not again.
      expect(await unlinks()).toBe(before + 1);
      await world.untilNoLeases();
    })(context),
  );
});
