/** The outcome of a pause in which a process ends, stands still, or does not answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { drift } from '../kit/demo.ts';
import { isNightly } from '../kit/nightly.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { World } from '../kit/world.ts';
import { behindGateways, startGateways } from './support/gateways.ts';
import { expectInconclusive, untilCountdown, untilPaused } from './support/outcome.ts';

/** Longer than a gap may be, and short enough that the operator keeps the lead. */
const OPERATOR_STANDSTILL_MS = 1500;

// A strict limiter never drifts, so that nothing but the cause decides.
describe.skipIf(withoutRealTime)('a pause on a strict limiter', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('strict');
  });
  afterAll(() => world?.stop());
  afterEach(() => world.deleteAll());

  it(
    'proves nothing if Redis is restarted during a pause, and reports the restart',
    keepingTime(async () => {
      await world.applySpec('restarted', { scenarios: [drift()] });
      await untilPaused(world, 'restarted');
      await world.environment.redis.restart();
      const { evidence } = await expectInconclusive(
        world,
        'restarted',
        'EvidenceIncomplete',
        /the fault ended \d+ ms before its time/,
      );
      expect(evidence?.join('\n')).toMatch(/connection .*lost: Redis was restarted/);
    }),
  );

  it(
    'proves nothing if the watch has a gap because the operator was frozen',
    keepingTime(async () => {
      await world.applySpec('blind', { scenarios: [drift()] });
      await untilPaused(world, 'blind');
      world.operator.process.kill('SIGSTOP');
      await sleep(OPERATOR_STANDSTILL_MS);
      world.operator.process.kill('SIGCONT');
      const missing = /no complete counter sample for \d+ ms/;
      await expectInconclusive(world, 'blind', 'EvidenceIncomplete', missing);
    }),
  );

  it.runIf(isNightly)(
    'proves nothing if the operator was restarted during the fault',
    keepingTime(async () => {
      await world.applySpec('forgotten', { scenarios: [drift()] });
      await untilPaused(world, 'forgotten');
      await world.killOperator();
      await world.operator.start();
      const missing = /operator restarted, lost its lead/;
      await expectInconclusive(world, 'forgotten', 'ObservationLost', missing);
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

  // The last ones: the pods do not come back.
  it.runIf(isNightly)(
    'proves nothing if a pod vanished during a pause, and names it',
    keepingTime(async () => {
      await world.applySpec('vanished', { scenarios: [drift()] });
      await untilPaused(world, 'vanished');
      await world.environment.pods[2]?.delete();
      world.environment.limiters[2]?.process.kill('SIGKILL');
      const missing = /gone since .*ratelimiter-2/;
      await expectInconclusive(world, 'vanished', 'EvidenceIncomplete', missing);
    }),
  );

  it(
    'an outage proves nothing if a pod was deleted in it, whatever the outcomes',
    keepingTime(async () => {
      const storeOutage = {
        fault: { duration: '4s' },
        callerTimeout: '1s',
        settle: '2s',
        accept: ['FailsClosed'],
      };
      await world.applySpec('deleted', { scenarios: [{ name: 'outage', type: 'StoreOutage', storeOutage }] });
      await untilPaused(world, 'deleted');
      await world.environment.pods[1]?.delete();
      world.environment.limiters[1]?.process.kill('SIGKILL');
      const missing = /ratelimiter-1 deleted .*during the watch/;
      await expectInconclusive(world, 'deleted', 'EvidenceIncomplete', missing);
    }),
  );
});
