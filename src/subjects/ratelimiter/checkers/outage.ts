/**
 * What callers got around one fault of the store, as one reading: only accepted outcomes, and no more than the limit
 * unless FailsOpen or Forgets is accepted; afterwards they are admitted as before, and get their limit back. Pure.
 */
import { counted } from '../../../api/index.ts';
import type { InvariantReading } from '../../../demo/observed.ts';
import { EARLY_MS } from '../../redis/events.ts';
import { listed } from '../../targets/refusal.ts';
import type { CallerRequest } from '../history/events.ts';
import type { FaultTimes } from '../history/fault-times.ts';
import { type Behaviour, behaviourOf, checkBehaviour } from './behaviour.ts';
import { compose } from './finding.ts';
import { checkLatency } from './latency.ts';
import { checkLimitReturn, type LimitReturn } from './limit-return.ts';
import { checkOverAdmission, type Over, overOf, requestsToJudge } from './over-admission.ts';
import { checkRecovery, type Recovery, recoveryOf } from './recovery.ts';
import { type CallerSettings, phasesOf, type Span } from './requests.ts';

/** All inputs of the reading. */
export interface OutageSeen {
  readonly settings: CallerSettings;
  /** What callers may get in the fault. */
  readonly accept: readonly Behaviour[];
  /** Requests of the traffic, in the order in which they ended. */
  readonly requests: readonly CallerRequest[];
  /** Pods that were deleted or replaced during the watch: failures of their callers are not due to the fault. */
  readonly gone: readonly string[];
  /** Pods that were restarted in the fault. All that callers got there counts: the fault may have caused it. */
  readonly restarted: readonly string[];
  /** Requests of callers that use their limits up after the fault, and wait for them. */
  readonly afterwards?: readonly CallerRequest[];
  readonly times: FaultTimes;
  /** Whether the proof of the fault failed. */
  readonly isUnproven?: boolean;
  /** Until when the fault has to affect callers if it lasts beyond its planned end; milliseconds since the epoch. */
  readonly lastsUntil?: number | undefined;
  /** How long after the fault callers may take to be treated as before; milliseconds. */
  readonly settleMs: number;
  /** When the last request of the traffic was answered; undefined: some are not answered yet, so nothing is proven. */
  readonly finishedAt?: number | undefined;
  /** Undefined while unknown. */
  readonly limitReturn?: LimitReturn | undefined;
  /** Events that were dropped because the history was full. */
  readonly dropped: number;
}

/** Intermediate results that later steps use. */
export interface OutageJudged {
  readonly reading: InvariantReading;
  /** As {@link Over.excess}; undefined while it cannot be judged. */
  readonly excess?: Over['excess'];
  readonly recovery?: Recovery | undefined;
  /** Why the return of the limit no longer matters; undefined: it does. */
  readonly decided?: string;
}

