/**
 * Planted limiters of which a run knows only limit and window. Some admit more than their own rule allows, and others
 * resemble them and keep it. Each logs what it admits by its own clock, so the log shows which verdict is right.
 */
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { rows } from '../kit/nightly.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { driven, inTime, LIMIT, PATIENCE_MS, PAUSE_MS } from './support/driven-on-redis.ts';

const WINDOW_MS = 12_000;
/** Enough requests that callers can use up a limit twice in one window. */
const TRIAL = { accept: ['Enforces', 'FailsClosed'], requestsPerSecond: 8, stated: {}, window: '12s' };
/** Each has a Redis and pods of its own. */
const AT_ONCE = { timeout: 150_000, concurrent: true };
/** Redis and a pod round moments to milliseconds. */
const GRAIN_MS = 2;

/** Counts a request: how much of the limit is used with it, and when it counted. Throws if the pod responds 503. */
type Count = (key: string, store: Redis) => Promise<{ readonly used: number; readonly at: number }>;

/** Starts a limiter, which then starts its pods. */
type Planted = () => () => Count;

type Phase = (key: string) => number;

const noPhase: Phase = () => 0;
/** A hash that spreads the windows of callers with similar keys. */
const ownPhase: Phase = (key) =>
  Array.from(key, (char) => char.charCodeAt(0)).reduce((hash, code) => ((hash + code) * 7919) % WINDOW_MS, 0);

/** Redis ignores a command that its pod has given up. */
const BEGIN = `local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  if now > tonumber(ARGV[1]) then return redis.error_reply('late') end
  local key, limit, window = KEYS[1], ${LIMIT}, ${WINDOW_MS} `;

let requests = 0;

/** Runs a script, which returns what is used, the time, and optionally how long the window still lasts. */
async function run(script: string, key: string, store: Redis, ...more: readonly number[]) {
  const all = [Date.now() + PATIENCE_MS, ...more];
  const result = await inTime(PATIENCE_MS, async () => await store.eval(BEGIN + script, 1, key, ...all));
  const [used = 0, at = 0, leftMs = 0] = result as number[];
  return { used, at, leftMs };
}

/** Counts by a script only, and responds 503 while Redis stalls. The script gets a phase and a request number. */
const counting =
  (script: string, phaseOf = noPhase): Planted =>
  () =>
  () =>
  async (key, store) =>
    await run(script, `rl:${key}`, store, phaseOf(key), (requests += 1));

const FROM_FIRST = `local used = redis.call('INCR', key)
  if used == 1 then redis.call('PEXPIRE', key, window) end
  return {used, now, redis.call('PTTL', key)}`;

const BY_CLOCK = `key = key .. math.floor((now + ARGV[2]) / window)
  redis.call('SET', key, 0, 'NX', 'PX', window)
  return {redis.call('INCR', key), now}`;

const EXTENDING = `local used = redis.call('INCR', key)
  redis.call('PEXPIRE', key, window)
  return {used, now}`;

const LOG = `redis.call('ZREMRANGEBYSCORE', key, 0, now - window)
  local used = redis.call('ZCARD', key) + 1
  if used <= limit then redis.call('ZADD', key, now, ARGV[3]) redis.call('PEXPIRE', key, window) end
  return {used, now}`;

const GCRA = `local due = math.max(tonumber(redis.call('GET', key) or 0), now) + window / limit
  if due - now > window then return {limit + 1, now} end
  redis.call('SET', key, string.format('%.0f', due), 'PX', window)
  return {1, now}`;

const WEIGHTED = `local index = math.floor(now / window)
  local before = tonumber(redis.call('GET', key .. index - 1) or 0) * (1 - now % window / window)
  local used = math.ceil(before + tonumber(redis.call('GET', key .. index) or 0) + 1)
  if used <= limit then redis.call('INCR', key .. index) redis.call('PEXPIRE', key .. index, 2 * window) end
  return {used, now}`;

