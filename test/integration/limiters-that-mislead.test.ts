/**
 * Limiters behind HTTP that were written to mislead: reports are compared with what they did. They are plain servers of
 * this test on a real Redis, with a timeout, as real limiters have.
 */

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import type { InvariantReading } from '../../src/engine/observed.ts';
import type { DrivenLimiter } from '../kit/driven-limiter.ts';
import { onTestFinished, redisOfTest } from '../kit/finished.ts';
import { isNightly, rows } from '../kit/nightly.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { until } from '../kit/until.ts';
import {
  COUNT,
  count,
  type Decide,
  drive,
  driven,
  inTime,
  LIMIT,
  PAUSE_MS,
} from './support/driven-on-redis.ts';

/** Each has a Redis and pods of its own. */
const AT_ONCE = { timeout: 90_000, concurrent: true };
/** Longer than the watch goes on after the pause. */
const SWITCHED_MS = 60_000;

/** The reading at the end of the watch. */
async function completeReading(driver: DrivenLimiter): Promise<InvariantReading> {
  return await until(
    () => {
      const found = driver.observed.readings['f'];
      return found?.complete ? found : undefined;
    },
    { what: 'the watch to end' },
  );
}

/** Rejects while Redis stalls; from the first answer after that on, it admits every caller for a minute. */
function opensAfterwards(): Decide {
  let stalled = false;
  let openUntil = 0;
  return async (key, store) => {
    if (Date.now() < openUntil) return true;
    try {
      const used = await count(key, store);
      if (stalled) openUntil = Date.now() + SWITCHED_MS;
      return stalled || used <= LIMIT;
    } catch {
      stalled = true;
      return false;
    }
  };
}

/** From the first request that Redis does not answer on, it rejects every caller for a minute, without a query. */
function staysShut(): Decide {
  let shutUntil = 0;
  return async (key, store) => {
    if (Date.now() < shutUntil) return false;
    return await count(key, store).then(
      (used) => used <= LIMIT,
      () => {
        shutUntil = Date.now() + SWITCHED_MS;
        return false;
      },
    );
  };
}

/** Remembers the callers that it rejected, and admits every other one while Redis stalls. */
function remembersDenied(): Decide {
  const denied = new Set<string>();
  return async (key, store) => {
    if (denied.has(key)) return false;
    const yes = await count(key, store).then(
      (used) => used <= LIMIT,
      () => true,
    );
    if (!yes) denied.add(key);
    return yes;
  };
}

/** Waits so long for Redis, and then admits; whatever Redis says later is lost on the caller. */
function admitsAfter(ms: number): () => Decide {
  return () => async (key, store) =>
    await inTime(ms, async () => Number(await store.eval(COUNT, 1, `rl:${key}`, 1e10, 60))).then(
      (used) => used <= LIMIT,
      () => true,
    );
}

/** Falls back to a local count, full for each caller, and blocks from memory a caller that used it up. */
function insured(): Decide {
  const blocked = new Set<string>();
  const own = new Map<string, number>();
  return async (key, store) => {
    if (blocked.has(key)) return false;
    const used = await count(key, store).catch(() => {
      own.set(key, (own.get(key) ?? 0) + 1);
      return own.get(key) ?? 0;
    });
    if (used > LIMIT) blocked.add(key);
    return used <= LIMIT;
  };
}

/** Admits every caller while Redis stalls, after a while that differs. */
const admitsLate: Decide = async (key, store) => {
  try {
    return (await count(key, store)) <= LIMIT;
  } catch {
    await sleep(50 + Math.random() * 700);
    return true;
  }
};

/** While Redis stalls, all pods enforce one count in memory, which is lost afterwards. */
function gossips(): () => Decide {
  const shared = new Map<string, number>();
  const known = new Map<string, number>();
  return () => async (key, store) => {
    try {
      const used = await count(key, store);
      known.set(key, used);
      return used <= LIMIT;
    } catch {
      const used = (shared.get(key) ?? known.get(key) ?? 0) + 1;
      shared.set(key, used);
      return used <= LIMIT;
    }
  };
}

