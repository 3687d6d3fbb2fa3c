/**
 * What callers got around one pause of Redis, and whether the invariant holds: they get nothing but what is accepted,
 * and no more than the limit unless FailsOpen is; afterwards they are admitted as before, and get their limit back. Pure.
 */

import { counted, formatDuration, type Measure } from '../../../../api/index.ts';
import type { InvariantReading } from '../../../../demo/observed.ts';
import { CONFIDENCE, excludedAbove } from '../../../../demo/power.ts';
import { listed } from '../../../targets/refusal.ts';
import { admittedAt, type CallerRequest, type LateAnswer } from '../../interfaces/caller-request.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import { EARLY_MS } from '../redis-pause/pause.ts';
import { shareInterval } from '../share-interval.ts';
import {
  type Behaviour,
  behaviourOf,
  LEAST_ASKED,
  type OutageBehaviour,
  type OutageSettings,
  type OutageSpan,
  SHARE,
} from './behaviour.ts';
import { countsOf, countsText, sizeOf, totalOf } from './counts.ts';
import type { LimitReturn } from './limit-return.ts';
import { asOfOneLimit } from './one-limit.ts';
import { type Phases, phasesOf } from './phases.ts';
import { latencyOf, type Recovery, recoveryOf } from './recovery.ts';

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
  /** Where each request stands that has no answer yet. */
  readonly #unanswered = new Map<CallerRequest, number>();
  #gone: ReadonlySet<string> = new Set();
  /** What follows from the requests so far: several figures of one reading go by it, and it takes its time with many. */
  #judged: { readonly span: OutageSpan; readonly behaviour: OutageBehaviour } | undefined;
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
    this.#judged = undefined;
    if (this.#all.length < MOST_REQUESTS) {
      if (request.got === 'Unanswered') this.#unanswered.set(request, this.#all.length);
      this.#all.push(request);
    } else this.#left += 1;
  }

  /** A request that was added as unanswered has an answer after all. */
  addLate(request: CallerRequest, late: LateAnswer): void {
    this.#judged = undefined;
    const index = this.#unanswered.get(request);
    if (index !== undefined) this.#all[index] = { ...request, late };
    this.#unanswered.delete(request);
  }

  /** These pods were deleted or replaced during the watch: what their callers did not get is not of the fault. */
  setAside(gone: readonly string[]): void {
    this.#judged = undefined;
    this.#gone = new Set(gone.filter((name) => this.#settings.nodes.includes(name)));
  }

  /** Of the pods that are still there; what the others admitted beyond the limit was admitted all the same. */
  get #requests(): readonly CallerRequest[] {
    const all = asOfOneLimit(this.#settings, this.#all);
    if (this.#gone.size === 0) return all;
    return all.filter((request) => {
      if (!this.#gone.has(request.node)) return true;
      return admittedAt(request) !== undefined && (request.caller !== 'Within' || this.#isOneLimit);
    });
  }

  get #staying(): OutageSettings {
    const nodes = this.#settings.nodes.filter((name) => !this.#gone.has(name));
    return { ...this.#settings, nodes };
  }

  /** As {@link OutageBehaviour.excess}; undefined while it cannot be judged. */
  excess(times: OutageTimes): OutageBehaviour['excess'] | undefined {
    const span = spanOf(times);
    return span && this.#behaviour(span).excess;
  }

  /** Whether callers recovered after the fault; undefined while it is not known. */
  recovery(times: OutageTimes): Recovery | undefined {
    const span = spanOf(times);
    return span && this.#recoveryOf(this.#behaviour(span), span);
  }

  #behaviour(span: OutageSpan): OutageBehaviour {
    const known = this.#judged;
    if (known && known.span.startedAt === span.startedAt && known.span.endedAt === span.endedAt) {
      return known.behaviour;
    }
    const behaviour = behaviourOf(this.#staying, this.#requests, span);
    this.#judged = { span, behaviour };
    return behaviour;
  }

  #recoveryOf({ after }: OutageBehaviour, span: OutageSpan): Recovery | undefined {
    const known = { lastBeyondAt: after.lastAt, oneLimit: this.#isOneLimit };
    return recoveryOf(this.#staying.nodes, this.#requests, span, known);
  }

  /** Why it does not matter any more whether the limit is returned; undefined: it does. */
  decided(times: OutageTimes, finishedAt: number): string | undefined {
    if (this.reading(times, finishedAt).detectedAt !== undefined) return 'the invariant was broken before';
    const lost = { state: 'NotReturned', callers: 1, lockedOut: 1, waitedMs: 0 } as const;
    const shows = this.reading(times, finishedAt, lost).detectedAt !== undefined;
    return shows ? undefined : 'the proof is incomplete anyway';
  }

  /**
   * Judged once the fault has ended and the answers are there. `finishedAt` is when the last request of the traffic
   * had its answer, in milliseconds since the epoch; `limitReturn` is left out while it is not known.
   */
  reading(times: OutageTimes, finishedAt: number | undefined, limitReturn?: LimitReturn): InvariantReading {
    const span = spanOf(times);
    const requests = this.#requests;
    const judged = span && this.#judge(this.#behaviour(span), requests, span, limitReturn);
    const shortfalls = [...(judged?.shortfalls ?? []), ...this.#missing(times)];
    const proven = finishedAt !== undefined && shortfalls.length === 0;
    const brokenAt = proven ? judged?.brokenAt : undefined;
    if (judged && brokenAt === undefined) shortfalls.push(...judged.doubts);
    return {
      measures: judged?.measures ?? [],
      summary: judged?.summary ?? 'not judged yet',
      ...(finishedAt !== undefined && brokenAt !== undefined && { detectedAt: finishedAt, brokenAt }),
      watchedUntil: finishedAt ?? this.#requests.at(-1)?.endedAt ?? 0,
      complete: finishedAt !== undefined && limitReturn !== undefined,
      shortfalls,
      evidence: judged?.evidence ?? [],
    };
  }

  /** All that follows from what callers got. */
  #judge(
    behaviour: OutageBehaviour,
    requests: readonly CallerRequest[],
    span: OutageSpan,
    limitReturn: LimitReturn | undefined,
  ) {
    const recovery = this.#recoveryOf(behaviour, span);
    const broken = {
      over: this.#isTooMuch(behaviour),
      word: this.#isUnaccepted(behaviour),
      recovery: recovery?.state === 'NotRecovered',
      limitReturn: limitReturn?.state === 'NotReturned',
    };
    const phases = phasesOf(requests, span, this.#settings.callerTimeoutMs);
    const all = { behaviour, broken, limitReturn, phases, recovery };
    return {
      shortfalls: behaviour.shortfalls,
      brokenAt: this.#brokenAt(broken, behaviour, phases, span),
      doubts: this.#doubts(behaviour, recovery, limitReturn),
      summary: summaryOf(behaviour, broken),
      measures: measuresOf(all),
      evidence: this.#evidence(all, requests),
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

  /**
   * When the first caller got what is not accepted; the start of the pause if no single caller shows it, and its end if
   * what was broken came after it.
   */
  #brokenAt(
    broken: Broken,
    { behaviour, over }: OutageBehaviour,
    { during }: Phases,
    { endedAt, startedAt }: OutageSpan,
  ): number | undefined {
    const moments: number[] = [];
    if (broken.over) moments.push(Math.min(over.exceededAt ?? startedAt, endedAt));
    // One that fails open is broken by what was admitted.
    if (broken.word && behaviour !== 'FailsOpen') {
      const first = during.find(
        ({ caller, got }) => caller === 'Within' && (got === 'Admitted') === (behaviour === 'Holds'),
      );
      moments.push(first?.endedAt ?? startedAt);
    }
    if (broken.recovery || broken.limitReturn) moments.push(endedAt);
    return moments.length > 0 ? Math.min(...moments) : undefined;
  }

  /** Whether callers got something else than what is accepted, whatever chance and slow pods may have added. */
  #isUnaccepted({ behaviour, byNode, near }: OutageBehaviour): boolean {
    const accepts = (word: Behaviour): boolean => this.#accept.includes(word);
    if (accepts(behaviour) || (near && accepts(near.other))) return false;
    const slow = slowPods(byNode);
    if (slow.length === 0) return true;
    return [...byNode].some(([node, judged]) => !slow.includes(node) && !accepts(judged.behaviour));
  }

  /** Why nothing is proven to hold that is not shown broken. */
  #doubts(
    judged: OutageBehaviour,
    recovery: Recovery | undefined,
    limitReturn: LimitReturn | undefined,
  ): string[] {
    const { behaviour, near, reached, unknown } = judged;
    const accepts = (word: Behaviour): boolean => this.#accept.includes(word);
    const doubts: string[] = [];
    if (this.#gone.size > 0) {
      doubts.push(`${this.#goneText()}, and what callers did not get there may be of that`);
    }
    if (near && accepts(behaviour) !== accepts(near.other)) {
      doubts.push(
        `${nearText(behaviour, near)}: lengthen storeOutage.pause or raise storeOutage.requestsPerSecond`,
      );
    }
    if (slowPods(judged.byNode).length > 0 && !accepts(behaviour)) doubts.push(slowText(judged));
    if (unknown > 0 && !accepts('FailsOpen')) {
      doubts.push(
        `${counted(unknown, 'request')} of callers over their limit had no answer by the end of the watch, and may have been admitted: lengthen storeOutage.settle, or select fewer pods`,
      );
    }
    if (behaviour === 'Holds' && !this.#isOneLimit && reached.size === 0 && !accepts('FailsOpen')) {
      doubts.push(
        'no caller that crossed its limit in the pause was rejected by every pod, so it is not shown that the limit holds: lengthen storeOutage.pause or raise storeOutage.requestsPerSecond',
      );
    }
    if (limitReturn?.state === 'Unclear') doubts.push(returnText(limitReturn));
    if (recovery?.state === 'Unclear') {
      doubts.push(
        'a few requests failed until the end of the watch, so recovery is not shown: lengthen storeOutage.settle',
      );
    }
    return doubts;
  }

  #goneText(): string {
    return `${listed([...this.#gone])} ${this.#gone.size === 1 ? 'was' : 'were'} deleted or replaced during the watch`;
  }

  /** Whatever callers under their limit got: more than the limit is accepted as FailsOpen only. */
  #isTooMuch({ over: { excess } }: OutageBehaviour): boolean {
    return excess > 0 && !this.#accept.includes('FailsOpen');
  }

  #evidence(
    { behaviour: judged, broken, limitReturn, phases, recovery }: Judged,
    requests: readonly CallerRequest[],
  ): string[] {
    const { behaviour, byNode, excess, near, over, reached, unknown } = judged;
    const late = lateOf(requests);
    const lines = [
      over.excess > 0
        ? `Over the limit${excess.crossing > excess.beyond ? ', by a caller that crossed it in the pause' : ''}: ${over.admitted} admitted within ${Math.round(over.to - over.from)} ms, ${over.bound} are the most${broken.over ? '; not accepted, since accept does not name FailsOpen' : ''}`
        : `Over the limit: no more admitted than it allows${this.#testedText(judged, requests)}`,
      ...(late > 0
        ? [
            `${counted(late, 'request')} ${late === 1 ? 'was' : 'were'} admitted after the caller had given up`,
          ]
        : []),
      ...(unknown > 0
        ? [`${counted(unknown, 'request')} over the limit had no answer by the end of the watch`]
        : []),
      ...(near ? [nearText(behaviour, near)] : []),
      ...(behaviour === 'Holds' && !this.#isOneLimit ? [reachedText(reached)] : []),
      answersText(phases),
      this.#afterText(judged, phases.after, recovery),
      ...(limitReturn ? [returnText(limitReturn)] : []),
      ...([...byNode.values()].some(({ control }) => control.Unanswered > 0) ? [slowText(judged)] : []),
    ];
    if (this.#gone.size > 0) lines.push(`${this.#goneText()}: what else happened there is left out`);
    for (const [node, { behaviour: word, beyond, beyondAtEdges, crossing, within }] of byNode) {
      lines.push(
        `${node} ${word}: under the limit ${countsText(within)}; over it ${countsText(beyond)}${this.#isOneLimit ? '' : `; crossing it ${countsText(crossing)}`}${beyondAtEdges > 0 ? `; ${beyondAtEdges} more admitted late, or as the pause began or ended` : ''}`,
      );
    }
    return lines;
  }

  /** Of how many callers, and so what share of callers would have shown itself; '' if not all is known of them. */
  #testedText({ unknown }: OutageBehaviour, requests: readonly CallerRequest[]): string {
    if (unknown > 0) return ', as far as is known';
    if (this.#isOneLimit) return ', of the one caller';
    const limited = requests.filter(({ caller }) => caller !== 'Within' && caller !== 'Control');
    const sent = Map.groupBy(limited, ({ caller, key }) => (caller === 'Crossing' ? key : caller));
    // Who sent no more than its limit could not exceed it.
    const full = admittedAtOnce(this.#settings.limit);
    const callers = [...sent.values()].filter(({ length }) => length > full).length;
    if (callers === 0) return '';
    return `, of ${counted(callers, 'caller')}; a failure that hits more than ${excludedAbove(callers)} % of callers is excluded at ${CONFIDENCE} % confidence`;
  }

  #afterText(
    { after: { more } }: OutageBehaviour,
    after: readonly CallerRequest[],
    recovery: Recovery | undefined,
  ): string {
    const [within, beyond] = [countsOf(after, 'Within'), countsOf(after, 'Beyond')];
    const tooMuch = more > 0 ? `, ${more} more than the limit allows` : '';
    const failed =
      recovery?.state === 'NotRecovered'
        ? `. Not recovered within ${formatDuration(Math.round(recovery.watchedMs))} at ${listed([...recovery.nodes])}; the run watched no longer`
        : '';
    if (this.#isOneLimit) {
      return `After the pause the same caller got ${countsText(totalOf([within, beyond]))}${tooMuch}${failed}`;
    }
    const other = more > 0 ? `; the one over its limit got ${countsText(beyond)}${tooMuch}` : '';
    return `After the pause callers under their limit got ${countsText(within)}${other}${failed}`;
  }
}

/** Which parts of the invariant are broken. */
interface Broken {
  readonly over: boolean;
  readonly word: boolean;
  readonly recovery: boolean;
  readonly limitReturn: boolean;
}

interface Judged {
  readonly behaviour: OutageBehaviour;
  readonly broken: Broken;
  readonly limitReturn: LimitReturn | undefined;
  readonly phases: Phases;
  readonly recovery: Recovery | undefined;
}

/** The measure of what was broken comes first: it is in the sentence that reports it. */
function measuresOf({ behaviour, broken, limitReturn, phases, recovery }: Judged): Measure[] {
  const within = totalOf([...behaviour.byNode.values()].map((node) => node.within));
  const sent = sizeOf(within);
  const whole = (name: string, value: number | undefined, unit: string) =>
    value === undefined ? [] : [{ name, value: Math.round(value), unit }];
  const served = [
    { name: 'notServed', value: sent - within.Admitted, unit: 'requests' },
    { name: 'withinLimit', value: sent, unit: 'requests' },
  ];
  const over = {
    name: 'overAdmission',
    value: behaviour.over.excess,
    unit: 'requests',
    ...(behaviour.unknown > 0 && { atLeast: true }),
  };
  const well =
    recovery?.state === 'NotRecovered'
      ? [{ name: 'wellAfter', value: Math.round(recovery.watchedMs), unit: 'ms', atLeast: true }]
      : whole('wellAfter', recovery?.state === 'Recovered' ? recovery.afterMs : undefined, 'ms');
  const lockedOut =
    limitReturn?.state === 'NotReturned'
      ? [{ name: 'lockedOut', value: limitReturn.lockedOut, unit: 'callers', bound: 0 }]
      : [];
  const latencies = [
    ...whole('latencyBefore', latencyOf(phases.before)?.p50Ms, 'ms'),
    ...whole('latencyDuring', latencyOf(phases.during)?.p50Ms, 'ms'),
    ...whole('latencyAfter', latencyOf(phases.after)?.p50Ms, 'ms'),
  ];
  if (broken.over) return [over, ...served, ...latencies, ...well, ...lockedOut];
  if (broken.word || !(broken.recovery || broken.limitReturn)) {
    return [...served, over, ...latencies, ...well, ...lockedOut];
  }
  return broken.recovery
    ? [...well, ...served, over, ...latencies, ...lockedOut]
    : [...lockedOut, ...served, over, ...latencies, ...well];
}

/** When writes stood still; undefined while one end of it is not known. */
function spanOf({ endedAt, startedAt }: OutageTimes): OutageSpan | undefined {
  return startedAt !== undefined && endedAt !== undefined ? { startedAt, endedAt } : undefined;
}

function summaryOf({ behaviour, over }: OutageBehaviour, { limitReturn, recovery }: Broken): string {
  const figures = over.excess > 0 ? `, ${over.admitted} > ${over.bound}` : '';
  const rest = recovery ? '; not recovered' : limitReturn ? '; limit not returned' : '';
  return `${behaviour}${figures}${rest}`;
}

function nearText(behaviour: Behaviour, { count, of, other }: NonNullable<OutageBehaviour['near']>): string {
  const { from, to } = shareInterval(count, of);
  const percent = (share: number): string => (100 * share).toFixed(0);
  return `${behaviour} or ${other} is near the border of ${percent(SHARE)} %: ${count} of ${of} requests had the same outcome (${percent(from)} to ${percent(to)} % at 95 % confidence)`;
}

/**
 * Pods that may be slow, which may be why callers under their limit had no answer: some requests that need no limiter
 * had none either. If none of them had, the path needs Redis like the limiter, and shows nothing. If callers had none
 * first, the limiter may have taken up what such a request needs, as a pool of threads.
 */
function slowPods(byNode: OutageBehaviour['byNode']): string[] {
  return [...byNode].flatMap(([node, { control, hungFirst, within }]) => {
    const { from, to } = shareInterval(control.Unanswered, sizeOf(control));
    const isSlow = within.Unanswered > 0 && hungFirst < LEAST_ASKED && from > 1 - SHARE && to < SHARE;
    return isSlow ? [node] : [];
  });
}

function slowText({ byNode }: OutageBehaviour): string {
  const slow = [...byNode].flatMap(([node, { control }]) =>
    control.Unanswered > 0 ? [`${node} (${control.Unanswered} of ${sizeOf(control)})`] : [],
  );
  return `Requests that need no limiter had no answer in time either at ${listed(slow)}: the pods may be slow, or the path needs Redis. Give the pods more CPU, or set interface.http.health.path to one that needs no limiter`;
}

function reachedText(reached: ReadonlySet<string>): string {
  const names = [
    ...(reached.has('Reaching') ? ['a new caller'] : []),
    ...(reached.has('Crossing') ? ['callers that had one request left'] : []),
  ];
  return names.length > 0
    ? `Rejected by every pod in the pause: ${listed(names)}`
    : 'No caller that crossed its limit in the pause was rejected by every pod: what such a caller gets is not shown';
}

function returnText(limitReturn: LimitReturn): string {
  switch (limitReturn.state) {
    case 'Returned':
      return `The limit was returned: ${counted(limitReturn.callers, 'caller')} that had used it up got a request admitted again`;
    case 'NotReturned':
      return `The limit was not returned: ${limitReturn.lockedOut} of ${counted(limitReturn.callers, 'caller')} that had used it up ${limitReturn.lockedOut === 1 ? 'was' : 'were'} still rejected ${Math.round(limitReturn.waitedMs / 1000)} s later: their keys do not expire, or the window is longer than limit.window`;
    case 'Unclear':
      return `Whether the limit is returned is not clear: requests of ${limitReturn.unclear} of ${counted(limitReturn.callers, 'caller')} that had used it up had an error or no answer`;
    case 'NotChecked':
      return `Whether the limit is returned was not checked: ${limitReturn.why}`;
    default:
      return limitReturn satisfies never;
  }
}

/** Requests that were admitted after their callers had given up. */
function lateOf(requests: readonly CallerRequest[]): number {
  return requests.filter(({ late }) => late?.got === 'Admitted').length;
}

/** Of the answers that came in time: the median and the slowest of each phase, and where there were none. */
function answersText({ after, before, during }: Phases): string {
  const phases = [
    { when: 'before the pause', requests: before },
    { when: 'during it', requests: during },
    { when: 'after it', requests: after },
  ].map(({ when, requests }) => {
    const ofLimiter = requests.filter(({ caller }) => caller !== 'Control');
    return { when, requests: ofLimiter, latency: latencyOf(ofLimiter) };
  });
  const took = phases.flatMap(({ latency, requests: { length }, when }) => {
    if (!latency) return [];
    const { answers, maxMs, p50Ms } = latency;
    const came = answers < length ? `; ${answers} of ${length} came in time` : '';
    return [`${p50Ms.toFixed(1)} ms (slowest ${Math.round(maxMs)} ms${came}) ${when}`];
  });
  const none = phases
    .filter(({ latency }) => !latency)
    .map(
      ({ requests, when }) =>
        `${when} ${requests.length > 0 ? 'no request was answered in time' : 'no request was sent'}`,
    );
  return [...(took.length > 0 ? [`Answers took ${took.join(', ')}`] : []), ...none].join('; ');
}