export function judgeOutage(seen: OutageSeen): OutageJudged {
  const { accept, afterwards, dropped, finishedAt, limitReturn, settings, settleMs, times } = seen;
  const all = seen.requests;
  const restarted = new Set(seen.restarted);
  const gone = new Set(seen.gone.filter((name) => settings.pods.includes(name)));
  const staying = { ...settings, pods: settings.pods.filter((name) => !gone.has(name)) };
  const missing = missingOf(times, seen.lastsUntil ?? times.until, staying, dropped);
  if (seen.isUnproven) missing.unshift('the fault is not proven');
  const watchedUntil = finishedAt ?? all.at(-1)?.endedAt ?? 0;
  const complete = finishedAt !== undefined && limitReturn !== undefined;
  const seenSpan = spanOf(times);
  const span = seenSpan ?? times.presumed;
  const watched = { watchedUntil, complete, shortfalls: missing };
  const notJudged = { ...watched, measures: [], summary: 'not judged yet', evidence: [] };
  const decided = 'the proof is incomplete anyway';
  if (!span) return { reading: notJudged, decided };
  const requests = requestsToJudge(settings, all, gone);
  const phases = phasesOf(requests, span, settings.callerTimeoutMs);
  const over = overOf(staying, requests, span, afterwards);
  const behaved = behaviourOf(staying, requests, span, over);
  const known = { lastBeyondAt: over.after.lastAt, oneLimit: settings.oneLimitFrom !== undefined, settleMs };
  const recovery = recoveryOf(staying.pods, requests, span, known);

  const behaviour = checkBehaviour(staying, behaved, phases, span, accept);
  // An unseen fault may have lost counts, too.
  const { isMost } = over.onceMore ?? { isMost: !seenSpan };
  const acceptsOver = accept.includes('FailsOpen') || (accept.includes('Forgets') && isMost);
  const admission = checkOverAdmission(staying, requests, span, over, acceptsOver);
  const recovered = checkRecovery(recovery, phases, span, over.after, { ...known, restarted });
  const returned = checkLimitReturn(limitReturn, span.endedAt);
  const latency = checkLatency(phases);
  // Without the start of the fault, only what was admitted is judged, over the time that was planned.
  const findings = seenSpan ? [admission, behaviour, latency, recovered, returned] : [admission];
  const { brokenAt, measures, missing: unknown, evidence, valid } = compose(findings);
  const shortfalls = [...behaved.shortfalls, ...missing];
  const isProven = finishedAt !== undefined && shortfalls.length === 0;
  // More admissions than the limit allows depend on nothing else: not on the fault, nor on what could not be timed.
  const provenAlone = finishedAt !== undefined && admission.valid === false;
  const isBroken = provenAlone || (isProven && valid === false);
  if (!seenSpan && !isBroken) return { reading: notJudged, decided };
  const since = (isProven ? brokenAt : admission.brokenAt) ?? span.startedAt;
  const replaced = gone.size > 0 ? [goneText(gone)] : [];
  return {
    reading: {
      measures,
      summary: seenSpan
        ? summaryOf(behaviour.summary, admission.summary, recovered.summary ?? returned.summary)
        : (admission.summary ?? ''),
      ...(isBroken && { detectedAt: finishedAt, brokenAt: since, provenAlone }),
      ...(over.before.excess > 0 && {
        whenDetected: { name: 'overAdmission', value: over.before.excess, unit: 'requests' },
      }),
      watchedUntil,
      complete,
      shortfalls: isBroken
        ? shortfalls
        : [
            ...shortfalls,
            ...replaced.map((text) => `${text}, and what callers did not get there may be of that`),
            ...unknown,
          ],
      evidence: [
        ...evidence,
        ...(restarted.size > 0 ? [restartedText(restarted)] : []),
        ...replaced.map((text) => `${text}: what else happened there is left out`),
      ],
    },
    excess: over.excess,
    recovery,
    ...(isBroken && { decided: 'the invariant was broken before' }),
    ...(!isProven && { decided }),
  };
}

/** What a proof needs besides the requests. */
function missingOf(
  { doubtfulFrom, endedAt, until }: FaultTimes,
  lastsUntil: number,
  { pods }: CallerSettings,
  dropped: number,
): string[] {
  const missing: string[] = [];
  if (endedAt === undefined) missing.push('the end of the fault was not seen');
  else if (endedAt < until - EARLY_MS) {
    missing.push(`the fault ended ${Math.round(until - endedAt)} ms before its time`);
  }
  if (doubtfulFrom !== undefined && doubtfulFrom < lastsUntil - EARLY_MS) {
    missing.push(
      `whether the fault was still active is not known from ${Math.round(lastsUntil - doubtfulFrom)} ms before its planned end on`,
    );
  }
  if (pods.length === 0) missing.push('no pod was there to the end');
  if (dropped > 0) missing.push(`${counted(dropped, 'request')} were more than are kept`);
  return missing;
}

function goneText(gone: ReadonlySet<string>): string {
  return `${listed([...gone])} deleted or replaced during the watch`;
}

function restartedText(restarted: ReadonlySet<string>): string {
  return `${listed([...restarted])} restarted during the fault: what callers got there counts, too`;
}

/** When the store failed; undefined while its start or end is unknown. */
function spanOf({ endedAt, startedAt }: FaultTimes): Span | undefined {
  return startedAt !== undefined && endedAt !== undefined ? { startedAt, endedAt } : undefined;
}

/** The behaviour in the fault with what goes with it: a violation after the fault, or by how much the limit was exceeded. */
function summaryOf(behaviour = '', exceeded: string | undefined, afterwards: string | undefined): string {
  if (afterwards !== undefined) return `${behaviour}; ${afterwards}`;
  return exceeded === undefined ? behaviour : `${behaviour}, ${exceeded}`;
}
