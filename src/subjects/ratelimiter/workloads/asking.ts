/**
 * New callers that use their limits up, and ask until they are admitted again: when that is shows by which rule the
 * limiter counts.
 */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import type { CallerRequest } from '../../history/events.ts';
import { askingKey } from '../history/caller-keys.ts';
import { type ExhaustOptions, exhaustLimit, MOST_OVER } from '../interfaces/exhaust-limit.ts';
import { mostReturnMs, tellingRequests } from '../limits/counting.ts';
import { admittedAtOnce, type Rules } from '../limits/rate-limit.ts';
import { windowOf } from '../limits/window-turn.ts';

/** So many waits that are alike exclude windows at random, also of a limiter that counts in whole seconds. */
export const ASKING_CALLERS = 8;
/** From the first caller to begin to the last: this part of a window, and no longer. They must not share one phase. */
const [SPREAD_PART, MOST_SPREAD_MS] = [0.3, 4000];
/** Between two requests of a caller that asks: this part of a window, within bounds; milliseconds. */
const [APART_PART, LEAST_APART_MS, MOST_APART_MS] = [0.01, 20, 500];

/** A large limit takes about so long to be used up; milliseconds. */
const USED_UP_MS = 15_000;

export interface AskOptions extends Pick<ExhaustOptions, 'callers' | 'callerTimeoutMs' | 'clients'> {
  readonly fixture: string;
  /** By which the limiter may count. */
  readonly rules: Rules;
  readonly record: (request: CallerRequest) => void;
}

/** The longest that it takes; milliseconds. */
export function longestAskMs(rules: Rules): number {
  const windowMs = windowOf(rules);
  const usedUpMs = Math.min(USED_UP_MS, windowMs);
  return spreadMs(windowMs) + usedUpMs + mostReturnMs(rules, usedUpMs) + 2 * apartMs(windowMs);
}

/** Resolves once each caller is admitted again, or no rule explains that it is not. @throws the reason of `signal` */
export async function askForReturns(options: AskOptions, signal: AbortSignal): Promise<void> {
  const { fixture, rules } = options;
  const everyMs = spreadMs(windowOf(rules)) / (ASKING_CALLERS - 1);
  await Promise.all(
    Array.from({ length: ASKING_CALLERS }, async (_, i) => {
      await pauseFor(i * everyMs, signal);
      await askFor(askingKey(fixture, i), options, signal);
    }),
  );
}

async function askFor(key: string, options: AskOptions, signal: AbortSignal): Promise<void> {
  const { clients, record, rules } = options;
  const windowMs = windowOf(rules);
  const send = async (most: number, from = 0): Promise<readonly CallerRequest[]> => {
    const inTurn = [...clients.slice(from), ...clients.slice(0, from)];
    const { failure, requests } = await exhaustLimit(
      { ...options, clients: inTurn, key, most, rejections: 1, windowMs },
      signal,
    );
    for (const request of requests) record(request);
    return failure ? [] : requests;
  };
  const used = await send(admittedAtOnce(rules) + MOST_OVER);
  const usedUpMs = (used.at(-1)?.endedAt ?? 0) - (used[0]?.sentAt ?? 0);
  const until = performance.now() + mostReturnMs(rules, usedUpMs) + apartMs(windowMs);
  for (let turn = 1; used.length > 0 && performance.now() < until; turn += 1) {
    await pauseFor(apartMs(windowMs), signal);
    const [request] = await send(1, turn % clients.length);
    if (request?.outcome === 'Rejected') continue;
    const [rule] = rules;
    if (rule && request?.outcome === 'Admitted')
      await send(tellingRequests(rule, apartMs(windowMs)), turn % clients.length);
    return;
  }
}

export function spreadMs(windowMs: number): number {
  return Math.min(MOST_SPREAD_MS, SPREAD_PART * windowMs);
}

export function apartMs(windowMs: number): number {
  return Math.max(LEAST_APART_MS, Math.min(MOST_APART_MS, APART_PART * windowMs));
}
