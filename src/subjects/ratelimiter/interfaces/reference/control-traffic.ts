/** What the controls of the reference interface have in common: keys of their own, checks on them, and counters at rest. */
import { truncate } from '../../../../api/index.ts';
import { BaselineError } from '../../baseline.ts';
import type { Counting, Denying } from '../../controls.ts';
import type { RedisConnections } from '../../store/redis-client.ts';
import { pauseFor } from '../../waiting.ts';
import { runSteadyTraffic, type TrafficListener } from '../steady-traffic.ts';
import { leftOutShortfall, type TrafficRoom } from '../traffic-room.ts';
import { checkNode } from './check-node.ts';
import { type SampledWindow, sampleCounters, totalAdmitted } from './counter-sample.ts';
import { SAMPLE_EVERY_MS } from './counter-watch.ts';
import type { LimiterClient } from './limiter-client.ts';
import { type LimitWindow, removeRateLimit, setupRateLimit } from './setup-limit.ts';

/** How long the counters may take at least to come to rest once nothing is sent any more. */
const REST_MS = 5000;
/** A control key's window is at least so long: it must not end while it is used. */
const CONTROL_WINDOW_MS = 60_000;
/** Characters that a message quotes of what a node answered. */
const MOST_PROBLEM = 200;
/** How long the control key may take to be removed again. */
const CLEAN_UP_MS = 5000;

/** What controls are made with. */
export interface ControlOptions {
  readonly clients: readonly LimiterClient[];
  readonly observers: readonly LimiterClient[];
  /** For the traffic. */
  readonly loaders: readonly LimiterClient[];
  readonly room: TrafficRoom;
  readonly redis: RedisConnections;
  readonly limit: number;
  readonly windowMs: number;
  readonly timeoutMs: number;
  readonly now: () => number;
}

/** Works on a control key with a fresh window, which is removed again. */
export async function onControlKey<T>(
  { clients, windowMs, timeoutMs }: ControlOptions,
  key: string,
  limit: number,
  signal: AbortSignal,
  work: (window: LimitWindow) => Promise<T>,
): Promise<T> {
  try {
    const lasting = Math.max(windowMs, CONTROL_WINDOW_MS);
    return await work(await setupRateLimit(clients, key, limit, lasting, timeoutMs, signal));
  } finally {
    const within = AbortSignal.timeout(Math.min(timeoutMs, CLEAN_UP_MS));
    await removeRateLimit(clients, key, within).catch(() => undefined);
  }
}

/** Sends checks and waits for the answers. */
export async function sendChecks(
  { loaders: clients, room }: ControlOptions,
  window: SampledWindow,
  traffic: { readonly requestsPerSecond: number; readonly requests?: number },
  stop: AbortSignal,
  lifetime: AbortSignal,
): Promise<Pick<Counting, 'allowed' | 'open' | 'refused' | 'sent'> & Pick<Denying, 'denied' | 'problem'>> {
  const allowed = new Map(clients.map(({ name }) => [name, 0]));
  let [sent, answered, denied, failed, leftOut] = [0, 0, 0, 0, 0];
  let problem: string | undefined;
  const listener: TrafficListener = {
    sent() {
      sent += 1;
      return () => {
        sent -= 1;
      };
    },
    answered(node, yes) {
      answered += 1;
      if (yes) allowed.set(node, (allowed.get(node) ?? 0) + 1);
    },
    unanswered: () => undefined,
    ended(_, got) {
      if (got === 'Failed') failed += 1;
      else if (got === 'Denied') denied += 1;
    },
    leftOut() {
      leftOut += 1;
    },
  };
  const hear = (message: string): void => {
    problem ??= truncate(message, MOST_PROBLEM);
  };
  const nodes = clients.map((client) => checkNode(client, window, hear));
  await runSteadyTraffic({ nodes, ...traffic, room }, listener, stop, lifetime);
  if (leftOut > 0) throw new BaselineError(leftOutShortfall(leftOut));
  const open = sent - answered;
  // An answer that is none has failed, too, and is open all the same.
  const refused = Math.max(0, failed - open);
  return { allowed, sent, open, refused, denied, ...(problem !== undefined && { problem }) };
}

/** The counters once nodes and Redis agree, or as they are in the end. @throws BaselineError where they could not be read */
export async function atRest(
  { observers, redis, now }: ControlOptions,
  window: SampledWindow,
  withinMs: number,
  signal: AbortSignal,
): Promise<Pick<Counting, 'admitted' | 'stored'>> {
  const deadline = performance.now() + withinMs;
  let last: Pick<Counting, 'admitted' | 'stored'> | undefined;
  let problem: string | undefined;
  do {
    const sample = await sampleCounters(observers, redis, window, now, signal);
    const { admitted, stored } = sample;
    if (stored === undefined || admitted.size < observers.length) {
      problem = sample.problems[0] ?? `${sample.elsewhere.join(', ')} lost the key`;
    } else {
      last = { admitted, stored };
      if (totalAdmitted(sample) === stored) return last;
    }
    await pauseFor(SAMPLE_EVERY_MS, signal);
  } while (performance.now() < deadline);
  if (last) return last;
  throw new BaselineError(`the counters could not be read without any fault: ${problem}`);
}

/** How long counters may take to come to rest, in milliseconds. */
export function restWithinMs({ timeoutMs }: ControlOptions): number {
  return Math.max(REST_MS, timeoutMs);
}
