/** How the history of contention for locks is judged. Pure. */
import type { Finding } from '../../../checkers/checker.ts';
import { type CodedReading, type JudgedBy, proven, summariesOf } from '../../../scenarios/judge.ts';
import { type LockSeen, type LockSetup, lockFold } from '../../checkers/holds.ts';
import { LOCK_CHECKERS } from '../../checkers/index.ts';
import { returnIn } from '../../checkers/slots-return.ts';
import type { Setup } from '../../history/setup.ts';
import { ExclusionPlan } from './plan.ts';
import { lockWords } from './words.ts';

export const judgedExclusion: JudgedBy<LockSetup, LockSeen> = {
  checkers: LOCK_CHECKERS,
  fold: lockFold,
  words: lockWords,
  setup(setup: Setup) {
    const plan = new ExclusionPlan(setup.scenario, setup.lock);
    const { callerTimeoutMs, parameters, part, recoverMs, ttlMs } = plan;
    const isFenced = part.acquire.fencing !== undefined;
    const of = { slots: part.slots, ttlMs, isFenced, callerTimeoutMs, recoverMs, accept: parameters.accept };
    const record = { lastsMs: plan.lingerMs, endsEarly: plan.failsOver, keys: plan.keysOf(setup.fixture) };
    return { ...setup, ...record, ...of };
  },
  read: judgeExclusion,
  changes: (event) => event.kind === 'ended' || (event.kind === 'fault' && event.step === 'Reported'),
};

function judgeExclusion(seen: LockSeen, findings: ReadonlyMap<string, Finding>): CodedReading {
  // More holders than slots depend on nothing else: not on the fault, nor on what could not be timed.
  const alone = ['exclusion', 'fencing'].some((name) => findings.get(name)?.isBroken);
  const { brokenAt, detectedAt, evidence, isDetected, measures, shortfalls, watchedUntil } = proven(
    seen,
    findings,
    alone,
  );
  const summary = summariesOf(findings, lockWords, 'service', 'exclusion', 'fencing', 'slotsReturn');
  return {
    watchedUntil,
    complete: returnIn(seen) !== undefined,
    shortfalls,
    measures,
    summary: summary.join('; ') || 'not judged yet',
    ...(isDetected &&
      detectedAt !== undefined && { detectedAt, brokenAt: brokenAt ?? detectedAt, provenAlone: alone }),
    evidence,
  };
}
