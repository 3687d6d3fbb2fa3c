/** What becomes of a pause where its proof is broken by a real cause, as it stands in the status at the end. */
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { drift, rateLimiterOf, redisRef } from '../kit/demo.ts';
import { isNightly } from '../kit/nightly.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { asExpectedOf, measureOf, scenarioOf, verdictLine } from '../kit/status.ts';
import { until } from '../kit/until.ts';
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
    'is proven to change nothing, which is what was expected',
    keepingTime(async () => {
      await world.applySpec('held', { scenarios: [drift({ expect: 'Held' })] });
      const status = await world.ended('held');
      expect(status.scenarios).toMatchObject([{ result: 'Held' }]);
      expect(measureOf(scenarioOf(status)).observed).toBe(0);
      expect(verdictLine(status)).toMatch(/^Succeeded /);
    }),
  );

  it.runIf(isNightly)(
    'meets the expectation Any if it is proven to change nothing',
    keepingTime(async () => {
      await world.applySpec('any', { scenarios: [drift({ expect: 'Any' })] });
      const status = await world.ended('any');
      expect(status).toMatchObject({ phase: 'Succeeded', scenarios: [{ result: 'Held' }] });
      expect(asExpectedOf(status)).toBe('1/1');
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

  it.runIf(isNightly)(
    'proves nothing if the window of its key ended during the watch',
    keepingTime(async () => {
      const counterDrift = { fault: { duration: '4s' }, requestsPerSecond: 60, settle: '3s' };
      await world.applySpec('rolled', { scenarios: [drift({ counterDrift })] });
      await untilPaused(world, 'rolled');
      const { fault } = scenarioOf(await world.status('rolled'));
      // Another client sets the same limit again, which starts another window as soon as Redis takes writes.
      const [limiter] = world.environment.limiters;
      const body = JSON.stringify({ key: fault?.fixture, limit: 10, window_sec: 60 });
      const headers = { 'content-type': 'application/json' };
      await until(async () => (await fetch(`${limiter?.url}/limit`, { method: 'POST', headers, body })).ok, {
        what: 'the limit to be set again',
      });
      const missing = /window ended, .*pod lost the key/;
      await expectInconclusive(world, 'rolled', 'EvidenceIncomplete', missing);
    }),
  );
});
