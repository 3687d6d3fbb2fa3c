/** The words for limiters of which it is known what they do: right ones are accused of nothing, others are found. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { everyAlgorithm } from '../../../../../test/fixtures/subjects/ratelimiter/history-of-model.ts';
import {
  type Decide,
  lengtheningWindow,
  modelOf,
} from '../../../../../test/fixtures/subjects/ratelimiter/limits/limiter-models.ts';
import {
  decided,
  inFault,
  readingOf,
  type SimulatedOutage,
} from '../../../../../test/fixtures/subjects/ratelimiter/simulated-outage.ts';
import { isNightly } from '../../../../../test/kit/nightly.ts';
import { RULES } from '../../limits/counting.ts';

type Limiter = SimulatedOutage['limiter'];

const enforces: Limiter = (asked) => (asked.isControl ? 'Admitted' : decided(asked.take()));
const closes = inFault(() => ({ outcome: 'Error', cause: 'ServerError', status: 503 }));
const hangs = inFault(({ at }) => ({
  outcome: 'Timeout',
  late: { outcome: 'Error', afterMs: 10_020 - at },
}));

/** Fails in the fault, and decides so at other times. */
const closesIn =
  (
    decide: (asked: Parameters<Limiter>[0]) => boolean,
    inFault: (asked: Parameters<Limiter>[0]) => unknown = () => undefined,
  ): Limiter =>
  (asked) => {
    if (asked.isControl) return 'Admitted';
    if (!asked.isInFault) return decided(decide(asked));
    inFault(asked);
    return 'Error';
  };

/** Requests that fail in the fault are counted after it, so many times. */
function countsLater(times: number): Limiter {
  const queue: (() => void)[] = [];
  return closesIn(
    ({ take }) => {
      for (const count of queue.splice(0)) count();
      return take();
    },
    ({ take }) => queue.push(...Array.from({ length: times }, () => () => void take())),
  );
}

const RIGHT: readonly (readonly [string, () => Limiter, string])[] = [
  ['enforces', () => enforces, 'Enforces'],
  ['fails closed', () => closes, 'FailsClosed'],
  ['hangs', () => hangs, 'Hangs'],
  ['counts what failed later', () => countsLater(1), 'FailsClosed'],
];

/** A pod that last saw at least so many requests left for a caller admits it in the fault, without a count. */
function standing(left: number): Limiter {
  const used = new Map<string, number>();
  return (asked) => {
    const at = `${asked.key} ${asked.pod}`;
    if (asked.isControl) return 'Admitted';
    const known = used.get(asked.key) ?? 0;
    if (asked.isInFault) return 10 - (used.get(at) ?? 10) >= left ? 'Admitted' : 'Error';
    const isAdmitted = asked.take();
    if (isAdmitted) used.set(asked.key, known + 1);
    used.set(at, used.get(asked.key) ?? 10);
    return decided(isAdmitted);
  };
}

/** Enforces in the fault by counts that are dropped so long after it. */
function gossips(forMs: number): Limiter {
  return (asked) => {
    if (asked.isControl) return 'Admitted';
    const isShared = asked.at >= 0 && asked.at < 10_000 + forMs;
    if (!isShared) return decided(asked.take());
    return decided(asked.take(`shared ${asked.key}`));
  };
}

/** Forgets counts with the end of the fault, but not whom it rejected before. */
function amnesia(): Limiter {
  const rejected = new Set<string>();
  return closesIn(({ at, key, take }) => {
    if (at >= 0) return !(rejected.has(key) && at < 50_000) && take(`new ${key}`);
    const isAdmitted = take();
    if (!isAdmitted) rejected.add(key);
    return isAdmitted;
  });
}

/** Forgets, with the end of the fault, the counts of callers that sent nothing in it. */
function forgetsIdle(): Limiter {
  const asking = new Set<string>();
  return closesIn(
    ({ at, key, take }) => (at < 0 || asking.has(key) ? take() : take(`new ${key}`)),
    ({ key }) => asking.add(key),
  );
}

/** The last decision on a caller is repeated for 3 s in the fault. */
function cachedYes(): Limiter {
  const last = new Map<string, { at: number; isAdmitted: boolean }>();
  return (asked) => {
    const { at, isControl, isInFault, key, pod, take } = asked;
    if (isControl) return 'Admitted';
    const known = last.get(`${key} ${pod}`);
    if (isInFault) return known?.isAdmitted && at - known.at < 3000 ? 'Admitted' : 'Error';
    const isAdmitted = take();
    last.set(`${key} ${pod}`, { at, isAdmitted });
    return decided(isAdmitted);
  };
}

/** From the end of the fault on, callers that it does not know yet have another limit. */
function limitsNew(most: number): Limiter {
  const used = new Map<string, number>();
  return closesIn(({ at, key, take }) => {
    if (at < 0 || !(used.has(key) || key.includes('-w'))) return take();
    used.set(key, (used.get(key) ?? 0) + 1);
    return (used.get(key) ?? 0) <= most;
  });
}

