/** Checks one variant of one limiter against its description. */

import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { type Answer, send } from './request.ts';
import { isKeyOf, type SurveyedLimiter } from './runner/limiter.ts';
import { type StartOptions, type SurveyedProcess, startLimiter, stopLimiter } from './runner/start.ts';

const LIMIT = 20;
const WINDOW_SECONDS = 60;
const BEYOND = 5;
const PROCESSES = 3;
/** What a caller waits for at most, beyond the pause: to see also what comes late. */
const PATIENCE_MS = 12_000;
/** The caller of the requests before anything is measured. */
const FIRST = 'demo-first';
/** How long after the pause it must serve again. */
const RECOVERY_MS = 20_000;

/** What to check. */
export interface Check extends Omit<StartOptions, 'limit' | 'windowSeconds' | 'count' | 'redisUrl'> {
  /** How long writes of Redis are paused. */
  readonly pauseMs: number;
}

/** A row of the table, and what is not as the description says. */
export interface Checked {
  readonly row: string;
  readonly faults: readonly string[];
}

/** Starts a Redis and the processes, sends requests before, in and after a pause, and stops. */
export async function checkVariant(check: Check): Promise<Checked> {
  const redis = await startRedis({ supervisor: check.supervisor });
  try {
    return await checkOver(`redis://${redis.host}:${redis.port}`, check);
  } finally {
    await redis.stop();
  }
}

async function checkOver(redisUrl: string, check: Check): Promise<Checked> {
  const { limiter, variant } = check;
  const numbers = { limit: LIMIT, windowSeconds: WINDOW_SECONDS, count: PROCESSES };
  const processes = await startLimiter({ ...check, ...numbers, redisUrl });
  const client = new Redis(redisUrl);
  try {
    const faults: string[] = [];
    // What loads and connects only at the first request does so now.
    for (let round = 0; round < 3; round++) await sendEach(limiter, processes, FIRST);
    const calm = await checkCalm(check, processes, client, faults);
    const paused = await sendWhilePaused(check, processes, client);
    const timeToRecovery = await untilWell(check, processes);
    if (timeToRecovery === undefined) faults.push(`not well ${RECOVERY_MS / 1000} s after the pause`);
    const well = timeToRecovery === undefined ? 'never' : `${Math.round(timeToRecovery)} ms`;
    const name = `${limiter.name} ${limiter.version}`;
    return { row: `| ${[name, variant.name, calm, ...paused, well].join(' | ')} |`, faults };
  } finally {
    client.disconnect();
    await stopLimiter(processes);
  }
}

/** Limit and five more, one after the other, over all processes: `20 of 25 in 31 ms`. */
async function checkCalm(
  check: Check,
  processes: readonly SurveyedProcess[],
  client: Redis,
  faults: string[],
): Promise<string> {
  const { limiter, variant } = check;
  const { kind, staggered } = variant.window ?? limiter.window;
  let calm = await sendCalmly(check, processes, 'demo-calm');
  // If each caller has its own windows, their ends are unknown: the next caller rarely meets one too.
  if (kind === 'FixedByClock' && staggered && calm.faults.length > 0) {
    calm = await sendCalmly(check, processes, 'demo-calmer');
  }
  faults.push(...calm.faults, ...(await compareStore(variant.store ?? limiter.store, calm.caller, client)));
  return calm.summary;
}

