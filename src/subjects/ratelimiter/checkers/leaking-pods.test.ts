import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelOf } from '../../../../test/fixtures/subjects/ratelimiter/limits/limiter-models.ts';
import type { CallerRequest } from '../history/events.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import { behaviourOf } from './behaviour.ts';
import { overOf } from './over.ts';
import { phasesOf } from './requests.ts';

const pods = ['a', 'b', 'c'];
const FAULT = { startedAt: 10_000, endedAt: 20_000 };
const BUCKET: RateLimit = { algorithm: 'TokenBucket', requests: 10, windowMs: 60_000, capacity: 10 };
const limits: readonly RateLimit[] = [
  BUCKET,
  { algorithm: 'TokenBucket', requests: 5, windowMs: 4000, capacity: 7, refillEveryMs: 1000 },
  { algorithm: 'FixedWindow', requests: 5, windowMs: 4000, start: 'FirstRequest' },
  { algorithm: 'FixedWindow', requests: 10, windowMs: 60_000, start: 'Clock' },
  { algorithm: 'SlidingWindow', requests: 5, windowMs: 4000 },
  { algorithm: 'SlidingWindowCounter', requests: 5, windowMs: 4000 },
];

/** Enough callers within their limit, and let through, for the pod to be judged by the other caller alone. */
const served = pods.flatMap((pod) =>
  Array.from({ length: 10 }, (_, i): CallerRequest => {
    const sentAt = 11_000 + i;
    return { pod, caller: 'Under', outcome: 'Admitted', sentAt, endedAt: sentAt + 1 };
  }),
);

const beyond = (pod: string, outcome: 'Admitted' | 'Rejected', sentAt: number): CallerRequest => ({
  pod,
  caller: 'Over',
  outcome,
  sentAt,
  endedAt: sentAt + 1,
});

/** What each pod is found to do. */
const kindsOf = (limit: RateLimit, asked: readonly CallerRequest[]) => {
  const settings = { pods, limit, callerTimeoutMs: 1000, firstSentAt: 0, clockWithinMs: 0 };
  const requests = [...asked, ...served];
  const over = overOf(settings, requests, FAULT);
  const phases = phasesOf(requests, FAULT, settings.callerTimeoutMs);
  const { byPod } = behaviourOf({ over, phases, settings, span: FAULT });
  return { excess: over.over.excess, kinds: pods.map((pod) => byPod.get(pod)?.behaviour) };
};

const admitsNothing = (asked: readonly CallerRequest[], of: string): boolean =>
  asked.every(({ outcome, pod, sentAt }) => pod !== of || outcome === 'Rejected' || sentAt < FAULT.startedAt);

describe('a pod fails open by what it admitted itself', () => {
  const exhausted = Array.from({ length: 10 }, (_, i) => beyond('a', 'Admitted', i));

  it('on top of what all admitted before', () => {
    const { kinds } = kindsOf(BUCKET, [
      ...exhausted,
      // Three tokens have come back.
      ...Array.from({ length: 30 }, (_, i) => beyond('a', 'Admitted', 18_000 + i)),
      ...Array.from({ length: 3 }, (_, i) => beyond('b', 'Admitted', 18_000 + i)),
    ]);
    expect(kinds).toEqual(['FailsOpen', 'Enforces', 'Enforces']);
  });

  it('or with others, where each gives away once more what has come back', () => {
    const each = ['a', 'b'].flatMap((pod) => [0, 1, 2].map((i) => beyond(pod, 'Admitted', 18_000 + i)));
    expect(kindsOf(BUCKET, [...exhausted, ...each])).toEqual({
      excess: 3,
      kinds: ['FailsOpen', 'FailsOpen', 'Enforces'],
    });
  });

  it('no pod fails open while it keeps the shared limit; a leaking one is found', () => {
    const requests = fc.array(
      fc.record({ pod: fc.constantFrom(...pods), sentAt: fc.integer({ min: 0, max: 19_000 }) }),
      { maxLength: 120 },
    );
    fc.assert(
      fc.property(fc.constantFrom(...limits), requests, (limit, all) => {
        const keeps = modelOf(limit);
        const asked = all
          .toSorted((one, other) => one.sentAt - other.sentAt)
          .map(({ pod, sentAt }) => {
            const leaks = pod === 'a' && sentAt >= FAULT.startedAt;
            return beyond(pod, leaks || keeps(sentAt) ? 'Admitted' : 'Rejected', sentAt);
          });
        const { excess, kinds } = kindsOf(limit, asked);
        const own = asked.filter(({ pod, sentAt }) => pod === 'a' || sentAt < FAULT.startedAt);
        const alone = kindsOf(limit, own).excess > 0;
        const holding = excess > 0 ? ['b', 'c'].filter((pod) => alone || admitsNothing(asked, pod)) : pods;
        for (const pod of holding) expect(kinds[pods.indexOf(pod)]).toBe('Enforces');
        expect(kinds[0]).toBe(excess > 0 ? 'FailsOpen' : 'Enforces');
      }),
      { numRuns: 300 },
    );
  });

  it('a pod fails open only if it admitted; over the limit, at least one does', () => {
    const request = fc
      .tuple(fc.constantFrom(...pods), fc.boolean(), fc.integer({ min: 10_000, max: 19_000 }))
      .map(([pod, admits, sentAt]) => beyond(pod, admits ? 'Admitted' : 'Rejected', sentAt));
    fc.assert(
      fc.property(fc.constantFrom(...limits), fc.array(request, { maxLength: 120 }), (limit, asked) => {
        const { excess, kinds } = kindsOf(limit, asked);
        expect(kinds.includes('FailsOpen')).toBe(excess > 0);
        for (const [i, pod] of pods.entries())
          if (admitsNothing(asked, pod)) expect(kinds[i]).toBe('Enforces');
      }),
      { numRuns: 300 },
    );
  });
});