/** Callers that sent in the fault have another limit in the window after it. */
function limitsNext(most: number): Limiter {
  const used = new Map<string, number>();
  return closesIn(
    ({ at, key, take }) => {
      const known = used.get(key);
      if (known === undefined || at < 75_000) return take();
      used.set(key, known + 1);
      return known < most;
    },
    ({ key }) => used.set(key, 0),
  );
}

/** Each request begins another window of its caller, also a rejected one. */
function lengthens(): Limiter {
  const windows = new Map<string, Decide>();
  return closesIn(({ at, key }) => {
    const window = windows.get(key) ?? lengtheningWindow(10, 60_000);
    windows.set(key, window);
    return window(at);
  });
}

const onePod = ({ pod, take }: Parameters<Limiter>[0]) => (pod === 1 ? 'Admitted' : decided(take()));

const OTHERS: readonly (readonly [string, () => Limiter, RegExp])[] = [
  ['admits all by one pod in the fault', () => inFault(onePod), /^FailsOpen, .* of [12]0 /],
  [
    'admits all after the fault',
    () => (asked) => (asked.isInFault ? 'Error' : asked.at > 0 ? 'Admitted' : enforces(asked)),
    /^FailsClosed; no recovery in 3s$/,
  ],
  ['repeats what it decided in the last 3 s', cachedYes, / of [12]0 /],
  ['counts twice what failed', () => countsLater(2), /^FailsClosed; (limit not returned|no recovery in 3s)$/],
  ['has a limit of 9 for new callers after it', () => limitsNew(9), /^FailsClosed; no recovery in 3s$/],
  ['admits those with half of their limit left', () => standing(5), / of [12]0 /],
  [
    'locks callers of the fault out',
    () => {
      const met = new Set<string>();
      return closesIn(
        ({ key, take }) => !met.has(key) && take(),
        ({ key }) => met.add(key),
      );
    },
    /^FailsClosed; (limit not returned|no recovery in 3s)$/,
  ],
];

/** They admit a caller its limit once more, as when a window has ended. */
const ONCE_MORE: typeof OTHERS = [
  ['has a limit of 13 for new callers after it', () => limitsNew(13), / of 10 /],
  ['drops the counts of the fault after 3 s', () => gossips(3000), /^(FailsOpen|Enforces, \d+ of 10 )/],
  ['forgets counts of callers that were silent in it', forgetsIdle, /( of 10 |no recovery in 3s$)/],
  ['forgets counts, but not whom it rejected', amnesia, /^FailsClosed; no recovery in 3s$/],
  ['gives back 4 of 10', () => limitsNext(4), /^FailsClosed(; limit not returned$|, \d+ of 20 )/],
  ['has no limit in the window after it', () => limitsNext(Infinity), /^FailsClosed, .* of [12]0 /],
  [
    'is open again from 8 to 20 s after the fault',
    () => closesIn(({ at, take }) => (at > 18_000 && at < 30_000) || take()),
    / of 10 /,
  ],
];

const TEN = { requests: 10, windowMs: 60_000 };
const SEEDS = [1, 2, 3, 4, 5];

describe('a limiter that keeps its limit', () => {
  const accept = { accept: ['Enforces', 'FailsClosed', 'Hangs'] };

  it.each(RIGHT)('holds if it %s', (_, limiter, summary) => {
    for (const seed of SEEDS) {
      const reading = readingOf({ limiter: limiter(), seed, storeOutage: accept });
      expect(reading).toMatchObject({ summary, shortfalls: [], complete: true });
      expect(reading?.detectedAt).toBeUndefined();
    }
  });

  it('holds if each request begins another window of its caller', () => {
    for (const seed of SEEDS) {
      const reading = readingOf({ limiter: lengthens(), limit: { windowStart: 'FirstRequest' }, seed });
      expect(reading).toMatchObject({ summary: 'FailsClosed', shortfalls: [], complete: true });
      expect(reading?.detectedAt).toBeUndefined();
    }
  });

  const limits = fc
    .record({
      requests: fc.constantFrom(1, 2, 5, 10, 30, 100),
      window: fc.constantFrom('1s', '2s', '10s', '60s'),
    })
    .chain((limit) => {
      const known = everyAlgorithm(limit).map((each) => ({ limit: each }));
      const unknown = { limit: { ...limit, windowStart: 'Unknown' } };
      return fc.oneof(
        fc.constantFrom(...known),
        fc.constantFrom(...RULES).map((counts) => ({ ...unknown, counts })),
      );
    });

  it('is accused of nothing, whatever its algorithm, window and clock', () => {
    fc.assert(
      fc.property(
        limits,
        fc.constantFrom(...RIGHT),
        fc.record({
          seed: fc.nat(),
          startsAt: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_060_000 }),
          // With what its rate adds, within a second.
          skewMs: fc.integer({ min: -900, max: 900 }),
          rate: fc.constantFrom(1, 1.0005, 0.9995),
          pods: fc.constantFrom(1, 3),
        }),
        (limit, [, limiter], world) => {
          const reading = readingOf({ limiter: limiter(), ...limit, storeOutage: accept, ...world });
          expect(reading?.detectedAt).toBeUndefined();
        },
      ),
      { numRuns: 60 },
    );
  });
});

