/** The parameters of a scenario of bursts on its rate limiter, and which specs can prove nothing. Pure. */

import { z } from 'zod';
import { counted, type FaultApi, formatDuration } from '../../../../api/index.ts';
import { CONFIDENCE } from '../../../../engine/power.ts';
import { MOST_REQUESTS_KEPT } from '../../../history/history.ts';
import { TLS_COST } from '../../../http/dial.ts';
import { growing, measures } from '../../../scenarios/measures.ts';
import { wholeField } from '../../../spec/pods-schema.ts';
import { togetherMs } from '../../checkers/bursts.ts';
import { leastOf } from '../../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS, fitsWindow, windowEnd } from '../../limits/window-turn.ts';
import { PART } from '../../spec/schema.ts';
import { LimiterPlan } from '../limiter-plan.ts';

/** The largest multiplier. */
export const MOST_TIMES = 100;
/** Trials of one fault. */
const MOST_TRIALS = 100;
/** They take no longer; milliseconds. */
const LONGEST_MS = 120_000;

const schema = z
  .object({
    multiplier: wholeField(
      2,
      MOST_TIMES,
      'The burst has limit.requests times this many requests. Left out: twice as many for each pod as the limit admits at once. In all, at least three times as many, up to the most of one burst. With expect Held it must be at least the number of pods.',
    ).optional(),
    trials: wholeField(
      1,
      MOST_TRIALS,
      `Number of bursts, each of a caller whose limit is replenished. One violation is enough for Violated. At ${CONFIDENCE} % confidence, 3 trials exclude a violation in more than 64 % of bursts, 10 in 26 %, 59 in 5 %.`,
    ).default(3),
  })
  .describe('Sends a burst to all pods at once and counts what is admitted; for type GhostAllowing.');

export const api = {
  type: 'GhostAllowing',
  member: 'ghostAllowing',
  schema,
  conditionMeaning: 'More requests were admitted in one window than the limit allows, in this run.',
  measures: [
    ...growing('requests', {
      admitted: 'Requests admitted in one window by all pods; its bound is the limit.',
    }),
    ...growing('trials', {
      trials: 'Bursts that were sent, each of a caller whose limit was replenished.',
      trialsViolated:
        'Bursts of which more than the limit was admitted; the other figures are those of the worst burst.',
    }),
    ...measures('%', {
      excludesAbove: `If no trial violated the limit: at ${CONFIDENCE} % confidence, no larger share of bursts is over-admitted.`,
    }),
    ...measures('requests', {
      requests: 'Requests of the burst.',
      rejected: 'Requests of the burst that were rejected.',
      errors: 'Requests of the burst that got an error, or were not sent.',
      timeouts: 'Requests of the burst that got no response in time, or whose connection broke.',
    }),
  ],
  finding: (result, summary) =>
    result === 'Violated'
      ? `over-admits under concurrency (${summary})`
      : `keeps its limit under concurrency (${summary})`,
} as const satisfies FaultApi;

/** Requests of the largest burst. */
const MOST_SENT = 10_000;
/**
 * A burst sends this many times its limit to each pod: with only its limit, a pod whose own requests race could not
 * exceed it. For one pod at least {@link LEAST_TIMES} in total.
 */
const TIMES_EACH = 2;
const LEAST_TIMES = 3;

/** What each further trial may add to the length of the fault: its pause, its connections and its answers. */
const TRIAL_MS = 500;

/** A usual burst takes less than this; milliseconds. */
const BURST_MS = 1000;

export class BurstPlan extends LimiterPlan<z.output<typeof schema>> {
  // The requests are no fault: they show that pods decide separately.
  readonly truth = { anomalies: ['uncoordinated-admission'], at: 'replica' } as const;
  /** The requests of a burst; undefined: that depends on the number of pods. */
  readonly #sent = this.parameters.multiplier && this.parameters.multiplier * this.part.limit.requests;
  /** Requests that one burst may have. */
  readonly mostSent = this.part.http.tls ? MOST_SENT / TLS_COST : MOST_SENT;
  /**
   * A burst is sent while this much is left of a window by the clock, if the window is long enough. The time that its
   * answers may take, unless that is most of the window.
   */
  readonly roomMs = fitsWindow(this.rules, 2 * this.timeoutMs) ? this.timeoutMs : BURST_MS;
  /** Time that the trials after the first add to the fault, including all waits for the ends of windows. */
  readonly trialsMs = this.#trialsMs();
  readonly faultMs = this.timeoutMs + this.trialsMs;
  readonly settleMs = 0;
  /** From the announcement of the first burst to the last answer, with as long again for the start. */
  readonly storyMs = this.countdownMs + 2 * this.timeoutMs + this.trialsMs;

