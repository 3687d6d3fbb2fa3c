/** What callers got around one fault of the store, as the checkers of an outage share it. Pure. */

import { type Finding, NOTHING, once } from '../../checkers/checker.ts';
import type { RecordSetup } from '../../checkers/record.ts';
import { admittedAt, phasesOf } from '../../checkers/requests.ts';
import { goneOf, type Seen, seenAfter, seenBy } from '../../checkers/seen.ts';
import type { CallerRequest } from '../../history/events.ts';
import { owedOf } from '../limits/least-owed.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import { returnsWithin } from '../limits/window-turn.ts';
import type { Behaviour } from './behaviour.ts';
import { overOf } from './over.ts';

/** All that the checkers need to know before the first event. */
export interface OutageSetup extends RecordSetup {
  readonly limit: RateLimit;
  /** How long a caller waits; milliseconds. */
  readonly callerTimeoutMs: number;
  /** Before that no key was used, or the one limit was replenished then; milliseconds since the epoch. */
  readonly preparedAt: number;
  readonly clockWithinMs: number;
  /** Whether one caller makes all requests. */
  readonly isOneCaller: boolean;
  /** The caller that exhausted its limit before the fault. */
  readonly overKey: string;
  /** Whether two servers may count at the same time, and the counts of one are lost. */
  readonly countsForked: boolean;
  /** From which the callers are drawn; left out: they are not. */
  readonly seed?: number;
  /** What callers may get in the fault. */
  readonly accept: readonly Behaviour[];
  /** How long after the fault callers may take to be treated as before; milliseconds. */
  readonly settleMs: number;
}

/** The same, with what was found out since. */
export interface CallerSettings extends OutageSetup {
  /** Until when there was certainly no fault; undefined: its start. */
  readonly calmUntil: number | undefined;
  /** Whether every request that was sent is recorded. */
  readonly isGapless: boolean;
  /** When Redis had lost the counts of callers; undefined: it kept them. */
  readonly countsLostAt: number | undefined;
}

export type OutageSeen = Seen<OutageSetup>;

export const outageFold = { init: seenBy<OutageSetup>, step: seenAfter<OutageSeen> };

/** A timer may be early, and a request may be sent in the turn before; milliseconds. */
const TIMER_MS = 50;

/** What all requests together show; undefined until the fault was reported, or its end was seen. */
export const viewOf = once((seen: OutageSeen) => {
  const { dropped, last, leftOut, setup, times } = seen;
  const { endedAt, presumed, startedAt } = times;
  const isSeen = startedAt !== undefined && endedAt !== undefined;
  const span = isSeen ? { startedAt, endedAt } : presumed;
  if (!span) return undefined;
  const gone = goneOf(seen);
  const settings: CallerSettings = {
    ...setup,
    // Of the pods that stayed; admissions over the limit by other pods count as well.
    pods: setup.pods.filter((name) => !gone.has(name)),
    calmUntil: times.plannedAt,
    isGapless: dropped === 0 && leftOut === 0,
    countsLostAt: times.countsLostAt,
  };
  const drawn = seen.requests.filter(({ caller }) => caller === 'Drawn');
  const judged = seen.requests.filter(
    (request) => !gone.has(request.pod) || admittedAt(request) !== undefined,
  );
  const judgedDrawn = judged.filter(({ caller }) => caller === 'Drawn');
  const returnsAt = last['traffic-ended']?.at ?? Number.POSITIVE_INFINITY;
  const returnedAt = (last.return?.at ?? returnsAt) + (returnsWithin(setup.limit) ?? 0) - TIMER_MS;
  const requests = judged.filter(({ sentAt }) => sentAt < returnsAt);
  return {
    settings,
    span,
    /** Whether start and end of the fault were seen; otherwise the span is the planned one. */
    isSeen,
    /** Of the traffic around the fault. */
    requests,
    /** Of callers that ask while others wait for their limits, and of all once these must have returned. */
    waiting: judged.filter(({ sentAt }) => sentAt >= returnsAt && sentAt < returnedAt),
    returning: judged.filter(({ sentAt }) => sentAt >= returnedAt),
    owed: owedIn(settings, drawn, span.endedAt + setup.settleMs),
    phases: phasesOf(requests, span, settings.callerTimeoutMs),
    over: overOf(settings, judgedDrawn, span, returnsAt),
  };
});

export type OutageView = NonNullable<ReturnType<typeof viewOf>>;

/** A finding that needs both ends of the fault; nothing is found without them. */
export function inFault<F extends Finding>(find: (view: OutageView, seen: OutageSeen) => F) {
  return (seen: OutageSeen): F | Finding<never> => {
    const view = viewOf(seen);
    return view?.isSeen ? find(view, seen) : NOTHING;
  };
}

/** Requests of callers, by whether the limiter owed them. */
export function sidesOf({ owed }: Pick<OutageView, 'owed'>, requests: readonly CallerRequest[]) {
  const drawn = requests.filter(({ caller }) => caller === 'Drawn');
  return {
    within: drawn.filter((request) => owed.has(request)),
    beyond: drawn.filter((request) => !owed.has(request)),
  };
}

/**
 * The requests that the limiter still owed their callers when they sent them.
 * @param requests all of a population
 * @param settledAt until when a request may be counted of which the caller got no admission and no rejection
 */
export function owedIn(
  { limit }: { readonly limit: RateLimit },
  requests: readonly CallerRequest[],
  settledAt: number,
): ReadonlySet<CallerRequest> {
  const sent = requests.map((request) => {
    const { endedAt, late, outcome, sentAt } = request;
    const isRejected = outcome === 'Rejected';
    const isOpen = outcome !== 'Admitted' && !isRejected && sentAt < settledAt;
    const countedBy = Math.max(isOpen ? settledAt : endedAt, late?.at ?? 0);
    return { request, sentAt, endedAt, countedBy, isRejected };
  });
  const byKey = Map.groupBy(sent, ({ request }) => request.key);
  return new Set([...byKey.values()].flatMap((own) => [...owedOf(limit, own)].map(({ request }) => request)));
}
