/** GhostAllowing in the API: its parameters, its rules, and which specs can prove nothing. */
import { z } from 'zod';
import { counted, type FaultApi, formatDuration, type ScenarioSpec } from '../../../../api/index.ts';
import { MAX_AHEAD_MS } from '../../../../engine/fault-times.ts';
import { CONFIDENCE } from '../../../../engine/power.ts';
import { togetherMs } from '../../checkers/bursts.ts';
import { MOST_REQUESTS_KEPT } from '../../history/history.ts';
import { TLS_COST } from '../../http/dial.ts';
import { admittedAtOnce, mostAdmitted, type RateLimit } from '../../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS, fitsWindow, windowEnd } from '../../limits/window-turn.ts';
import { limitOf, timeoutOf } from '../../spec/limit-of-spec.ts';
import { PART, type RateLimiterSpec } from '../../spec/schema.ts';
import { cooldownMs, isOfOneCaller } from '../cooldowns.ts';
import { parametersBy, sumOf } from '../scenario-type.ts';

/** Requests of the largest burst. */
const MOST_SENT = 10_000;
const MOST_TIMES = 100;
/** Trials of one fault. */
const MOST_TRIALS = 100;
/**
 * A burst sends this many times its limit to each pod: with only its limit, a pod whose own requests race could not
 * exceed it. For one pod at least {@link LEAST_TIMES} in total.
 */
const TIMES_EACH = 2;
const LEAST_TIMES = 3;

/** What each further trial may add to the length of the fault: its pause, its connections and its answers. */
export const TRIAL_MS = 500;

/** A usual burst takes less than this; milliseconds. */
const BURST_MS = 1000;

const schema = z
  .object({
    multiplier: z
      .int()
      .min(2)
      .max(MOST_TIMES)
      .optional()
      .describe(
        'The burst has limit.requests times this many requests. Left out: twice as many for each pod as the limit admits at once, and at least three times as many in all. That is capped at what one burst may have. With expect Held it must be at least the number of pods, so that each pod gets as many as the limit admits.',
      ),
    trials: z
      .int()
      .min(1)
      .max(MOST_TRIALS)
      .default(3)
      .describe(
        `Number of bursts, each of a caller whose limit is replenished. One violation is enough for Violated. Held reports what so many trials exclude at ${CONFIDENCE} % confidence. 3 trials exclude a violation in more than 64 % of bursts, 10 in 26 %, 59 in 5 %.`,
      ),
  })
  .describe('Sends a burst to all pods at once and counts what is admitted; for type GhostAllowing.');

export const api = {
  type: 'GhostAllowing',
  member: 'ghostAllowing',
  schema,
  conditionMeaning: 'More requests were admitted in one window than the limit allows, in this run.',
  measures: [
    {
      name: 'admitted',
      unit: 'requests',
      grows: true,
      meaning: 'Requests admitted in one window by all pods; its bound is the limit.',
    },
    {
      name: 'trials',
      unit: 'trials',
      grows: true,
      meaning: 'Bursts that were sent, each of a caller whose limit was replenished.',
    },
    {
      name: 'trialsViolated',
      unit: 'trials',
      grows: true,
      meaning:
        'Bursts of which more than the limit was admitted; the other figures are those of the worst burst.',
    },
    {
      name: 'excludesAbove',
      unit: '%',
      meaning: `If no trial violated the limit: at ${CONFIDENCE} % confidence, no larger share of bursts is over-admitted.`,
    },
    { name: 'requests', unit: 'requests', meaning: 'Requests of the burst.' },
    { name: 'rejected', unit: 'requests', meaning: 'Requests of the burst that were rejected.' },
    {
      name: 'errors',
      unit: 'requests',
      meaning: 'Requests of the burst that were answered with an error, or not sent.',
    },
    {
      name: 'timeouts',
      unit: 'requests',
      meaning: 'Requests of the burst that were not answered in time, or whose connection broke.',
    },
  ],
  finding: (result, summary) =>
    result === 'Violated'
      ? `over-admits under concurrency (${summary})`
      : `keeps its limit under concurrency (${summary})`,
} as const satisfies FaultApi;

export const parametersOf: (scenario: ScenarioSpec) => z.output<typeof schema> = parametersBy(api);

/** Requests of each burst to this many pods. */
export function requestsOf(scenario: ScenarioSpec, limiter: RateLimiterSpec, pods: number): number {
  const { multiplier } = parametersOf(scenario);
  if (multiplier !== undefined) return limiter.limit.requests * multiplier;
  const times = Math.max(LEAST_TIMES, TIMES_EACH * pods);
  return Math.min(times * admittedAtOnce(limitOf(limiter)), mostSent(limiter));
}

/** Requests that one burst may have. */
function mostSent({ http }: RateLimiterSpec): number {
  return http.tlsServerName ? MOST_SENT / TLS_COST : MOST_SENT;
}

/**
 * A burst is sent while this much is left of a window by the clock, if the window is long enough; milliseconds. The
 * time that its answers may take, unless that is most of the window.
 */
export function burstRoomMs(limiter: RateLimiterSpec): number {
  const timeoutMs = timeoutOf(limiter);
  return fitsWindow(limitOf(limiter), 2 * timeoutMs) ? timeoutMs : BURST_MS;
}

