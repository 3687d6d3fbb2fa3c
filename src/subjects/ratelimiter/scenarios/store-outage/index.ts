/** Store outage: Redis stalls or is gone, and callers continue. */
import { counted } from '../../../../api/index.ts';
import { finishedAt, seenFold } from '../../../checkers/seen.ts';
import type { CallerRequest } from '../../../history/events.ts';
import type { History } from '../../../history/history.ts';
import {
  type CodedReading,
  type Findings,
  type Judge,
  proven,
  summariesOf,
} from '../../../scenarios/judge.ts';
import { createFault } from '../../../scenarios/store-fault.ts';
import { type SeenEvidence, type Source, Timeline } from '../../../scenarios/timeline.ts';
import { soFarIn } from '../../checkers/behaviour.ts';
import { outageInvariant } from '../../checkers/formula.ts';
import { OUTAGE_CHECKERS } from '../../checkers/outage.ts';
import { countingIn, type OutageSeen, owedIn, viewOf } from '../../checkers/outage-seen.ts';
import { limitReturnIn } from '../../checkers/recovery.ts';
import { newKey, overKey } from '../../history/caller-keys.ts';
import { DRAWS, type Setup } from '../../history/setup.ts';
import { placeOf } from '../../interfaces/counts.ts';
import { mostOf } from '../../limits/rate-limit.ts';
import type { RateLimiterSpec } from '../../spec/schema.ts';
import { type LimiterType, ofLimiter } from '../limiter-plan.ts';
import { api, OutagePlan } from './plan.ts';
import { residentsOf } from './population.ts';
import { outageWords } from './words.ts';
import { OutageWorkload } from './workload.ts';

function judgeOutage(seen: OutageSeen, findings: Findings): CodedReading {
  const admission = findings.get('overAdmission');
  // More admissions than the limit allows depend on nothing else: not on the fault, nor on what could not be timed.
  const provenAlone = finishedAt(seen) !== undefined && admission?.isBroken === true;
  const { brokenAt, isDetected, isProven, reading } = proven(seen, findings, provenAlone);
  const view = viewOf(seen);
  const complete = finishedAt(seen) !== undefined && limitReturnIn(seen) !== undefined;
  // Without the start of the fault, only what was admitted is judged, over the time that was planned.
  if (!view || !(view.isSeen || isDetected)) {
    const nothing = { measures: {}, bounds: {}, atLeast: [], evidence: [] };
    const soFar = soFarIn(seen);
    const summary = soFar ? `${soFar.failed} of ${soFar.of} not admitted` : 'not judged yet';
    return { ...reading, ...nothing, complete, figure: soFar, summary };
  }
  const { before } = view.over;
  const since = (isProven ? brokenAt : admission?.brokenAt) ?? view.span.startedAt;
  return {
    ...reading,
    complete,
    summary: summaryOf(findings),
    ...(isDetected && { brokenAt: since }),
    ...(before.excess > 0 && { whenDetected: { measures: { overAdmission: before.excess } } }),
  };
}

/** What callers got, with a violation after the fault or by its price, or by how much the limit was exceeded. */
function summaryOf(findings: Findings): string {
  const of = (...names: string[]): string[] => summariesOf(findings, outageWords, ...names);
  const [afterwards] = of('recovery', 'limitReturn', 'price');
  if (afterwards === undefined) return of('service', 'overAdmission').join(', ');
  return [...of('service'), afterwards].join('; ');
}