  override callersOn(): number {
    return this.parameters.trials;
  }

  get faultTitle(): string {
    const { trials } = this.parameters;
    const burst =
      this.#sent === undefined
        ? 'A burst of twice the limit to each pod'
        : `A burst of ${this.#sent} requests`;
    const how = this.isOneCaller ? 'with a cool-down between them' : 'on separate keys';
    return `${burst} goes to all pods at once${trials > 1 ? `, ${trials} times ${how}` : ''}`;
  }

  get invariant(): string {
    const { full } = this;
    const of = this.#sent === undefined ? 'the requests of a burst' : `${this.#sent} requests`;
    return full === this.part.limit.requests
      ? `of ${of} at most ${full}, the limit, are admitted in the window`
      : `of ${of} at most ${full} are admitted, and what is replenished during it`;
  }

  /** Requests of each burst to this many pods. */
  requestsTo(pods: number): number {
    const times = Math.max(LEAST_TIMES, TIMES_EACH * pods);
    return this.#sent ?? Math.min(times * this.full, this.mostSent);
  }

  #trialsMs(): number {
    const { cooldownMs, parameters, roomMs, rules, windowMs } = this;
    const ms = (parameters.trials - 1) * (TRIAL_MS + cooldownMs);
    if (windowEnd(rules, 0) === undefined || !fitsWindow(rules, roomMs)) return ms;
    const waitMs = 2 * CLOCK_WITHIN_MS + roomMs;
    const windows = 1 + Math.floor(ms / Math.max(1, windowMs - waitMs));
    return ms + Math.min(parameters.trials, windows) * waitMs;
  }

  unprovable(pods: number): string | undefined {
    const { called: name, faultMs, full, mostSent, parameters, rules, scenario, timeoutMs, trialsMs } = this;
    const { multiplier, trials } = parameters;
    const { requests, window } = this.part.limit;
    if (faultMs > LONGEST_MS) {
      const eachMs = trialsMs / Math.max(1, trials - 1);
      const most = 1 + Math.max(0, Math.floor((LONGEST_MS - timeoutMs) / eachMs));
      return `${name}: ${counted(trials, 'trial')} with their cool-downs take up to ${formatDuration(faultMs)}. A fault lasts at most ${formatDuration(LONGEST_MS)}: set ghostAllowing.trials to ${most} or less`;
    }
    const sent = this.requestsTo(pods);
    if (sent > mostSent) {
      return `${name}: limit.requests ${requests} x ghostAllowing.multiplier ${multiplier} = ${sent} requests, and a burst has at most ${mostSent}: lower ghostAllowing.multiplier`;
    }
    if (sent * trials > MOST_REQUESTS_KEPT) {
      return `${name}: ${counted(trials, 'trial')} of ${sent} requests are more than the ${MOST_REQUESTS_KEPT} that a history keeps: lower ghostAllowing.trials or multiplier`;
    }
    const burst = `The burst has ${counted(sent, 'request')}`;
    const from = CLOCK_WITHIN_MS;
    const clock = fitsWindow(rules, BURST_MS) ? { clockWithinMs: CLOCK_WITHIN_MS } : {};
    const most = leastOf(rules, { from, to: from + togetherMs(sent), fresh: true, ...clock });
    if (sent <= most) {
      return `${name}: a correct limiter may admit ${most} requests of a burst: ${PART}.limit.burst, tokens that come back, and those of the next ${PART}.limit.window ${window}. ${burst}, and can show nothing. So ${raise(requests, most + 1)}, or correct limit.burst`;
    }
    // An anomaly may show on some of the pods; its absence has to be shown on each, up to all that it admits.
    const needed = pods * full;
    if (scenario.expect !== 'Held' || sent >= needed) return undefined;
    return `${name}: Held needs as many requests to each of ${counted(pods, 'pod')} as it admits at once, ${pods} x ${full} = ${needed}. ${burst}, and a pod that ignores the others could not show it. So ${raise(requests, needed)}, or select fewer pods`;
  }
}

/** Settings that give a burst of at least `needed` requests. */
function raise(requests: number, needed: number): string {
  const multiplier = Math.ceil(needed / requests);
  return multiplier <= MOST_TIMES && multiplier * requests <= MOST_SENT
    ? `set ghostAllowing.multiplier to ${multiplier} or more`
    : `lower the limit (${needed} requests are more than one run may send)`;
}