/** Admits one request more to a caller that comes again after it was rejected. */
function countsLater(): () => Decide {
  const rejectedAt = new Map<string, number>();
  return () => async (key, store) => {
    const since = Date.now() - (rejectedAt.get(key) ?? Date.now());
    if (since > 300) {
      rejectedAt.set(key, Date.now());
      return true;
    }
    const isAdmitted = (await count(key, store)) <= LIMIT;
    if (!isAdmitted && !rejectedAt.has(key)) rejectedAt.set(key, Date.now());
    return isAdmitted;
  };
}

/** INCR, and a separate EXPIRE if the count is 1; gives Redis up after 150 ms. */
function expiresApart(seconds: number | undefined): () => Decide {
  return () => async (key, store) => {
    const used = await inTime(150, async () => await store.incr(`rl:${key}`));
    if (used === 1 && seconds !== undefined)
      await inTime(150, async () => await store.expire(`rl:${key}`, seconds));
    return used <= LIMIT;
  };
}

/** Reads the count, decides, and counts: in between, others do the same. */
const decidesByOldCount: Decide = async (key, store) => {
  if (Number((await store.get(`rl:${key}`)) ?? 0) >= LIMIT) return false;
  await store.incr(`rl:${key}`);
  return true;
};

/** Counts in one step with its window, and gives Redis up after 150 ms: in order. */
function counts(seconds: number): () => Decide {
  return () => async (key, store) => (await count(key, store, seconds)) <= LIMIT;
}

describe.skipIf(withoutRealTime)('a limiter that keeps its limit for some callers', AT_ONCE, () => {
  it('fails open if it admits new callers without bound', (context) =>
    keepingTime(async () => {
      const { driver, key, mostAdmitted } = await driven(remembersDenied, { accept: ['Enforces'] });
      const reading = await driver.leadThrough('outage', key, PAUSE_MS);
      expect(reading).toMatchObject({ detectedAt: expect.any(Number), shortfalls: [] });
      // With the evidence, so that a failure shows what the pods did.
      expect([reading.summary, ...reading.evidence]).toContainEqual(
        expect.stringContaining(`FailsOpen, ${mostAdmitted()} of 10 `),
      );
    })(context));

  it.runIf(isNightly)('fails open if one that had requests left gets its whole limit again', async () => {
    const { driver, key, mostAdmitted } = await driven(insured, { accept: ['Enforces'], pods: 1 });
    const reading = await driver.leadThrough('outage', key, PAUSE_MS);
    expect(reading).toMatchObject({ detectedAt: expect.any(Number), shortfalls: [] });
    expect(mostAdmitted()).toBeGreaterThan(LIMIT);
    expect(reading.summary).toContain(`FailsOpen, ${mostAdmitted()} of 10 `);
  });
});

describe.skipIf(withoutRealTime)('a limiter that admits callers late', AT_ONCE, () => {
  const DELAYS = [
    ['1.5 s', 1500, '3s'],
    ['5 s, as @upstash/ratelimit does', 5000, '6s'],
  ] as const;
  it.each(rows(DELAYS))('breaks its limit though its callers gave up: after %s', async (_, ms, settle) => {
    const trial = { accept: ['Hangs'], settle };
    const { driver, key, mostAdmitted } = await driven(admitsAfter(ms), trial);
    const reading = await driver.leadThrough('outage', key, ms + 1500);
    // Also if answers to other callers could not be timed.
    expect(reading).toMatchObject({ detectedAt: expect.any(Number), provenAlone: true });
    expect(reading.summary).toContain(`Hangs, ${mostAdmitted()} of 10 `);
    expect(reading.measures).toMatchObject({ overAdmission: mostAdmitted() - LIMIT });
    expect(reading.atLeast).not.toContain('overAdmission');
  });
});