/** Compares the count in Redis with that of the peers, and stores theirs if they merge. */
const WITH_PEERS = `local stored = tonumber(redis.call('GET', key) or 0)
  local used = math.max(stored, ARGV[2]) + 1
  if used <= limit then redis.call('SET', key, ARGV[3] == '1' and used or stored + 1, 'PX', ARGV[4]) end
  return {used, now}`;

/** Exact counts in the memory of all pods, in windows from the first request. */
function inMemory() {
  const windows = new Map<string, { used: number; endsAt: number }>();
  return (key: string) => {
    const at = Date.now();
    const known = windows.get(key);
    const window = known && at < known.endsAt ? known : { used: 0, endsAt: at + WINDOW_MS };
    window.used += 1;
    windows.set(key, window);
    return { at, used: window.used, window };
  };
}

interface Gossip {
  /** How long after the outage the counts of peers matter; default: always. */
  readonly heardMs?: number;
  /** Whether Redis stores the counts of peers. */
  readonly merges?: boolean;
  /** For how long, from the start of the outage until after it, new windows end after a third of their length. */
  readonly shortMs?: number;
}

/** While Redis stalls, pods enforce the limit exactly by counts that they share in memory. */
function gossips({ heardMs = Infinity, merges = true, shortMs = 0 }: Gossip = {}): Planted {
  return () => {
    let failedAt = -Infinity;
    const hear = inMemory();
    return () => async (key, store) => {
      const { at, used: heard, window } = hear(key);
      const began = (): void => {
        if (heard === 1 && Date.now() - failedAt < shortMs) window.endsAt = at + WINDOW_MS / 3;
      };
      began();
      const leftMs = window.endsAt - at;
      const known = at - failedAt <= heardMs ? heard - 1 : 0;
      try {
        const { used } = await run(WITH_PEERS, `rl:${key}`, store, known, Number(merges), leftMs);
        return { at, used };
      } catch {
        failedAt = Date.now();
        began();
        return { at, used: heard };
      }
    };
  };
}

/** Responds 503 while Redis stalls, and then changes its key prefix. It remembers rejections until the window ends. */
function changesPrefix(): () => Count {
  let [failed, prefix] = [false, 'rl:'];
  const rejected = new Map<string, number>();
  return () => async (key, store) => {
    const now = Date.now();
    if (now < (rejected.get(key) ?? 0)) return { at: now, used: LIMIT + 1 };
    try {
      const { at, leftMs, used } = await run(FROM_FIRST, prefix + key, store);
      if (failed) prefix = 'new:';
      if (used > LIMIT) rejected.set(key, at + leftMs);
      return { at, used };
    } catch (error) {
      failed = true;
      throw error;
    }
  };
}

/** Enforces the limit in memory while Redis stalls, and refunds each request that Redis counts late, even if admitted. */
function compensates(): () => Count {
  const hear = inMemory();
  return () => async (key, store) => {
    const { at, used } = hear(key);
    const name = `rl:${key}`;
    const late = store.eval(BEGIN + FROM_FIRST, 1, name, Number.MAX_SAFE_INTEGER) as Promise<number[]>;
    const counted = await inTime(PATIENCE_MS, async () => await late).catch(() => undefined);
    if (!counted) void late.then(() => store.decr(name)).catch(() => undefined);
    return { at, used: counted?.[0] ?? used };
  };
}

/** The most of a limit that one caller had used at any moment, from the times of its admissions. */
type Rule = (times: readonly number[], key: string) => number;

/** @param weighs the share of an earlier admission that still counts */
const weighing =
  (weighs: (then: number, now: number) => number, phaseOf = noPhase): Rule =>
  (times, key) => {
    const moved = times.map((at) => at + phaseOf(key));
    const used = moved.map((now, i) => moved.slice(0, i + 1).reduce((sum, at) => sum + weighs(at, now), 0));
    return Math.max(0, ...used);
  };

const windowOf = (at: number): number => Math.floor(at / WINDOW_MS);
const inSameWindow = (then: number, now: number): number => Number(windowOf(then) === windowOf(now));

/** @param next the count after one more admission, and the time that it counts from */
const following =
  (next: (used: number, at: number, now: number) => readonly [used: number, at: number]): Rule =>
  (times) => {
    let [used, at, most] = [0, -Infinity, 0];
    for (const now of times) {
      [used, at] = next(used, at, now);
      most = Math.max(most, used);
    }
    return most;
  };

