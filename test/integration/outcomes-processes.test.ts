/** The outcome of a pause in which a process ends, stands still, or does not answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { drift } from '../kit/demo.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { World } from '../kit/world.ts';
import { expectInconclusive, untilPaused } from './support/outcome.ts';

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
