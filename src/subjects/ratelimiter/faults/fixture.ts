/** Gets a key ready for a fault: a fresh window on every node, and its end by the local clock. */
import { counted, formatDuration, parseDuration } from '../../../api/index.ts';
import type { FaultReport, Prepared } from '../../../demo/observed.ts';
import { sampleCounters, totalAdmitted } from '../interfaces/reference/counter-sample.ts';
import type { LimitWindow } from '../interfaces/reference/setup-limit.ts';
import { removeRateLimit, setupRateLimit } from '../interfaces/reference/setup-limit.ts';
import { clockOffset } from '../store/clock-offset.ts';
import { perNode } from '../words.ts';
import type { Toolkit } from './fault.ts';

/** How long half a key may take to be removed again. */
const CLEAN_UP_MS = 5000;

/** A key with its window, and what is told of it. */
export interface Fixture {
  readonly window: LimitWindow;
  readonly prepared: Omit<Prepared, 'sequence'>;
}

/** @throws an error whose message says what to do, or the reason of `signal`; the key is removed again then */
export async function prepareKey(
  { clients, redis, limiter: { limit }, timeoutMs, now }: Toolkit,
  key: string,
  signal: AbortSignal,
): Promise<Fixture> {
  const windowMs = parseDuration(limit.window);
  try {
    const window = await setupRateLimit(clients, key, limit.requests, windowMs, timeoutMs, signal);
    const offset = await clockOffset(redis, now);
    signal.throwIfAborted();
    return {
      window,
      prepared: {
        fixture: key,
        usableUntil: Math.floor(window.windowEndsAt - offset),
        message: `Key ${key}: limit ${limit.requests} in ${formatDuration(windowMs)}, read back on ${counted(clients.length, 'node')}`,
      },
    };
  } catch (error) {
    // Perhaps half of the nodes have it.
    const within = AbortSignal.timeout(Math.min(timeoutMs, CLEAN_UP_MS));
    await removeRateLimit(clients, key, within).catch(() => undefined);
    throw error;
  }
}

/** Keys for several trials, the first of them the fixture. @throws as {@link prepareKey}; all keys are removed again then */
export async function prepareKeys(
  toolkit: Toolkit,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly windows: LimitWindow[]; readonly prepared: Omit<Prepared, 'sequence'> }> {
  const results = await Promise.allSettled(keys.map(async (key) => prepareKey(toolkit, key, signal)));
  const made = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  const [first] = made;
  if (failed || !first) {
    const within = AbortSignal.timeout(Math.min(toolkit.timeoutMs, CLEAN_UP_MS));
    await Promise.allSettled(
      made.map(async ({ window }) => removeRateLimit(toolkit.clients, window.key, within)),
    );
    throw failed?.reason ?? new RangeError('there is no key to prepare');
  }
  const usableUntil = Math.min(...made.map(({ prepared }) => prepared.usableUntil));
  const others = keys.length === 1 ? '' : `, and ${counted(keys.length - 1, 'key')} more for as many trials`;
  const message = `${first.prepared.message}${others}`;
  return { windows: made.map(({ window }) => window), prepared: { ...first.prepared, usableUntil, message } };
}

/**
 * A look at the counters right before a fault: what is counted by then is none of its doing, and leaves less of
 * the limit than the fault is to find. Undefined: the key is untouched, on all nodes and in Redis.
 * @throws where it cannot be found out
 */
export async function usedBefore(
  { now, observers, redis }: Pick<Toolkit, 'now' | 'observers' | 'redis'>,
  window: LimitWindow,
  signal: AbortSignal,
): Promise<FaultReport | undefined> {
  const sample = await sampleCounters(observers, redis, window, now, signal);
  const { admitted, elsewhere, problems, stored } = sample;
  if (stored === undefined || admitted.size < observers.length) {
    const why = problems[0] ?? `${elsewhere.join(', ')} lost the key`;
    throw new Error(`the counters of ${window.key} could not be read before the fault: ${why}`);
  }
  if (totalAdmitted(sample) === 0 && stored === 0) return undefined;
  const message = `Nothing was injected: ${window.key} had been used before the fault (nodes admitted ${perNode(admitted)}; Redis counted ${stored}). See who else sends requests for keys that begin with demo-, and run again`;
  return { proof: 'Inconclusive', endedAt: now(), message, evidence: [message] };
}