const fromFirst = following((used, at, now) => (now - at < WINDOW_MS - GRAIN_MS ? [used + 1, at] : [1, now]));
const byClock = weighing(inSameWindow);
const byOwnClock = weighing(inSameWindow, ownPhase);
const sliding = weighing((then, now) => Number(now - then < WINDOW_MS - GRAIN_MS));
const bucket = following((used, at, now) => [Math.max(0, used - ((now - at) * LIMIT) / WINDOW_MS) + 1, now]);
const weighted = weighing((then, now) => {
  const share = 1 - (now % WINDOW_MS) / WINDOW_MS;
  return [1, share][windowOf(now) - windowOf(then)] ?? 0;
});

const BREAKS = { detected: true, rule: fromFirst };
const keeps = (rule: Rule) => ({ detected: false, rule });

/** Each wrong limiter is next to right ones that resemble it. */
const PLANTED: readonly (readonly [string, Planted, typeof BREAKS])[] = [
  ['drops counts of peers a second after the outage', gossips({ heardMs: 1000, merges: false }), BREAKS],
  ['merges counts of peers into Redis', gossips(), keeps(fromFirst)],
  ['changes its key prefix after the outage', changesPrefix, BREAKS],
  ['counts from the first request, and fails closed', counting(FROM_FIRST), keeps(fromFirst)],
  ['has windows of a third after the outage', gossips({ shortMs: 2000 }), BREAKS],
  ['has windows by the clock', counting(BY_CLOCK), keeps(byClock)],
  ['has windows of another phase for each caller', counting(BY_CLOCK, ownPhase), keeps(byOwnClock)],
  ['gives back what it admitted in the outage', compensates, BREAKS],
  ['logs requests in a sorted set', counting(LOG), keeps(sliding)],
  ['counts by GCRA', counting(GCRA), keeps(bucket)],
  ['weighs the window before', counting(WEIGHTED), keeps(weighted)],
  ['restarts its window with each request', counting(EXTENDING), keeps(fromFirst)],
];

/** Logs the admissions of a planted limiter. */
function logging(planted: Planted) {
  const log = new Map<string, number[]>();
  const ofPod = planted();
  const decide = () => {
    const count = ofPod();
    return async (caller: string, store: Redis) => {
      const { at, used } = await count(caller, store);
      if (used <= LIMIT) log.set(caller, [...(log.get(caller) ?? []), at]);
      return used <= LIMIT;
    };
  };
  /** The most that any caller of the run with this key had used. */
  const mostBy = (rule: Rule, key: string): number => {
    const ofRun = [...log].filter(([caller]) => caller.startsWith(key));
    const used = ofRun.map(([caller, times]) => rule([...times].sort(ascending), caller));
    // Shares are not exact in floating point.
    return Math.floor(Math.max(...used) + 1e-6);
  };
  return { decide, mostBy };
}

const ascending = (a: number, b: number): number => a - b;

describe.skipIf(withoutRealTime)('a limiter of which only limit and window are stated', AT_ONCE, () => {
  it.for(rows(PLANTED, 4))('is judged by its own log if it %s', ([, planted, { detected, rule }], context) =>
    keepingTime(async () => {
      const { decide, mostBy } = logging(planted);
      const { driver, key } = await driven(decide, TRIAL);
      const reading = await driver.leadThrough('outage', key, PAUSE_MS);
      const most = mostBy(rule, key);
      const isDetected = reading.detectedAt !== undefined;
      const isMeasured = (reading.measures['overAdmission'] ?? 0) > 0;
      // With the evidence, so that a failure shows what happened.
      const found = [`own log: ${most} of ${LIMIT}`, reading.summary, ...reading.evidence];
      expect({ found, isOverByOwnLog: most > LIMIT }).toEqual({ found, isOverByOwnLog: detected });
      expect({ found, isDetected, isMeasured }).toEqual({
        found,
        isDetected: detected,
        isMeasured: detected,
      });
    })(context),
  );
});