/** Draws a history. */
function outageEvidence(history: History<Setup>, judge: Judge<OutageSeen>): SeenEvidence {
  const { clockWithinMs, fixture, preparedAt, usualWriteMs } = history.setup;
  const { requests, setup } = judge.state;
  const { isOneCaller, parameters } = setup.plan;
  const { open, rules } = countingIn(judge.state);
  const view = viewOf(judge.state);
  const drawn = requests.filter(({ caller }) => caller === 'Drawn');
  // Before the fault is known, every failure may still be counted.
  const owed = view?.owed ?? owedIn(open, drawn, Number.POSITIVE_INFINITY);
  const over = overKey(fixture);
  /** Other requests that are not owed are of no source: a rejected one would pass for one of the others. */
  const sourceOf = (request: CallerRequest): Source | undefined => {
    if (request.caller === 'Control') return undefined;
    if (request.key === over) return 'requests';
    return owed.has(request) ? 'others' : undefined;
  };
  /** The most that the caller over its limit may have been admitted until then. */
  const mostUntil = (to: number): number =>
    mostOf(rules.length > 0 ? rules : open, {
      from: isOneCaller ? (history.last('arrived')?.at ?? to) : preparedAt,
      to,
      fresh: true,
      clockWithinMs,
    });
  const timeline = new Timeline(history.setup);
  timeline.usualWrites(preparedAt, usualWriteMs > 0 ? [usualWriteMs] : []);
  timeline.limit(preparedAt, mostUntil(preparedAt));
  for (const event of history.events) {
    if (event.kind !== 'request' && event.kind !== 'late') {
      timeline.show(event);
      continue;
    }
    const request = requests[event.id];
    // The limit of the one caller is replenished after its control, so the evidence begins after that.
    if (!request || request.sentAt < preparedAt) continue;
    const at = event.kind === 'late' ? event.at : event.endedAt;
    if (request.key === newKey(fixture) && event.outcome === 'Admitted') timeline.newcomer(at, request.pod);
    if (event.kind === 'late') {
      // To the others it came too late.
      if (request.key === over) timeline.late(request, event);
      continue;
    }
    timeline.request(event, sourceOf(request));
    if (event.key === over) timeline.limit(at, mostUntil(at));
  }
  const invariant = judge.reading();
  const who = isOneCaller ? 'within' : undefined;
  return timeline.evidence(
    history.times,
    invariant && outageInvariant(invariant, parameters.accept, view?.over.excess, who),
  );
}

export const storeOutage: LimiterType<OutageSeen, OutagePlan> = {
  ...ofLimiter,
  api,
  plan: (scenario, limiter: RateLimiterSpec) => new OutagePlan(scenario, limiter, api),
  checkers: OUTAGE_CHECKERS,
  fold: seenFold,
  words: outageWords,
  read: judgeOutage,
  evidence: outageEvidence,
  changes: (event) =>
    event.kind === 'traffic-ended' ||
    event.kind === 'ended' ||
    (event.kind === 'fault' && event.step === 'Reported'),
  impossible: notAsDrawn,
  fault: (plan, toolkit, fixture) =>
    createFault(toolkit, plan, fixture, () =>
      plan.usedKeys(toolkit.target.pods.length, fixture()).map((key) => placeOf(toolkit, key)),
    ),
  workload: (plan, toolkit) => new OutageWorkload(plan, toolkit),
};

/** Why no run records such a history; undefined: one may. */
function notAsDrawn(history: History<Setup>, plan: OutagePlan): string | undefined {
  const { dropped, requests, setup, times } = history;
  const { draws, fixture, pods } = setup;
  const { endedAt, startedAt } = times;
  const isWhole = dropped === 0 && history.last('left-out') === undefined;
  if (draws !== DRAWS || plan.isOneCaller || !isWhole || startedAt === undefined) return undefined;
  const sent = Map.groupBy(requests, ({ key }) => key);
  const residents = residentsOf(plan.draw(pods.length, fixture));
  // The first exhausts its limit, however many requests that takes.
  for (const { key, shares, used, usedLate } of residents.slice(1)) {
    const most = used + usedLate;
    // The last of them are sent around the start of the fault. One that is silent in the fault sends no others in it.
    const [until, least] = shares.during === 0 && endedAt !== undefined ? [endedAt, most] : [startedAt, used];
    const count = (sent.get(key) ?? []).filter(({ sentAt }) => sentAt < until).length;
    if (count >= least && count <= most) continue;
    const drawn = least < most ? `${least} to ${most}` : String(most);
    return `${key} sent ${counted(count, 'request')} until the fault, and its seed draws ${drawn}`;
  }
  return undefined;
}