describe.skipIf(withoutRealTime)('more than the limit, next to a proof with gaps', AT_ONCE, () => {
  it('is Violated if only callers that return show it', async () => {
    const { driver, key } = await driven(gossips(), { accept: ['Enforces'] });
    const reading = await driver.leadThrough('outage', key, PAUSE_MS);
    expect(reading).toMatchObject({ detectedAt: expect.any(Number), provenAlone: true });
    expect(reading.summary).toMatch(/, 1\d of 10 /);
    expect(Object.keys(reading.measures)[0]).toBe('overAdmission');
  });

  it.runIf(isNightly)('is of the baseline if it began before the fault', async () => {
    const { driver, key } = await driven(countsLater(), { accept: ['Enforces'] });
    await driver.prepare('outage', key);
    driver.converge([{ kind: 'Watch', fault: 'f', scenario: 'outage' }]);
    // The caller over its limit sends again, without a fault.
    await sleep(1000);
    const { startedAt = 0 } = (await driver.inject('outage', PAUSE_MS)) ?? {};
    const reading = await completeReading(driver);
    expect(reading).toMatchObject({ detectedAt: expect.any(Number), provenAlone: true });
    expect(reading.brokenAt).toBeLessThan(startedAt);
  });
});

describe.skipIf(withoutRealTime)('a limiter whose switch stays on after the pause', AT_ONCE, () => {
  it('breaks its limit if it admits callers then', async () => {
    const { driver, key } = await driven(opensAfterwards, { accept: ['FailsClosed'] });
    const reading = await driver.leadThrough('outage', key, PAUSE_MS);
    expect(reading).toMatchObject({ detectedAt: expect.any(Number), shortfalls: [] });
    expect(reading.summary).toBe('FailsClosed; no recovery in 2s');
  });

  it.runIf(isNightly)(
    'does not recover if it rejects callers then, and its counts are not reconciled',
    async () => {
      const { driver, key } = await driven(staysShut, { accept: ['FailsClosed'] });
      const reading = await driver.leadThrough('outage', key, PAUSE_MS);
      expect(reading).toMatchObject({ summary: 'FailsClosed; no recovery in 2s', shortfalls: [] });
      expect(reading.detectedAt).toBeDefined();
      const recovery = await driver.recover('outage', 1000);
      expect(recovery).not.toHaveProperty('report.measures');
      expect(recovery).toMatchObject({ report: { workedAt: expect.any(Number) } });
    },
  );
});

describe.skipIf(withoutRealTime)('the limit of a caller that used it up', AT_ONCE, () => {
  const SECONDS = 12;

  const LIMITERS: readonly (readonly [string, () => Decide, string])[] = [
    ['is returned by a limiter in order', counts(SECONDS), 'FailsClosed'],
    ['is lost if its key never expires', expiresApart(undefined), 'FailsClosed; limit not returned'],
    [
      'is lost if the key lost its expiry in the pause',
      expiresApart(SECONDS),
      'FailsClosed; limit not returned',
    ],
  ];
  it.each(rows(LIMITERS, 2))('%s', async (_, decide, summary) => {
    const { driver, key } = await driven(decide, { accept: ['FailsClosed'], window: `${SECONDS}s` });
    const reading = await driver.leadThrough('outage', key, PAUSE_MS);
    expect(reading).toMatchObject({ summary, shortfalls: [], complete: true });
    expect(reading.detectedAt === undefined).toBe(summary === 'FailsClosed');
  });
});

/** What a limiter knows of a request. */
interface Asked {
  readonly key: string;
  readonly pod: number;
  readonly store: Redis;
  /** Requests of the caller in this window; undefined: Redis does not respond. */
  readonly used: number | undefined;
  /** Since Redis did not respond first, and since it responded again; milliseconds. */
  readonly failingMs: number;
  readonly workingMs: number;
}

type Rule = (asked: Asked) => boolean | Promise<boolean>;

/** Pods that decide by one rule, and share what they know. */
function ruledBy(rule: Rule, seconds: number): () => Decide {
  let [pods, failedAt, workedAt] = [0, Infinity, Infinity];
  return () => {
    const pod = (pods += 1);
    return async (key, store) => {
      const used = await count(key, store, seconds).catch(() => undefined);
      const now = Date.now();
      if (used === undefined) failedAt = Math.min(failedAt, now);
      else if (failedAt < now) workedAt = Math.min(workedAt, now);
      return await rule({ key, pod, store, used, failingMs: now - failedAt, workingMs: now - workedAt });
    };
  };
}

