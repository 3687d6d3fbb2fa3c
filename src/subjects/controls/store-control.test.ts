import { describe, expect, it } from 'vitest';
import type { CallerRequest, RequestOutcome } from '../history/events.ts';
import { inStep, type WatchedRequest } from './store-control.ts';

const NODES = ['a', 'b', 'c'];

/** Requests to the nodes in turn, and what Redis did with each of them. */
function control(
  answers: readonly RequestOutcome[],
  callsIn: (index: number) => Record<string, number>,
  ms = 5,
) {
  const sent = answers.map((outcome, i) => ({ outcome, pod: NODES[i % NODES.length] ?? '', sentAt: i * 25 }));
  const requests = sent.map((one): CallerRequest => ({ ...one, caller: 'Drawn', endedAt: one.sentAt + ms }));
  const watched = sent.map(
    (one, i): WatchedRequest => ({ ...one, ms, grown: new Map(Object.entries(callsIn(i))) }),
  );
  return { requests, watched };
}

const idle = (calls: Record<string, number> = {}) => ({ ms: 1300, grown: new Map(Object.entries(calls)) });
const seen = ({ requests, watched }: ReturnType<typeof control>, rest = idle()) =>
  inStep(requests, watched, rest);
const TEN: readonly RequestOutcome[] = [
  ...Array<RequestOutcome>(10).fill('Admitted'),
  ...Array<RequestOutcome>(6).fill('Rejected'),
];

describe('a Redis that a limiter uses', () => {
  it('is shown by a command for each admitted request', () => {
    const both = control(TEN, () => ({ evalsha: 1, incr: 1 }));
    expect(seen(both)).toEqual({ needed: 10, missed: 0, shown: true });
  });

  it('Redis use needs no command for callers rejected before, and no fixed command', () => {
    const calls = (i: number) => (i === 0 ? { eval: 1 } : i < 10 ? { evalsha: 1 } : {});
    expect(seen(control(TEN, calls))).toMatchObject({ shown: true });
  });

  it('pods that admit no caller use it too: they cannot know the count otherwise', () => {
    const answers = TEN.slice(9, 15);
    const all = control(answers, (i) => (i < 3 ? { incr: 1 } : {}));
    expect(seen(all)).toMatchObject({ needed: 3, shown: true });
    const alone = control(answers, (i) => (i < 2 ? { incr: 1 } : {}));
    expect(seen(alone)).toEqual({ needed: 3, missed: 1, shown: false });
  });

  it('Redis use is shown by a few commands, not by one of many found by chance', () => {
    const shownWith = (many: number): boolean => {
      const calls = (each: number) =>
        Object.fromEntries(Array.from({ length: many }, (_, i) => [`command${i}`, each]));
      return seen(
        control(['Admitted', 'Admitted', 'Admitted'], () => calls(1)),
        idle(calls(15)),
      ).shown;
    };
    expect([shownWith(1), shownWith(20)]).toEqual([true, false]);
  });

  it('may serve others at the same time, with other commands', () => {
    const busy = control(TEN, () => ({ get: 3, evalsha: 1 }));
    expect(seen(busy, idle({ get: 800 }))).toMatchObject({ shown: true });
  });
});

describe('a Redis whose use by a limiter is not shown', () => {
  it('is one that others query all the time', () => {
    const always = control(TEN, () => ({ get: 3 }));
    expect(seen(always, idle({ get: 800 }))).toEqual({ needed: 10, missed: 0, shown: false });
  });

  it('is one so slow that commands may be of other clients', () => {
    expect(seen(control(['Admitted'], () => ({ get: 1 }), 1000))).toMatchObject({ shown: false });
  });
});
