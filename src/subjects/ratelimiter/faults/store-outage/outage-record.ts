/**
 * What callers got around one pause of Redis, and where the invariant stands: that they
 * get nothing but what is accepted, and no more than the limit unless FailsOpen is. Pure.
 */

import { counted } from '../../../../api/index.ts';
import type { InvariantReading } from '../../../../demo/observed.ts';
import { listed } from '../../../targets/refusal.ts';
import type { CallerRequest } from '../../interfaces/caller-request.ts';
import type { OverAdmission } from '../../limits/over-admission.ts';
import { EARLY_MS } from '../redis-pause/pause.ts';
import {
  type Behaviour,
  behaviourOf,
  type Counts,
  countsOf,
  type OutageBehaviour,
  type OutageSettings,
  type OutageSpan,
} from './behaviour.ts';
import { asOfOneLimit } from './one-limit.ts';
import { type Phases, phasesOf } from './phases.ts';
import { latencyOf, wellAgainAfter } from './recovery.ts';

/** More is not kept; traffic of 1,000 a second, the most that a run may send, stays below it for two minutes. */
const MOST_REQUESTS = 130_000;

/** When writes stood still, as far as it is known; milliseconds since the epoch. */
export interface OutageTimes {
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** The planned end. */
  readonly until: number;
  /** From when on nobody knows whether Redis was still paused. */
  readonly doubtfulFrom?: number;
}

export class OutageRecord {
  readonly #settings: OutageSettings;
  readonly #accept: readonly Behaviour[];
  readonly #all: CallerRequest[] = [];
  #gone: ReadonlySet<string> = new Set();
  #left = 0;

  constructor(settings: OutageSettings, accept: readonly Behaviour[]) {
    this.#settings = settings;
    this.#accept = accept;
  }