const isKept = ({ used }: Asked): boolean => used !== undefined && used <= LIMIT;

/** Callers that sent in the fault have such a limit in windows that begin five seconds after it. */
function limitsNext(most: number): Rule {
  const [met, next] = [new Set<string>(), new Set<string>()];
  return (asked) => {
    const { key, used = 0, workingMs } = asked;
    if (used === 0) met.add(key);
    if (used === 1 && workingMs > 5000 && met.has(key)) next.add(key);
    return next.has(key) ? used <= most : isKept(asked);
  };
}

const OVER = /, .* of [12]0 /;
const NOT_RETURNED = /^FailsClosed; (limit not returned|no recovery in 2s)$/;
const FORGETS = /^FailsClosed(, .* of 10 .*|; no recovery in 2s)$/;

/** Limiters that were planted by somebody who knew the documentation only: what each does, and its window in seconds. */
const PLANTED: readonly (readonly [string, number, () => Rule, RegExp])[] = [
  ['gives back 4 of 10', 12, () => limitsNext(4), NOT_RETURNED],
  ['has no limit in the window after it', 12, () => limitsNext(Infinity), OVER],
  [
    'admits those that it had rejected',
    60,
    () => {
      const rejected = new Set<string>();
      return (asked) => {
        if ((asked.used ?? 0) > LIMIT) rejected.add(asked.key);
        return asked.used === undefined ? rejected.has(asked.key) : isKept(asked);
      };
    },
    OVER,
  ],
  [
    'admits all by one pod after a second',
    60,
    () => (asked) => (asked.used === undefined ? asked.pod === 2 && asked.failingMs > 1000 : isKept(asked)),
    OVER,
  ],
  [
    'admits those that failed 15 times',
    60,
    () => {
      const failed = new Map<string, number>();
      return (asked) => {
        const times = (failed.get(asked.key) ?? 0) + 1;
        if (asked.used === undefined) failed.set(asked.key, times);
        return asked.used === undefined ? times > 15 : isKept(asked);
      };
    },
    OVER,
  ],
  [
    'counts twice after it',
    60,
    () => async (asked) =>
      isKept(asked) && (asked.workingMs < 0 || (await count(asked.key, asked.store)) <= LIMIT),
    NOT_RETURNED,
  ],
  [
    'adds a window with each rejection',
    12,
    () => async (asked) => {
      const { key, store, used = 0 } = asked;
      if (used > LIMIT) await store.pexpire(`rl:${key}`, (await store.pttl(`rl:${key}`)) + 12_000);
      return isKept(asked);
    },
    NOT_RETURNED,
  ],
  [
    'forgets callers that were silent in it',
    60,
    () => {
      const known = new Set<string>();
      return async (asked) => {
        const { key, store, used, workingMs } = asked;
        const isNew = used !== undefined && workingMs >= 0 && !known.has(key);
        if (used === undefined || isNew) known.add(key);
        if (isNew) await store.set(`rl:${key}`, 1, 'EX', 60);
        return isNew || isKept(asked);
      };
    },
    FORGETS,
  ],
  [
    'forgets every other caller after it',
    60,
    () => async (asked) => {
      const { key, store, workingMs } = asked;
      if (workingMs < 0 || /[02468]$/.test(key)) return isKept(asked);
      return (await count(`new-${key}`, store)) <= LIMIT;
    },
    FORGETS,
  ],
];

