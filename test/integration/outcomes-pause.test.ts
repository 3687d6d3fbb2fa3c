/** What becomes of a pause where its proof is broken by a real cause, as it stands in the status at the end. */
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { drift, rateLimiterOf, redisRef } from '../kit/demo.ts';
import { isNightly } from '../kit/nightly.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { measureOf, scenarioOf } from '../kit/status.ts';
import { World } from '../kit/world.ts';
import { behindGateways, startGateways } from './support/gateways.ts';
import { asAdmin, expectInconclusive, undoPauses, untilCountdown, untilPaused } from './support/outcome.ts';

// A strict limiter never drifts, so that nothing but the cause decides.
describe.skipIf(withoutRealTime)('a pause on a strict limiter', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('strict');
  });
  afterAll(() => world?.stop());
  afterEach(() => world.deleteAll());

  it(
    'proves nothing: where no request is admitted, no count can drift',
    keepingTime(async () => {
      await world.applySpec('held', { scenarios: [drift({ expect: 'Held' })] });
      const missing = /no request was admitted during the fault/;
      const { fault } = await expectInconclusive(world, 'held', 'EvidenceIncomplete', missing);
      expect(fault).toMatchObject({ proof: 'Confirmed' });
      expect(measureOf(scenarioOf(await world.status('held'))).observed).toBe(0);
    }),
  );

  it(
    'has no effect if the user of Redis has no right to it',
    keepingTime(async () => {
      const { operator } = world.environment.redisUsers;
      await asAdmin(world, async (redis) => {
        const rights = [
          '+client|unpause',
          '+client|list',
          '+watch',
          '+multi',
          '+exec',
          '+ping',
          '+info',
          '+time',
          '+set',
          '+get',
          '+hvals',
        ];
        const keys = ['~chaosdemo:probe:*', '%R~rl:*', 'resetchannels'];
        await redis.call(
          'ACL',
          'SETUSER',
          'helpless',
          'on',
          `>${operator.password}`,
          '-@all',
          ...rights,
          ...keys,
        );
      });
      const { controlPlane, namespace } = world.environment;
      await controlPlane.kubectl.apply([
        {
          apiVersion: 'v1',
          kind: 'Secret',
          type: 'chaosdemo.dev/redis-auth',
          metadata: { name: 'helpless', namespace },
          stringData: { username: 'helpless', password: operator.password, service: 'redis' },
        },
      ]);
      const pauses = await world.pauses();
      const redis = redisRef({ authSecretName: 'helpless' });
      await world.applySpec('helpless', { rateLimiter: rateLimiterOf({ redis }), scenarios: [drift()] });
      const { fault } = await expectInconclusive(world, 'helpless', 'FaultNotProven', /NOPERM.*grant it/);
      expect(fault).toMatchObject({ proof: 'Mismatch' });
      expect(fault?.startedAt).toBeUndefined();
      expect(await world.pauses()).toBe(pauses);
    }),
  );

  it(
    'has no effect if another client releases Redis as soon as it is paused',
    keepingTime(async () => {
      await world.applySpec('undone', { scenarios: [drift({ countdown: '2s' })] });
      await world.untilStatus('undone', 'the countdown', ({ chapter }) => /countdown/.test(chapter ?? ''));
      const stop = undoPauses(world);
      onTestFinished(stop);
      const { fault } = await expectInconclusive(
        world,
        'undone',
        'FaultNotProven',
        /accepted CLIENT PAUSE .*write .*another client .*CLIENT UNPAUSE/,
      );
      expect(fault).toMatchObject({ proof: 'Mismatch' });
    }),
  );

  it(
    'a pause proves nothing if Redis is released early, whatever was expected',
    keepingTime(async () => {
      await world.applySpec('released', { scenarios: [drift({ expect: 'Any' })] });
      await untilPaused(world, 'released');
      await asAdmin(world, (redis) => redis.call('CLIENT', 'UNPAUSE'));
      const { fault } = await expectInconclusive(
        world,
        'released',
        'EvidenceIncomplete',
        /the fault ended \d+ ms before its time/,
      );
      expect(fault?.message).toMatch(/before .*end: another client .*CLIENT UNPAUSE/);
    }),
  );

  it(
    'proves nothing if a pod refuses the traffic, and names it',
    keepingTime(async () => {
      let ready = false;
      const gateways = await startGateways(world, (pod, _, path) =>
        ready && pod === 1 && path === '/check' ? 'refuse' : 'pass',
      );
      onTestFinished(() => gateways.stop());
      const scenarios = [drift({ countdown: '2s' })];
      await world.applySpec('refusing', { rateLimiter: behindGateways(gateways), scenarios });
      await untilCountdown(world, 'refusing');
      ready = true;
      const missing = /gateway-[0-9a-f]+-1 answered 0 checks .* 10 /;
      const { message } = await expectInconclusive(world, 'refusing', 'EvidenceIncomplete', missing);
      expect(message).not.toMatch(/gateway-[0-9a-f]+-0 answered/);
    }),
  );

  it.runIf(isNightly)(
    'a pause proves nothing if a pod withholds answers after enough of them',
    keepingTime(async () => {
      let ready = false;
      let checks = 0;
      const gateways = await startGateways(world, (pod, _, path) =>
        ready && pod === 1 && path === '/check' && (checks += 1) > 30 ? 'never' : 'pass',
      );
      onTestFinished(() => gateways.stop());
      // Longer than pause and settle together: when it is judged, nothing was given up yet.
      const behind = behindGateways(gateways, { health: { timeout: '10s' } });
      const scenarios = [drift({ expect: 'Held', countdown: '2s' })];
      await world.applySpec('holding', { rateLimiter: behind, scenarios });
      await untilCountdown(world, 'holding');
      ready = true;
      const missing = /\d+ requests without .*answer/;
      const { message } = await expectInconclusive(world, 'holding', 'EvidenceIncomplete', missing);
      expect(message).not.toMatch(/are needed|no complete/);
    }),
  );
});
