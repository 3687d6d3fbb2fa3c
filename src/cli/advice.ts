/**
 * What to do about the finding of a scenario: advice about the subject as it was found, never about the fault that the
 * run injected. Pure.
 */
import type { DiagnosisStatus, ScenarioStatus } from '../api/index.ts';
import { findingOf, isAccepted, notAdmittedText } from './finding.ts';
import { type Library, settingsText } from './libraries.ts';

/** About a violation, by the behaviour that was found, or else by the type of the scenario. */
const violations = (settings: string): Readonly<Record<string, string>> => ({
  Hangs: `Set a timeout for each command to Redis, below the time that callers wait. Then choose what an error means, to admit or to reject. ${settings}`,
  FailsOpen: `If callers must not get more than their limit while Redis is away, reject them then, or divide the limit of a fallback in memory by the number of pods. If they may, accept FailsOpen. ${settings}`,
  FailsClosed: `If callers under their limit should be served while Redis is away, admit them then, or count in memory. If not, accept FailsClosed. ${settings}`,
  Mixed:
    'Callers were treated in different ways: the evidence shows what each pod did. Give all pods the same timeout, and treat an error of Redis in one way.',
  Forgets:
    'Callers get their limit once more when Redis loses its counts. Let Redis keep them (appendonly yes, or replicas), or accept Forgets.',
  DoubleGrants:
    'Take the lock in one step (SET key token NX PX ttl), release it only with its token, and deny it if Redis errs. A lock in one Redis is lost with its data: let what it guards check a fencing token, or accept DoubleGrants.',
  'Exclusion Hangs':
    'Set a timeout for each command to Redis, below the time that callers wait, and deny the lock after it. Or accept Hangs.',
  GhostAllowing:
    'Count and decide in one step: by one script, or by the result of INCR. Between a read and a later write, other requests are admitted.',
  CounterDrift:
    'While writes stall, pods admit what Redis has not counted. Wait for the write before you admit, or bound what each pod may admit without it.',
});

/** What else was found, as the summary states it. */
const AFTERWARDS: readonly (readonly [RegExp, string])[] = [
  [
    /^(Enforces|FailsClosed), /,
    'A caller was admitted over its limit, although not by failing open: see that counts outlive the fault, and that a fallback or a cached decision admits nothing twice.',
  ],
  [
    /; no recovery/,
    'Once Redis was back, not all pods treated callers as before. If they fail, see that no process has ended, that clients connect again, and that they load their scripts again. If they reject, see that no ban or open circuit stays, and that no request is counted twice.',
  ],
  [
    /; limit not returned/,
    "Callers stayed rejected after their window: see that keys expire, and that limit.window is the limiter's own.",
  ],
  [
    /; slot not returned/,
    'A request without a response took a slot, or a release was lost: set the time to live in the command that takes the slot, and release what was granted too late.',
  ],
  [/; (connections|memory) \d/, 'Bound the connections of each pod, and how many requests wait for Redis.'],
  [
    /; fencing token did not grow/,
    'Draw fencing tokens from one counter in Redis, in the step that takes the lock.',
  ],
];

/** Undefined: nothing is to be done. @param libraries used by the project of the subject, if they are known */
export function adviceOn(
  status: ScenarioStatus,
  diagnosis: Pick<DiagnosisStatus, 'recommendation'> | undefined,
  libraries: readonly Library[] = [],
): string | undefined {
  const { expect, message, reason, result, summary = '', type } = status;
  if (result === 'Inconclusive')
    return `Fix the cause and run again. ${message ?? reason ?? 'no reason is known'}`;
  if (result === 'Held' && expect === 'Violated')
    return 'The expected violation did not appear. If that is right, set expect to Held; otherwise use a stronger or longer fault.';
  const { word } = findingOf(status);
  if (isAccepted(status))
    return `The spec accepts ${word}. If your callers should not meet that, take ${word} out of what it accepts, and change what happens then.`;
  if (result === 'Violated') {
    if (diagnosis?.recommendation !== undefined) return diagnosis.recommendation;
    const afterwards = AFTERWARDS.flatMap(([is, advice]) => (is.test(summary) ? [advice] : []));
    // What it did in the fault is in order then, or is accepted.
    const isOnlyAfterwards = afterwards.length > 0 && (word === 'Enforces' || word === 'FailsClosed');
    const about = violations(settingsText(libraries));
    const own = about[`${type} ${word}`] ?? about[word] ?? about[type];
    return [...afterwards, ...(isOnlyAfterwards || own === undefined ? [] : [own])].join(' ') || undefined;
  }
  const missed = result === 'Held' ? notAdmittedText(status) : undefined;
  return (
    missed &&
    `${missed}. If your callers should be admitted then, or get another response, change what the limiter does. ${settingsText(libraries)}`
  );
}