/** Time that the trials after the first add to the fault, including all waits for the ends of windows; milliseconds. */
export function trialsMs(scenario: ScenarioSpec, limiter: RateLimiterSpec): number {
  const { trials } = parametersOf(scenario);
  const ms = (trials - 1) * (TRIAL_MS + cooldownMs(limiter));
  const limit = limitOf(limiter);
  const roomMs = burstRoomMs(limiter);
  if (windowEnd(limit, 0) === undefined || !fitsWindow(limit, roomMs)) return ms;
  const waitMs = 2 * CLOCK_WITHIN_MS + roomMs;
  const windows = 1 + Math.floor(ms / Math.max(1, limit.windowMs - waitMs));
  return ms + Math.min(trials, windows) * waitMs;
}

/** From the announcement of the first burst to the last answer, with as long again for the start; milliseconds. */
export function storyMs(scenario: ScenarioSpec, limiter: RateLimiterSpec): number {
  const { timeout } = limiter.health;
  return sumOf(scenario.countdown, timeout, timeout) + trialsMs(scenario, limiter);
}

/** The most that a correct limiter may admit of a burst of this many requests. */
function mostOf(limit: RateLimit, sent: number): number {
  const from = CLOCK_WITHIN_MS;
  const clock = fitsWindow(limit, BURST_MS) ? { clockWithinMs: CLOCK_WITHIN_MS } : {};
  return mostAdmitted(limit, { from, to: from + togetherMs(sent), fresh: true, ...clock });
}

/** Why no run on this many pods can end as expected. */
export function unprovable(
  scenario: ScenarioSpec,
  limiter: RateLimiterSpec,
  pods: number,
): string | undefined {
  const { limit } = limiter;
  const { multiplier, trials } = parametersOf(scenario);
  const name = `scenario ${scenario.name}`;
  const late = tooManyTrials(scenario, limiter);
  if (late !== undefined) return late;
  const sent = requestsOf(scenario, limiter, pods);
  if (sent > mostSent(limiter)) {
    const why = sent > MOST_SENT ? '' : ', since with http.tlsServerName each has its own connection';
    return `${name}: limit.requests ${limit.requests} x ghostAllowing.multiplier ${multiplier} = ${sent} requests, and a burst has at most ${mostSent(limiter)}${why}: lower ghostAllowing.multiplier`;
  }
  if (sent * trials > MOST_REQUESTS_KEPT) {
    return `${name}: ${counted(trials, 'trial')} of ${sent} requests are more than the ${MOST_REQUESTS_KEPT} that a history keeps: lower ghostAllowing.trials or multiplier`;
  }
  const burst =
    multiplier === undefined
      ? `The burst has ${sent}, the most that one run may send`
      : `The burst has limit.requests ${limit.requests} x ghostAllowing.multiplier ${multiplier} = ${sent}`;
  const full = admittedAtOnce(limitOf(limiter));
  const most = mostOf(limitOf(limiter), sent);
  if (sent <= most) {
    return `${name}: a correct limiter may admit ${most} requests of a burst: ${PART}.limit.burst at once, tokens that come back, and those of the next window if one of ${PART}.limit.window ${limit.window} ends. ${burst}, so it can show nothing: ${raise(limit.requests, most + 1)}, or correct limit.burst`;
  }
  // An anomaly may show on some of the pods; its absence has to be shown on each, up to all that it admits.
  const needed = pods * full;
  if (scenario.expect !== 'Held' || sent >= needed) return undefined;
  return `${name}: Held needs as many requests to each of ${counted(pods, 'pod')} as it admits at once, ${pods} x ${full} = ${needed}. ${burst}, and a pod that ignores the others could not show it. So ${raise(limit.requests, needed)}, or select fewer pods`;
}

/** Why this many trials take longer than one fault may; undefined: they do not. */
function tooManyTrials(scenario: ScenarioSpec, limiter: RateLimiterSpec): string | undefined {
  const { trials } = parametersOf(scenario);
  const timeoutMs = timeoutOf(limiter);
  const takeMs = timeoutMs + trialsMs(scenario, limiter);
  if (takeMs <= MAX_AHEAD_MS) return undefined;
  const eachMs = (takeMs - timeoutMs) / Math.max(1, trials - 1);
  const most = 1 + Math.max(0, Math.floor((MAX_AHEAD_MS - timeoutMs) / eachMs));
  const cooldowns = isOfOneCaller(limiter)
    ? `, each after up to ${formatDuration(cooldownMs(limiter))} until the limit is replenished`
    : '';
  return `scenario ${scenario.name}: ${counted(trials, 'trial')} take up to ${formatDuration(takeMs)}${cooldowns}, and a fault lasts at most ${formatDuration(MAX_AHEAD_MS)}: set ghostAllowing.trials to ${most} or less${cooldowns === '' ? '' : ', or give the rate limiter a shorter window for the test'}`;
}

/** Settings that give a burst of at least `needed` requests. */
function raise(requests: number, needed: number): string {
  const multiplier = Math.ceil(needed / requests);
  return multiplier <= MOST_TIMES && multiplier * requests <= MOST_SENT
    ? `set ghostAllowing.multiplier to ${multiplier} or more`
    : `lower the limit (${needed} requests are more than one run may send)`;
}
