/**
 * Locks behind HTTP that were written wrong, as people write them, and some that are right: each gets its word. They are
 * plain servers of this test on a real Redis that stalls, cuts their connections, or loses
 * their keys.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../src/api/index.ts';
import { NotFoundOutError } from '../../src/subjects/targets/refusal.ts';
import { redisOfTest } from '../kit/finished.ts';
import { withoutRealTime } from '../kit/pace.ts';
import {
  type ClientOptions,
  compared,
  drivenLock,
  ifRedisErrs,
  type LockTrial,
  type PlantLock,
  plantedPods,
  setOwn,
  TTL_MS,
} from '../kit/planted-lock.ts';
import { until } from '../kit/until.ts';

const TTL = { ttl: '2s' } satisfies LockTrial;
/** Before the fault, so that some are held when it begins. */
const REQUESTS_BEFORE = 60;

const EXTEND_OWN = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`;
const SET_FENCED = `if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return redis.call('INCR', KEYS[2]) end return 0`;
const ENTER = `local now = redis.call('TIME') local ms = now[1] * 1000 + math.floor(now[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ms)
  if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
  return redis.call('ZADD', KEYS[1], ms + ARGV[3], ARGV[1])`;

const SLOTS = 3;

const fenced: PlantLock = (store, ...rest) => ({
  ...compared(store, ...rest),
  async acquire(key, token) {
    const fence = Number(await store.eval(SET_FENCED, 2, key, `${key}:fence`, token, TTL_MS));
    return fence > 0 ? { token, fence } : undefined;
  },
});

type Extend = (store: Redis, key: string, token: string) => Promise<unknown>;

/** Extended while it is held; the extension ends with the request to release, or only once that was answered. */
const extendedBy =
  (extend: Extend, endsFirst: boolean): PlantLock =>
  (store, ...rest) => {
    const timers = new Map<string, NodeJS.Timeout>();
    const lock = compared(store, ...rest);
    return {
      async acquire(key, token) {
        const granted = await lock.acquire(key, token);
        const again = (): void => void extend(store, key, token).catch(() => undefined);
        if (granted) timers.set(token, setInterval(again, TTL_MS / 4));
        return granted;
      },
      async release(key, token) {
        if (endsFirst) clearInterval(timers.get(token));
        await lock.release(key, token);
        clearInterval(timers.get(token));
      },
      stop: () => timers.forEach(clearInterval),
    };
  };
const renewed = extendedBy((store, key, token) => store.eval(EXTEND_OWN, 1, key, token, TTL_MS), true);
/** Renews until it was seen to be released. */
const renewedForEver = extendedBy((store, key, token) => store.set(key, token, 'PX', TTL_MS), false);

const semaphore: PlantLock = (store) => ({
  acquire: async (key, token) =>
    Number(await store.eval(ENTER, 1, key, token, SLOTS, TTL_MS)) > 0 ? { token } : undefined,
  release: async (key, token) => void (await store.zrem(key, token)),
});

/** Holds the lock on so many of several servers; most of them: as Redlock does. */
const agreedBy =
  (needed: (servers: number) => number): PlantLock =>
  (store, pod, others) => {
    const locks = [store, ...others].map((one) => compared(one, pod, []));
    const most = needed(locks.length);
    const release = async (key: string, token: string): Promise<void> => {
      const released = await Promise.allSettled(locks.map((lock) => lock.release(key, token)));
      if (released.filter(({ status }) => status === 'fulfilled').length < most)
        throw new Error('too few servers');
    };
    return {
      release,
      async acquire(key, token) {
        const granted = await Promise.allSettled(locks.map((lock) => lock.acquire(key, token)));
        if (granted.filter((one) => one.status === 'fulfilled' && one.value).length >= most) return { token };
        await release(key, token);
        return undefined;
      },
    };
  };
const ofMajority = agreedBy((servers) => Math.floor(servers / 2) + 1);

/** Tries again on another connection, and knows its own token there. */
const reconnecting: PlantLock = (store, ...rest) => ({
  ...compared(store, ...rest),
  async acquire(key, token) {
    const granted = await setOwn(store, key, token);
    return granted ?? ((await store.get(key)) === token ? { token } : undefined);
  },
});

const withoutToken: PlantLock = (store, ...rest) => ({
  ...compared(store, ...rest),
  release: async (key) => void (await store.del(key)),
});

/** A time to live that is sent after the lock was taken. */
const expireApart: PlantLock = (store, ...rest) => ({
  ...compared(store, ...rest),
  async acquire(key, token) {
    if ((await store.setnx(key, token)) === 0) return undefined;
    await store.pexpire(key, TTL_MS);
    return { token };
  },
});

/** Its holders are told nothing of its time to live. */
const shortLived: PlantLock = (store, ...rest) => ({
  ...compared(store, ...rest),
  acquire: (key, token) => setOwn(store, key, token, 700),
});

/** Asks a replica whether the lock is free, which knows what was so some time ago. */
const askingReplica: PlantLock = (store, ...rest) => {
  const seen = new Map<string, Promise<string | null>>();
  const look = (key: string): Promise<string | null> => {
    const found = seen.get(key) ?? store.get(key);
    seen.set(key, found);
    setTimeout(() => seen.delete(key), 200);
    return found;
  };
  return {
    ...compared(store, ...rest),
    async acquire(key, token) {
      if ((await look(key)) !== null) return undefined;
      await store.set(key, token, 'PX', TTL_MS);
      return { token };
    },
  };
};

/** Held until it is released, also if its caller never heard of it. */
const neverExpiring: PlantLock = (store, ...rest) => ({
  ...compared(store, ...rest),
  acquire: async (key, token) => ((await store.setnx(key, token)) === 1 ? { token } : undefined),
});

/** A semaphore that counts, and gives back what was too much. */
const counting: PlantLock = (store) => {
  const held = new Set<string>();
  return {
    async acquire(key, token) {
      if ((await store.incr(key)) <= SLOTS) {
        held.add(token);
        return { token };
      }
      await store.decr(key);
      return undefined;
    },
    async release(key, token) {
      if (held.delete(token)) await store.decr(key);
    },
  };
};

/** Releases again some time later, to be sure. */
const releasedTwice: PlantLock = (store, ...rest) => {
  const lock = compared(store, ...rest);
  return {
    ...lock,
    async release(key, token) {
      await lock.release(key, token);
      setTimeout(() => void store.del(key).catch(() => undefined), 200);
    },
  };
};

/** Each pod has its own lock while Redis fails. */
const localFallback: PlantLock = (store, ...rest) => {
  const lock = compared(store, ...rest);
  const local = new Map<string, string>();
  return {
    async acquire(key, token) {
      try {
        return await lock.acquire(key, token);
      } catch {
        if (local.has(key)) return undefined;
        local.set(key, token);
        return { token };
      }
    },
    async release(key, token) {
      if (local.get(key) === token) local.delete(key);
      else await lock.release(key, token);
    },
  };
};

/** Checks, and acts a moment later. */
const checkedThenSet: PlantLock = (store, ...rest) => ({
  ...compared(store, ...rest),
  async acquire(key, token) {
    if ((await store.get(key)) !== null) return undefined;
    await sleep(20);
    await store.set(key, token, 'PX', TTL_MS);
    return { token };
  },
});

/** Its fencing tokens grow on each pod. */
const fencedByPod: PlantLock = (store, ...rest) => {
  let fence = 0;
  const lock = compared(store, ...rest);
  return {
    ...lock,
    async acquire(key, token) {
      const granted = await lock.acquire(key, token);
      fence += 1;
      return granted && { ...granted, fence };
    },
  };
};

interface Planted {
  /** Whether it is Held or Violated, and the words of its summary; each of them is right. */
  readonly expected: string | readonly string[];
  readonly plant: PlantLock;
  readonly trial?: LockTrial;
  readonly options?: ClientOptions;
  /** More servers, which do not stall. */
  readonly others?: number;
}

/** What a run on such pods finds: its word and what else is wrong, or that of its controls. */
async function found({ options, others = 0, plant, trial = TTL }: Planted) {
  const [redis, ...more] = await Promise.all([
    redisOfTest(),
    ...Array.from({ length: others }, () => redisOfTest()),
  ]);
  const driver = drivenLock(redis, await plantedPods(redis, plant, options, more), trial);
  const { duration = '3s' } = trial.fault ?? {};
  const fixture = `demo-lock-${randomUUID().slice(0, 8)}`;
  const prepare = async () => await driver.prepare('exclusion', fixture).catch((error: unknown) => error);
  let failure = await prepare();
  // As the shell does, if the controls took longer than the ttl.
  while (failure instanceof NotFoundOutError) failure = await prepare();
  const { baseline } = driver.observed;
  if (!baseline?.ok)
    return {
      result: baseline?.violated ? 'Violated' : 'Errored',
      words: ['Baseline'],
      why: baseline?.message,
    };
  if (failure !== undefined) throw failure;
  driver.converge([{ kind: 'Watch', fault: 'f', scenario: 'exclusion' }]);
  const sent = (): boolean =>
    driver.lines.filter((line) => line.includes('"Acquire"')).length > REQUESTS_BEFORE;
  await until(sent, { what: 'contenders before the fault' });
  const report = await driver.inject('exclusion', parseDuration(duration));
  if (report?.proof !== 'Confirmed') throw new Error(`the fault was not proven: ${report?.message}`);
  const reading = await until(
    () => {
      const now = driver.observed.readings['f'];
      return now?.complete ? now : undefined;
    },
    { what: 'the watch to end' },
  );
  await driver.requireSameFromHistory(reading);
  const [word = '', ...rest] = reading.summary.split('; ');
  const words = [word, ...rest.map((text) => (/^\d+ > /.test(text) ? 'too many' : text))];
  const isViolated = reading.detectedAt !== undefined;
  return {
    result: isViolated ? 'Violated' : reading.shortfalls.length > 0 ? 'Inconclusive' : 'Held',
    words,
    why: [...reading.shortfalls, ...reading.evidence],
  };
}

/** Those with another verdict, which it prints with what was seen. */
async function unexpectedIn(planted: Readonly<Record<string, Planted>>) {
  const all = await Promise.all(
    Object.entries(planted).map(async ([name, one]) => [name, await found(one)] as const),
  );
  const words = Object.fromEntries(
    all.map(([name, { result, words }]) => [name, `${result}: ${words.join('; ')}`]),
  );
  const unexpected = all.filter(([name]) => ![planted[name]?.expected].flat().includes(words[name]));
  for (const [name, { why }] of unexpected) console.error(name, words[name], why);
  return unexpected.map(([name]) => `${name} is ${words[name]}`);
}

const RIGHT: Readonly<Record<string, Planted>> = {
  compared: { expected: 'Held: Denies', plant: compared },
  deniedOnError: { expected: 'Held: Denies', plant: ifRedisErrs(false) },
  fenced: { expected: 'Held: Denies', plant: fenced, trial: { ...TTL, isFenced: true } },
  majority: {
    expected: 'Held: Excludes',
    plant: ofMajority,
    trial: { ...TTL, fault: { duration: '5s' } },
    options: { commandTimeout: 100 },
    others: 2,
  },
  // If two contend, a holder may have a bare majority, of which the loss of one leaves none: so all have to agree.
  unanimousKeeps: {
    expected: 'Held: Excludes',
    plant: agreedBy((servers) => servers),
    trial: { ...TTL, fault: { type: 'DataLoss' } },
    others: 2,
  },
  reconnecting: {
    expected: 'Held: Denies',
    plant: reconnecting,
    trial: { ...TTL, fault: { type: 'Disconnect' } },
    options: { commandTimeout: 200, retryStrategy: () => 20 },
  },
  renewed: { expected: 'Held: Denies', plant: renewed },
  semaphore: { expected: 'Held: Denies', plant: semaphore, trial: { ...TTL, slots: SLOTS } },
  waiting: {
    expected: 'Held: Hangs',
    plant: compared,
    trial: { ...TTL, accept: ['Hangs'], callerTimeout: '500ms' },
    options: {},
  },
};

const WRONG_ALWAYS: Readonly<Record<string, Planted>> = {
  // The control may find its copy expired on a busy machine.
  askingReplica: {
    expected: ['Violated: Baseline', 'Violated: DoubleGrants; too many'],
    plant: askingReplica,
  },
  checkedThenSet: { expected: 'Violated: DoubleGrants; too many', plant: checkedThenSet },
  fencedByPod: {
    expected: 'Violated: Denies; fencing token did not grow',
    plant: fencedByPod,
    trial: { ...TTL, isFenced: true },
  },
  releasedTwice: { expected: 'Violated: Baseline', plant: releasedTwice },
  shortLived: { expected: 'Violated: Baseline', plant: shortLived, trial: {} },
  withoutToken: { expected: 'Violated: Baseline', plant: withoutToken },
};

const WRONG_IN_A_FAULT: Readonly<Record<string, Planted>> = {
  // Without consensus, a lock whose key is gone is free.
  alone: {
    expected: 'Violated: DoubleGrants; too many',
    plant: compared,
    trial: { ...TTL, fault: { type: 'DataLoss' } },
  },
  aloneOfSlots: {
    expected: 'Violated: DoubleGrants; too many',
    plant: semaphore,
    trial: { ...TTL, slots: SLOTS, fault: { type: 'DataLoss' } },
  },
  counting: { expected: 'Violated: Denies; slot not returned', plant: counting, trial: { slots: SLOTS } },
  expireApart: { expected: 'Violated: Denies; slot not returned', plant: expireApart },
  grantedOnError: { expected: 'Violated: DoubleGrants; too many', plant: ifRedisErrs(true) },
  localFallback: { expected: 'Violated: DoubleGrants; too many', plant: localFallback },
  neverExpiring: { expected: 'Violated: Denies; slot not returned', plant: neverExpiring, trial: {} },
  // A renewal may overwrite the token of the next holder.
  renewedForEver: {
    expected: ['Violated: Denies; slot not returned', 'Violated: DoubleGrants; too many; slot not returned'],
    plant: renewedForEver,
  },
};

describe.skipIf(withoutRealTime)('each planted lock has its own Redis and pods', () => {
  it.each([
    ['right locks deny or continue, and are held', RIGHT],
    ['locks that are wrong without a fault are violated', WRONG_ALWAYS],
    ['locks that are wrong in a fault grant twice, or keep a slot', WRONG_IN_A_FAULT],
  ])('%s', { timeout: 120_000 }, async (_, planted) => {
    expect(await unexpectedIn(planted)).toEqual([]);
  });
});
