import { describe, expect, it } from 'vitest';
import {
  OVER,
  outageHistory,
  outageSetup,
  START,
} from '../../../../test/fixtures/subjects/ratelimiter/simulated-outage.ts';
import type { HistoryEvent } from '../../history/events.ts';
import { History } from '../../history/history.ts';
import { Judge } from '../../scenarios/judge.ts';
import { storeOutage } from './store-outage/index.ts';
import { whyDecided } from './store-outage/workload.ts';

type By = typeof storeOutage;

/** A judge of the same events, one by one. */
function judged(change: Partial<By> = {}, within?: Parameters<typeof outageHistory>[0]) {
  const errors: unknown[] = [];
  const history = new History(outageSetup({ storeOutage: { accept: ['Enforces'] } }));
  const judge = new Judge(history, { ...storeOutage, ...change }, (error) => errors.push(error));
  const { events } = outageHistory(within);
  const appendUntil = (kind?: HistoryEvent['kind']): void => {
    for (const event of events.slice(history.events.length)) {
      history.append(event);
      if (event.kind === kind) return;
    }
  };
  return { appendUntil, errors, history, judge };
}

const fail = (): never => {
  throw new TypeError('a bug');
};
/** A fold that throws once it has seen so many events. */
function failingAfter(most: number): Partial<By> {
  const { init, step } = storeOutage.fold;
  let events = 0;
  return {
    fold: { init, step: (seen, event) => (events++ === most ? fail() : step(seen, event)) },
  };
}

describe('an error in the code that judges', () => {
  it.each<[string, Partial<By>]>([
    ['at the first event', failingAfter(0)],
    ['at a later event', failingAfter(20)],
    ['in a reading', { read: fail }],
    ['in words', { words: (code) => (code.code === 'CheckerFailed' ? code.code : fail()) }],
  ])('makes the result unknown, and is reported once: %s', (_, change) => {
    const { appendUntil, errors, history, judge } = judged(change);
    appendUntil();
    judge.reading();
    const reading = judge.reading();
    expect(reading).toMatchObject({ watchedUntil: Number.MAX_SAFE_INTEGER });
    expect(reading?.shortfalls.length).toBeGreaterThan(0);
    expect(judge.failed).toBe(true);
    expect(errors).toEqual([new TypeError('a bug')]);
    // Nothing else is lost.
    expect(history.events).toHaveLength(outageHistory().events.length);
  });

  it('is no violation if it concerns the proof of the fault, only of the limit itself', () => {
    const checkers = storeOutage.checkers.map((one) =>
      one.name === 'proof' ? { ...one, finding: fail } : one,
    );
    const { appendUntil, history, judge } = judged({ checkers }, 'Timeout');
    appendUntil();
    expect(judge.reading()?.detectedAt).toBeUndefined();
    const times = { sentAt: START, endedAt: START + 20 };
    for (let i = 0; i < 9; i += 1) {
      history.request({ pod: 'api-0', caller: 'Drawn', key: OVER, outcome: 'Admitted', ...times });
    }
    expect(judge.reading()).toMatchObject({ provenAlone: true, detectedAt: expect.any(Number) as number });
    expect(judge.reading()?.shortfalls).toHaveLength(1);
  });
});

describe('whether the return of the limit still matters', () => {
  const decidedBy = (within?: Parameters<typeof outageHistory>[0], more: readonly HistoryEvent[] = []) => {
    const { appendUntil, history, judge } = judged({}, within);
    appendUntil('traffic-ended');
    for (const event of more) history.append(event);
    return whyDecided(judge);
  };

  it('does until a violation, or a gap of the proof, is known', () => {
    expect(decidedBy()).toBeUndefined();
    expect(decidedBy('Timeout')).toContain('broken');
    expect(decidedBy('Admitted', [{ kind: 'dropped', events: 1 }])).toContain('incomplete');
  });
});