  /** Those of the one limit that all share, in their order; none where each kind of callers has its own. */
  get ofOneLimit(): readonly CallerRequest[] {
    const { oneLimitFrom = Number.POSITIVE_INFINITY } = this.#settings;
    return asOfOneLimit(this.#settings, this.#all).filter(({ sentAt }) => sentAt >= oneLimitFrom);
  }

  add(request: CallerRequest): void {
    if (this.#all.length < MOST_REQUESTS) this.#all.push(request);
    else this.#left += 1;
  }

  /** These nodes were deleted or made anew meanwhile: what their callers did not get is not of the fault. */
  setAside(gone: readonly string[]): void {
    this.#gone = new Set(gone.filter((name) => this.#settings.nodes.includes(name)));
  }

  /** Of the nodes that are still there; what the others let through beyond the limit was let through all the same. */
  get #requests(): readonly CallerRequest[] {
    const all = asOfOneLimit(this.#settings, this.#all);
    if (this.#gone.size === 0) return all;
    return all.filter(
      ({ caller, got, node }) =>
        !this.#gone.has(node) || (got === 'Admitted' && (caller === 'Beyond' || this.#isOneLimit)),
    );
  }

  get #staying(): OutageSettings {
    const nodes = this.#settings.nodes.filter((name) => !this.#gone.has(name));
    return { ...this.#settings, nodes };
  }

  /** As {@link OutageBehaviour.excess}; undefined while it cannot be judged. */
  excess(times: OutageTimes): OutageBehaviour['excess'] | undefined {
    const span = spanOf(times);
    return span && behaviourOf(this.#staying, this.#requests, span).excess;
  }

  /**
   * Judged once the fault has ended and the answers are there. `finishedAt` is when the last request of the watch
   * had its answer, in milliseconds since the epoch.
   */
  reading(times: OutageTimes, finishedAt: number | undefined): InvariantReading {
    const known = spanOf(times);
    const requests = this.#requests;
    const judged = known && behaviourOf(this.#staying, requests, known);
    const shortfalls = [...(judged?.shortfalls ?? []), ...this.#missing(times)];
    const proven = finishedAt !== undefined && shortfalls.length === 0;
    const brokenAt = proven && judged && known ? this.#brokenAt(judged, requests, known) : undefined;
    if (judged && brokenAt === undefined) shortfalls.push(...this.#doubts(judged));
    return {
      measures: judged && known ? this.#measures(judged, requests, known) : [],
      summary: judged ? summaryOf(judged) : 'not judged yet',
      ...(finishedAt !== undefined && brokenAt !== undefined && { detectedAt: finishedAt, brokenAt }),
      watchedUntil: finishedAt ?? this.#requests.at(-1)?.endedAt ?? 0,
      complete: finishedAt !== undefined,
      shortfalls,
      evidence: judged && known ? this.#evidence(judged, requests, known) : [],
    };
  }

  get #isOneLimit(): boolean {
    return this.#settings.oneLimitFrom !== undefined;
  }

  #missing({ doubtfulFrom, endedAt, until }: OutageTimes): string[] {
    const missing: string[] = [];
    if (endedAt === undefined) missing.push('the end of the fault was not seen');
    else if (endedAt < until - EARLY_MS) {
      missing.push(`the fault ended ${Math.round(until - endedAt)} ms before its time`);
    }
    if (doubtfulFrom !== undefined && doubtfulFrom < until - EARLY_MS) {
      missing.push(
        `whether Redis was still paused is not known from ${Math.round(until - doubtfulFrom)} ms before the planned end on`,
      );
    }
    if (this.#staying.nodes.length === 0) missing.push('no node was there to the end');
    if (this.#left > 0) missing.push(`${counted(this.#left, 'request')} were more than are kept`);
    return missing;
  }

  /** When the first caller got what is not accepted; where no one caller shows it, when the pause began. */
  #brokenAt(
    { behaviour, over }: OutageBehaviour,
    requests: readonly CallerRequest[],
    span: OutageSpan,
  ): number | undefined {
    const moments: number[] = [];
    if (this.#isTooMuch(over)) moments.push(over.exceededAt ?? span.startedAt);
    if (behaviour !== 'FailsOpen' && !this.#accept.includes(behaviour)) {
      const { during } = phasesOf(requests, span, this.#settings.callerTimeoutMs);
      const first = during.find(
        ({ caller, got }) => caller === 'Within' && (got === 'Admitted') === (behaviour === 'Holds'),
      );
      moments.push(first?.endedAt ?? span.startedAt);
    }
    return moments.length > 0 ? Math.min(...moments) : undefined;
  }

  /** Why nothing is proven to hold that the pause does not show broken. */
  #doubts({ after: { more } }: OutageBehaviour): string[] {
    const doubts: string[] = [];
    if (this.#gone.size > 0) {
      doubts.push(`${this.#goneText()}, and what callers did not get there may be of that`);
    }
    if (more > 0 && !this.#accept.includes('FailsOpen')) {
      doubts.push(
        `after the pause the caller beyond its limit was let through ${counted(more, 'time')} more than the limit allows: it is not kept then, or subject.rateLimiter.limit is another`,
      );
    }
    return doubts;
  }

  #goneText(): string {
    return `${listed([...this.#gone])} ${this.#gone.size === 1 ? 'was' : 'were'} deleted or made anew meanwhile`;
  }

  /** Milliseconds from the end of the fault until callers were served as before; undefined: they were not yet, or nobody knows. */
  wellAfter(times: OutageTimes): number | undefined {
    const span = spanOf(times);
    if (!span) return undefined;
    const requests = this.#requests;
    const { after } = behaviourOf(this.#staying, requests, span);
    return wellAgainAfter(this.#staying.nodes, requests, span, {
      lastBeyondAt: after.lastAt,
      oneLimit: this.#isOneLimit,
    });
  }

  /** Whatever callers within their limit got: more than the limit is accepted as FailsOpen alone. */
  #isTooMuch({ excess }: OverAdmission): boolean {
    return excess > 0 && !this.#accept.includes('FailsOpen');
  }

  #measures(
    { after: { lastAt }, byNode, over }: OutageBehaviour,
    requests: readonly CallerRequest[],
    span: OutageSpan,
  ) {
    const within = total([...byNode.values()].map((node) => node.within));
    const asked = within.Admitted + within.Denied + within.Failed + within.Unanswered;
    const { after, before, during } = phasesOf(requests, span, this.#settings.callerTimeoutMs);
    const well = wellAgainAfter(this.#staying.nodes, requests, span, {
      lastBeyondAt: lastAt,
      oneLimit: this.#isOneLimit,
    });
    const whole = (name: string, value: number | undefined, unit: string) =>
      value === undefined ? [] : [{ name, value: Math.round(value), unit }];
    const served = [
      { name: 'notServed', value: asked - within.Admitted, unit: 'requests' },
      { name: 'withinLimit', value: asked, unit: 'requests' },
    ];
    const beyond = { name: 'overAdmission', value: over.excess, unit: 'requests' };
    return [
      // The first one stands in the sentence that says what was broken.
      ...(this.#isTooMuch(over) ? [beyond, ...served] : [...served, beyond]),
      ...whole('latencyBefore', latencyOf(before)?.p50Ms, 'ms'),
      ...whole('latencyDuring', latencyOf(during)?.p50Ms, 'ms'),
      ...whole('latencyAfter', latencyOf(after)?.p50Ms, 'ms'),
      ...whole('wellAfter', well, 'ms'),
    ];
  }

  #evidence(
    { after: { more }, behaviour, byNode, excess, over, reached }: OutageBehaviour,
    requests: readonly CallerRequest[],
    span: OutageSpan,
  ): string[] {
    const lines = [...byNode].map(
      ([node, { behaviour, beyond, beyondAtEdges, reaching, within }]) =>
        `${node} ${behaviour}: within the limit ${countsText(within)}; beyond it ${countsText(beyond)}${this.#isOneLimit ? '' : `; coming to it ${countsText(reaching)}`}${beyondAtEdges > 0 ? `; ${beyondAtEdges} more admitted as the pause began or ended` : ''}`,
    );
    if (this.#gone.size > 0) lines.push(`${this.#goneText()}: what else happened there is not told`);
    lines.push(
      over.excess > 0
        ? `Beyond the limit${excess.reaching > excess.beyond ? ', of a caller that came to it in the pause' : ''}: ${over.admitted} admitted within ${Math.round(over.to - over.from)} ms, where ${over.bound} are the most${this.#isTooMuch(over) ? '; not accepted, since accept does not name FailsOpen' : ''}`
        : 'Beyond the limit: until the end of the pause no more admitted than it allows',
      ...(behaviour === 'Holds' && !this.#isOneLimit
        ? [
            reached
              ? 'A caller that came to its limit in the pause was then denied by every node'
              : 'No caller was seen to be denied by every node as it came to its limit in the pause: what such a one gets is not told',
          ]
        : []),
    );
    const phases = phasesOf(requests, span, this.#settings.callerTimeoutMs);
    lines.push(answersText(phases), this.#afterText(phases.after, more));
    return lines;
  }

  #afterText(after: readonly CallerRequest[], more: number): string {
    const [within, beyond] = [countsOf(after, 'Within'), countsOf(after, 'Beyond')];
    const tooMuch = more > 0 ? `, ${more} more than the limit allows` : '';
    if (this.#isOneLimit) {
      return `After the pause the same caller got ${countsText(total([within, beyond]))}${tooMuch}`;
    }
    const other = more > 0 ? `; the one beyond it got ${countsText(beyond)}${tooMuch}` : '';
    return `After the pause callers within their limit got ${countsText(within)}${other}`;
  }
}

/** When writes stood still; undefined while one end of it is not known. */
function spanOf({ endedAt, startedAt }: OutageTimes): OutageSpan | undefined {
  return startedAt !== undefined && endedAt !== undefined ? { startedAt, endedAt } : undefined;
}

function summaryOf({ behaviour, over }: OutageBehaviour): string {
  return over.excess > 0 ? `${behaviour}, ${over.admitted} > ${over.bound}` : behaviour;
}

/** Of the answers that came in time: the median and the slowest of each phase, and where there were none. */
function answersText({ after, before, during }: Phases): string {
  const phases = [
    { when: 'before the pause', requests: before },
    { when: 'during it', requests: during },
    { when: 'after it', requests: after },
  ].map((phase) => ({ ...phase, latency: latencyOf(phase.requests) }));
  const took = phases.flatMap(({ latency, requests: { length }, when }) => {
    if (!latency) return [];
    const { answers, maxMs, p50Ms } = latency;
    const came = answers < length ? `; ${answers} of ${length} came in time` : '';
    return [`${p50Ms.toFixed(1)} ms (slowest ${Math.round(maxMs)} ms${came}) ${when}`];
  });
  const none = phases
    .filter(({ latency }) => !latency)
    .map(({ requests, when }) => `${when} nobody ${requests.length > 0 ? 'was answered in time' : 'asked'}`);
  return [...(took.length > 0 ? [`Answers took ${took.join(', ')}`] : []), ...none].join('; ');
}

/** What was admitted, and of the rest what came at all. */
function countsText({ Admitted, Denied, Failed, Unanswered }: Counts): string {
  const rest = Object.entries({ denied: Denied, failed: Failed, unanswered: Unanswered });
  return [
    `${Admitted} admitted`,
    ...rest.flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : [])),
  ].join(', ');
}

function total(all: readonly Counts[]): Counts {
  const sum = { Admitted: 0, Denied: 0, Failed: 0, Unanswered: 0 };
  for (const counts of all) {
    for (const name of ['Admitted', 'Denied', 'Failed', 'Unanswered'] as const) sum[name] += counts[name];
  }
  return sum;
}