it.each([
  ...[...OTHERS, ...ONCE_MORE].flatMap(([...row]) =>
    ['FirstRequest', 'Unknown'].map((start) => [...row, start] as const),
  ),
])('a limiter that does not keep its limit is found if it %s (%3$s)', (_, limiter, summary, windowStart) => {
  for (const seed of SEEDS) {
    const reading = readingOf({ limiter: limiter(), limit: { windowStart }, seed });
    expect(reading).toMatchObject({ detectedAt: expect.any(Number) });
    expect(reading?.summary).toMatch(summary);
  }
});

describe('a fault of minutes', () => {
  const outage = (duration: string) => ({
    storeOutage: { fault: { type: 'Stall', via: 'Proxy', duration }, requestsPerSecond: 2 },
  });

  it.each(RIGHT.slice(0, 2))('accuses no limiter that %s', (_, limiter, summary) => {
    const reading = readingOf({ limiter: limiter(), ...outage('10m') });
    expect(reading).toMatchObject({ summary, shortfalls: [], complete: true });
    expect(reading?.detectedAt).toBeUndefined();
  });

  it('shows a circuit breaker that admits all after two minutes', () => {
    const breaker = inFault(({ at }) => (at < 120_000 ? 'Error' : 'Admitted'));
    expect(readingOf({ limiter: breaker, ...outage('1m') })?.detectedAt).toBeUndefined();
    const reading = readingOf({ limiter: breaker, ...outage('5m') });
    expect(reading).toMatchObject({
      detectedAt: expect.any(Number),
      summary: expect.stringMatching(/^Mixed, .* of [34]0 /),
    });
  });
});

describe('a limiter of which the spec states something else', () => {
  const bucket = { algorithm: 'TokenBucket', requests: 200, burst: 10 };
  it.each<[string, object, () => Decide]>([
    ['a faster refill', bucket, () => modelOf({ ...TEN, algorithm: 'TokenBucket', capacity: 10 })],
    [
      'a longer window',
      {},
      () => modelOf({ ...TEN, windowMs: 4000, algorithm: 'FixedWindow', start: 'FirstRequest' }),
    ],
  ])('is accused of nothing, and the spec is, if that is %s', (_, limit, model) => {
    const models = new Map<string, Decide>();
    const limiter: Limiter = ({ at, isControl, key }) => {
      const decide = models.get(key) ?? model();
      models.set(key, decide);
      return isControl || decide(at) ? 'Admitted' : 'Rejected';
    };
    const reading = readingOf({ limiter, limit });
    expect(reading?.detectedAt).toBeUndefined();
    expect(reading?.shortfalls[0]).toMatch(/^rateLimiter\.limit is not the limit of this rate limiter/);
  });
});

describe('a limiter that admits more than its own rule allows', () => {
  // With a phase for each key, a caller that gets some requests more looks like one whose window ended.
  const rules = RULES.filter((name) => name !== 'EachKey');
  const worlds = fc.record({
    counts: fc.constantFrom(...rules),
    seed: fc.nat(),
    // No window by the clock ends until the last defect: clocks may be 1 s apart.
    startsAt: fc.integer({ min: 2000, max: 33_000 }).map((ms) => 60_000 * 28_333_333 + ms),
    skewMs: fc.integer({ min: -900, max: 900 }),
  });

  it('is never Held, whatever the rule, if nothing is stated', { timeout: 900_000 }, () => {
    const defects = fc.record({
      more: fc.integer({ min: 1, max: 10 }),
      from: fc.integer({ min: 0, max: 15_000 }),
    });
    fc.assert(
      fc.property(worlds, defects, (world, { from, more }) => {
        const given = new Map<string, number>();
        const limiter: Limiter = (asked) => {
          if (asked.isControl || asked.take()) return 'Admitted';
          const extra = given.get(asked.key) ?? 0;
          if (asked.at < from || asked.at > 16_000 || extra >= more) return 'Rejected';
          given.set(asked.key, extra + 1);
          return 'Admitted';
        };
        const reading = readingOf({ limiter, limit: { windowStart: 'Unknown' }, ...world });
        const isHeld = reading?.detectedAt === undefined && reading?.shortfalls.length === 0;
        expect(isHeld && given.size > 0).toBe(false);
      }),
      { numRuns: isNightly ? 10_000 : 50, seed: 59 },
    );
  });
});
