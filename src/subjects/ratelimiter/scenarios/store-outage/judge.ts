/** How the history of a store outage is judged. Pure. */

import { compose, type Finding, figure } from '../../../checkers/checker.ts';
import { finishedAt } from '../../../checkers/seen.ts';
import {
  type CodedReading,
  type Judge,
  type JudgedBy,
  proven,
  summariesOf,
} from '../../../scenarios/judge.ts';
import { seedOf } from '../../../scenarios/seed.ts';
import { limitReturnIn } from '../../checkers/limit-return.ts';
import { OUTAGE_CHECKERS } from '../../checkers/outage.ts';
import { type OutageSeen, type OutageSetup, outageFold, viewOf } from '../../checkers/outage-seen.ts';
import type { Setup } from '../../history/setup.ts';
import { overKey } from '../caller-keys.ts';
import { OutagePlan } from './plan.ts';
import { outageWords } from './words.ts';

export const judgedOutage: JudgedBy<OutageSetup, OutageSeen> = {
  checkers: OUTAGE_CHECKERS,
  fold: outageFold,
  words: outageWords,
  setup(setup: Setup) {
    const plan = new OutagePlan(setup.scenario, setup.limiter);
    const { callerTimeoutMs, failsOver, isOneCaller, limit, lingerMs, parameters, recoverMs } = plan;
    return {
      ...setup,
      limit,
      callerTimeoutMs,
      isOneCaller,
      overKey: overKey(setup.fixture),
      seed: parameters.seed ?? seedOf(setup.fixture),
      accept: parameters.accept,
      settleMs: recoverMs,
      countsForked: failsOver,
      endsEarly: failsOver,
      lastsMs: lingerMs,
    };
  },
  read: judgeOutage,
  changes: (event) =>
    event.kind === 'traffic-ended' ||
    event.kind === 'ended' ||
    (event.kind === 'fault' && event.step === 'Reported'),
};

type Findings = ReadonlyMap<string, Finding>;

function judgeOutage(seen: OutageSeen, findings: Findings): CodedReading {
  const admission = findings.get('overAdmission');
  // More admissions than the limit allows depend on nothing else: not on the fault, nor on what could not be timed.
  const provenAlone = finishedAt(seen) !== undefined && admission?.isBroken === true;
  const found = proven(seen, findings, provenAlone);
  const { brokenAt, detectedAt, evidence, isDetected, isProven, measures, shortfalls, watchedUntil } = found;
  const view = viewOf(seen);
  const watched = {
    watchedUntil,
    complete: detectedAt !== undefined && limitReturnIn(seen) !== undefined,
    shortfalls,
  };
  // Without the start of the fault, only what was admitted is judged, over the time that was planned.
  if (!view || !(view.isSeen || isDetected)) {
    return { ...watched, measures: [], summary: 'not judged yet', evidence: [] };
  }
  const { before } = view.over;
  const since = (isProven ? brokenAt : admission?.brokenAt) ?? view.span.startedAt;
  return {
    ...watched,
    measures,
    summary: summaryOf(findings),
    ...(isDetected && detectedAt !== undefined && { detectedAt, brokenAt: since, provenAlone }),
    ...(before.excess > 0 && { whenDetected: figure('overAdmission', before.excess) }),
    evidence,
  };
}

/** What callers got, with a violation after the fault, or by how much the limit was exceeded. */
function summaryOf(findings: Findings): string {
  const of = (...names: string[]): string[] => summariesOf(findings, outageWords, ...names);
  const [afterwards] = of('recovery', 'limitReturn');
  if (afterwards === undefined) return of('service', 'overAdmission').join(', ');
  return [...of('service'), afterwards].join('; ');
}

/** Why the return of the limit no longer matters; undefined: it does. */
export function whyDecided(judge: Judge<OutageSeen>): string | undefined {
  const { state } = judge;
  const findings = judge.findings();
  const isProven = finishedAt(state) !== undefined && compose(findings).unproven.length === 0;
  if (!isProven || !viewOf(state)?.isSeen) return 'the proof is incomplete anyway';
  const { detectedAt } = judgeOutage(state, findings);
  return detectedAt === undefined ? undefined : 'the invariant was broken before';
}
