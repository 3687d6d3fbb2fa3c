/** Over-admission by the sender's own count: no gap in a history hides it, and none makes a limiter exceed its limit. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ModelWorld,
  modelOutage,
} from '../../../test/fixtures/subjects/ratelimiter/history-of-model.ts';
import type { HistoryEvent } from './history/events.ts';
import { History } from './history/history.ts';
import { linesOf } from './history/json-lines.ts';
import { replay } from './run/replay.ts';

const LIMIT = { requests: 10, window: '10s' };

const worlds = (isBroken: boolean): fc.Arbitrary<ModelWorld> =>
  fc.record({
    limit: fc.constantFrom<object>(
      { ...LIMIT, algorithm: 'FixedWindow' },
      { ...LIMIT, algorithm: 'FixedWindow', window: '2s' },
      { ...LIMIT, algorithm: 'FixedWindow', windowStart: 'Clock' },
      { ...LIMIT, algorithm: 'SlidingWindow' },
      { ...LIMIT, algorithm: 'SlidingWindowCounter' },
      { ...LIMIT, algorithm: 'TokenBucket' },
    ),
    startsAt: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_020_000 }),
    skewMs: fc.integer({ min: -999, max: 999 }),
    rate: fc.constantFrom(1, 1.0005, 0.9995),
    delays: fc.array(fc.double({ min: 0.1, max: 1, noNaN: true }), { minLength: 7, maxLength: 23 }),
    isBroken: fc.constant(isBroken),
  });

/** What may be missing of a history, or late in it. */
interface Gaps {
  /** For each request in turn: its answer is read this much later, or never, or it is not recorded. */
  readonly requests: readonly ('Kept' | 'LeftOut' | 'Silent' | number)[];
  readonly proof: 'Confirmed' | 'Inconclusive' | 'Mismatch';
  /** Whether neither the start nor the end of the fault was observed; it is not proven then. */
  readonly isUnseen: boolean;
  readonly isDoubted: boolean;
  readonly isFull: boolean;
  readonly storeDoubt: boolean;
}

/** @param kinds of callers whose requests may be affected */
const gaps: fc.Arbitrary<Gaps> = fc.record({
  requests: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constant('Kept' as const) },
      fc.constantFrom('LeftOut' as const, 'Silent' as const),
      fc.integer({ min: 1, max: 4000 }),
    ),
    { minLength: 1, maxLength: 40 },
  ),
  proof: fc.constantFrom('Confirmed', 'Inconclusive', 'Mismatch'),
  isUnseen: fc.boolean(),
  isDoubted: fc.boolean(),
  isFull: fc.boolean(),
  storeDoubt: fc.boolean(),
});

/** The history with these gaps. @param isAffected whether a request may be affected */
function withGaps(
  { events, setup }: History,
  { isDoubted, isFull, isUnseen, proof, requests, storeDoubt }: Gaps,
  isAffected: (event: Extract<HistoryEvent, { kind: 'request' }>) => boolean,
): History {
  const history = new History({ ...setup, ...(storeDoubt && { storeDoubt: 'it may count elsewhere' }) });
  let turn = 0;
  for (const event of events) {
    if (event.kind === 'request') {
      const { id: _, kind: __, ...request } = event;
      const gap = isAffected(event) ? (requests[(turn += 1) % requests.length] ?? 'Kept') : 'Kept';
      if (gap === 'LeftOut') history.append({ kind: 'left-out', requests: 1 });
      else if (gap === 'Silent')
        history.request({ ...request, outcome: 'Timeout', endedAt: request.sentAt + 1000 });
      else history.request({ ...request, endedAt: request.endedAt + (gap === 'Kept' ? 0 : gap) });
    } else if (event.kind === 'fault' && event.step === 'Reported') {
      const { endedAt: _, startedAt: __, ...unseen } = event;
      history.append(isUnseen ? { ...unseen, proof: 'Inconclusive' } : { ...event, proof });
      if (isDoubted && event.startedAt !== undefined && event.endedAt === undefined)
        history.append({ kind: 'fault', step: 'Doubted', at: event.startedAt + 1000 });
    } else {
      if (event.kind === 'traffic-ended' && isFull) history.append({ kind: 'dropped', events: 1 });
      history.append(event);
    }
  }
  return history;
}

const resultOf = async (history: History) => (await replay(linesOf(history)))[0];

describe('more than the limit, by the count of the sender', () => {
  it('is Violated, whatever cannot be timed or proven besides', async () => {
    await fc.assert(
      fc.asyncProperty(worlds(true), gaps, async (world, missing) => {
        const history = withGaps(modelOutage(world), missing, ({ caller }) => caller === 'Under');
        expect(await resultOf(history)).toMatchObject({
          result: 'Violated',
          summary: expect.stringMatching(/ > /),
        });
      }),
      { numRuns: 40 },
    );
  });

  it('is never found of a limiter that keeps its limit', async () => {
    await fc.assert(
      fc.asyncProperty(worlds(false), gaps, async (world, missing) => {
        const scenario = await resultOf(withGaps(modelOutage(world), missing, () => true));
        const over = scenario?.measures?.find(({ name }) => name === 'overAdmission');
        expect(over?.value ?? 0).toBe(0);
        expect(scenario?.reason).not.toBe('BaselineViolated');
      }),
      { numRuns: 60 },
    );
  });
});