describe.skipIf(withoutRealTime)('a limiter that a reader of the documentation planted', AT_ONCE, () => {
  it.each(rows(PLANTED))('is found if it %s', async (_, seconds, rule, summary) => {
    const trial = { accept: ['FailsClosed'], window: `${seconds}s` };
    const { driver, key } = await driven(ruledBy(rule(), seconds), trial);
    const reading = await driver.leadThrough('outage', key, PAUSE_MS);
    expect(reading).toMatchObject({ detectedAt: expect.any(Number), shortfalls: [] });
    expect(reading.summary).toMatch(summary);
  });

  it.runIf(isNightly)('holds if each request begins another window', async () => {
    const lengthens: Rule = async (asked) => {
      if (asked.used !== undefined) await asked.store.expire(`rl:${asked.key}`, 12);
      return isKept(asked);
    };
    const { driver, key } = await driven(ruledBy(lengthens, 12), { accept: ['FailsClosed'], window: '12s' });
    const reading = await driver.leadThrough('outage', key, PAUSE_MS);
    expect(reading).toMatchObject({ summary: 'FailsClosed', shortfalls: [], complete: true });
  });
});

it('a limiter that reads, decides and counts admits too much in each burst', AT_ONCE, async () => {
  const { driver, key } = await driven(() => decidesByOldCount, { accept: ['Enforces'] });
  const reading = await driver.leadThrough('ghosts', key, 5000);
  expect(reading).toMatchObject({ detectedAt: expect.any(Number) });
  expect(reading.measures['trialsViolated']).toBe(2);
});

it('a limiter that rejects all requests at a burst does not keep its limit', AT_ONCE, async () => {
  // The two of the control in Setup: one uses its limit up, the other is new.
  const first = new Set<string>();
  const { driver, key } = await driven(
    () => async (caller, store) => {
      if (first.size < 2) first.add(caller);
      return first.has(caller) && (await count(caller, store)) <= LIMIT;
    },
    { accept: ['Enforces'] },
  );
  const reading = await driver.leadThrough('ghosts', key, 5000);
  expect(driver.observed.faults['f']).toMatchObject({ proof: 'Confirmed' });
  expect(reading.summary).toBe('0/10, 0/2 trials');
  expect(reading.shortfalls).toContainEqual(expect.stringMatching(/^trial 1: only 0 .* 10 .*not seen/));
});

describe.skipIf(withoutRealTime)('an operator that stands still', { timeout: 90_000 }, () => {
  it('finds more than the limit that was admitted in most of the pause', (context) =>
    keepingTime(async () => {
      const { driver, key, mostAdmitted } = await driven(() => admitsLate, { accept: ['Enforces'] });
      await driver.prepare('outage', key);
      driver.converge([{ kind: 'Watch', fault: 'f', scenario: 'outage' }]);
      await driver.inject('outage', PAUSE_MS);
      for (let i = 0; i < 2; i += 1) {
        const still = Date.now() + 1100;
        while (Date.now() < still);
        await sleep(50);
      }
      const reading = await completeReading(driver);
      expect(reading).toMatchObject({ detectedAt: expect.any(Number), provenAlone: true });
      expect(reading.summary).toContain(`${mostAdmitted()} of 10 `);
    })(context));

  it('takes no answer that the end of the pause gave for one in time', async () => {
    const redis = await redisOfTest();
    const workers = await Promise.all(
      [0, 1, 2].map(async () => {
        const workerData = { limit: LIMIT, redisPort: redis.port };
        const worker = new Worker(new URL('../kit/hanging-limiter.ts', import.meta.url), { workerData });
        onTestFinished(async () => void (await worker.terminate()));
        const [port] = (await once(worker, 'message')) as [number];
        return port;
      }),
    );
    const nodes = workers.map((port, i) => ({ name: `api-${i}`, host: '127.0.0.1', port }));
    const { driver, key } = drive(redis, nodes, { accept: ['Enforces'], window: '15s' });
    await driver.prepare('outage', key);
    driver.converge([{ kind: 'Watch', fault: 'f', scenario: 'outage' }]);
    const report = await driver.inject('outage', PAUSE_MS);
    expect(report).toMatchObject({ proof: 'Confirmed' });
    // Most of what is left of the pause, and over its end: what hangs is answered by then, and read at once.
    const still = Date.now() + PAUSE_MS;
    while (Date.now() < still);
    const reading = await completeReading(driver);
    expect(reading.summary).not.toMatch(/^Enforces/);
  });
});