async function sendCalmly(
  { limiter, variant }: Check,
  processes: readonly SurveyedProcess[],
  caller: string,
): Promise<{ caller: string; summary: string; faults: string[] }> {
  const perProcess = variant.admits === 'limit at each process';
  const most = perProcess ? LIMIT * PROCESSES : LIMIT;
  const total = most + BEYOND;
  const { kind, staggered } = variant.window ?? limiter.window;
  if (kind === 'FixedByClock' && !staggered) await awayFromTheEnd(total * 20);
  const start = performance.now();
  const answers: Answer[] = [];
  for (let index = 0; index < total; index++) {
    const target = processes[index % PROCESSES];
    if (target) answers.push(await send(limiter, target.url, caller, PATIENCE_MS));
  }
  const span = performance.now() - start;
  const admitted = answers.filter(({ outcome }) => outcome === 'Admitted').length;
  const other = answers.filter(({ outcome }) => outcome !== 'Admitted' && outcome !== 'Rejected');
  const faults: string[] = [];
  // Tokens come back during that; some in steps of a second.
  const refill = kind === 'TokenBucket' ? Math.floor((span / 1000 + 1) * (LIMIT / WINDOW_SECONDS)) : 0;
  if (admitted < LIMIT || admitted > most + refill) {
    const expected = perProcess ? `${LIMIT} to ${most}` : `${most}`;
    faults.push(`${admitted} of ${total} were admitted, not ${expected}`);
  }
  if (other.length > 0) faults.push(`${other.length} answers are neither: ${other[0]?.text}`);
  const remaining = answers[0]?.remaining;
  if (limiter.remainingHeader && remaining !== LIMIT - 1) {
    faults.push(`${limiter.remainingHeader} of the first answer is ${remaining}, not ${LIMIT - 1}`);
  }
  return { caller, summary: `${admitted} of ${total} in ${Math.round(span)} ms`, faults };
}

async function compareStore(
  store: Check['limiter']['store'],
  caller: string,
  client: Redis,
): Promise<string[]> {
  const keys = await client.keys('*');
  const faults: string[] = [];
  for (const { key: template, type } of store) {
    const found = keys.find((key) => isKeyOf(template, caller, key));
    const foundType = found === undefined ? 'none' : await client.type(found);
    if (foundType !== type) faults.push(`${template} is ${foundType}, not ${type}; keys: ${keys.join(' ')}`);
  }
  const callers = [FIRST, 'demo-calm', caller];
  const untold = keys.filter(
    (key) => !callers.some((each) => store.some((one) => isKeyOf(one.key, each, key))),
  );
  if (untold.length > 0) faults.push(`keys that are not described: ${untold.join(' ')}`);
  return faults;
}

/** One request at each process while writes are paused: what came back and when; and whether health answered. */
async function sendWhilePaused(
  { limiter, pauseMs }: Check,
  processes: readonly SurveyedProcess[],
  client: Redis,
): Promise<string[]> {
  // The connections of a pool that were idle are known to work.
  await sendEach(limiter, processes, 'demo-warm');
  await client.call('CLIENT', 'PAUSE', pauseMs, 'WRITE');
  const pausedAt = performance.now();
  const sent = sendEach(limiter, processes, 'demo-paused', pauseMs + PATIENCE_MS);
  await sleep(300);
  const health = await Promise.all(processes.map(({ url }) => isHealthy(`${url}${limiter.healthPath}`)));
  const answers = await sent;
  const outcomes = answers.map(
    ({ outcome, status, ms }) => `${outcome} ${status ?? ''} ${Math.round(ms)} ms`,
  );
  const left = pauseMs - (performance.now() - pausedAt);
  if (left > 0) await sleep(left);
  return [outcomes.join(', '), health.every(Boolean) ? 'yes' : 'no'];
}

/** Milliseconds from the end of the pause until a new caller is admitted at once by every process; undefined: never. */
async function untilWell(
  { limiter }: Check,
  processes: readonly SurveyedProcess[],
): Promise<number | undefined> {
  const start = performance.now();
  for (let round = 0; performance.now() - start < RECOVERY_MS; round++) {
    const at = performance.now();
    const answers = await sendEach(limiter, processes, `demo-well-${round}`);
    if (answers.every(({ outcome, ms }) => outcome === 'Admitted' && ms < 1_000)) return at - start;
    await sleep(100);
  }
  return undefined;
}

/** One request at each process, all at once. */
async function sendEach(
  limiter: SurveyedLimiter,
  processes: readonly SurveyedProcess[],
  caller: string,
  patienceMs = PATIENCE_MS,
): Promise<Answer[]> {
  return await Promise.all(processes.map(({ url }) => send(limiter, url, caller, patienceMs)));
}

async function isHealthy(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
  return answer?.ok ?? false;
}

/** Waits for the next window of the clock where this one ends within `needMs`. */
async function awayFromTheEnd(needMs: number): Promise<void> {
  const left = WINDOW_SECONDS * 1000 - (Date.now() % (WINDOW_SECONDS * 1000));
  if (left < needMs + 2_000) await sleep(left + 100);
}
