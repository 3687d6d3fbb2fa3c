/** Windows that end during bursts: what a limiter that keeps its limit admits then is never taken for a violation. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  everyAlgorithm,
  type ModelWorld,
  modelBursts,
} from '../../../../test/fixtures/subjects/ratelimiter/history-of-model.ts';
import { History } from '../../history/history.ts';
import { Judge } from '../../scenarios/judge.ts';
import { CLOCK_WITHIN_MS } from '../limits/window-turn.ts';
import { ghostAllowing } from './ghost-allowing/index.ts';

const limits = fc.constantFrom('1s', '2s', '10s').chain((window) => {
  const limit = { requests: 10, window };
  return fc.constantFrom(...everyAlgorithm(limit), { ...limit, windowStart: 'Unknown' });
});

const worlds = (isBroken: boolean): fc.Arbitrary<ModelWorld> =>
  fc.record({
    limit: limits,
    startsAt: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_020_000 }),
    skewMs: fc.integer({ min: 1 - CLOCK_WITHIN_MS, max: CLOCK_WITHIN_MS - 1 }),
    rate: fc.constantFrom(1, 1.0005, 0.9995),
    delays: fc.array(fc.double({ min: 0.1, max: 1, noNaN: true }), { minLength: 7, maxLength: 23 }),
    isBroken: fc.constant(isBroken),
  });

/** The judge that has taken in all of a history. */
function judgeOf(history: History) {
  const again = new History(history.setup);
  const judge = new Judge(again, ghostAllowing);
  for (const event of history.events) again.append(event);
  return judge;
}

describe('bursts in which a window may end', () => {
  it('are never found to exceed a limit that is kept', () => {
    fc.assert(
      fc.property(worlds(false), (world) => {
        expect(judgeOf(modelBursts(world)).reading()?.detectedAt).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  it('exceed it if each pod counts alone', () => {
    fc.assert(
      fc.property(worlds(true), (world) => {
        expect(judgeOf(modelBursts(world)).reading()?.detectedAt).toBeDefined();
      }),
      { numRuns: 100 },
    );
  });
});
