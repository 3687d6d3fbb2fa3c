/**
 * Diagnoses, independent of the chapters. The rules answer at once, and the chapter shows their answer. If the spec
 * names another profile, it is queried at the same time, within a bound: its answer replaces that of the rules; without
 * one the rules' answer stays, with the reason. Only the last chapter waits for it, so no verdict and no recovery
 * depends on it.
 */
import { type DiagnosisStatus, LIMITS, RULES_PROFILE, truncate } from '../api/index.ts';
import type { Diagnosis } from '../evidence/index.ts';
import type { Context } from './context.ts';
import { diagnosisKey } from './observed.ts';
import { iso, ms } from './time.ts';

/** Time limit for the rules: they query no server. */
const RULES_TIMEOUT_MS = 10_000;

/** Time limit for a profile, from when it was queried. */
export const PROFILE_TIMEOUT_MS = 60_000;

/**
 * Queries the rules about a fault that is over, and the profile of the spec. @returns the message of the rules, or why
 * there is none; undefined: they have not answered yet
 */
export function requestDiagnosis(
  context: Context,
  about: { readonly fault: string; readonly scenario: string; readonly requestedAt: number },
): string | undefined {
  const { demo, draft, now, observed } = context;
  const { requestedAt, fault, scenario } = about;
  const profile = demo.spec.diagnosisProfile;
  const byRules = observed.diagnoses[diagnosisKey(fault, RULES_PROFILE)];
  const deadline = requestedAt + RULES_TIMEOUT_MS;
  requestAnswer(context, about, RULES_PROFILE);
  if (profile !== RULES_PROFILE) requestAnswer(context, about, profile);
  if (!byRules) {
    if (now >= deadline) return 'No diagnosis: the rules did not answer';
    context.wake(deadline);
    return undefined;
  }
  if (!byRules.diagnosis) return `No diagnosis: ${byRules.message}`;
  const diagnosis = statusOf(byRules.diagnosis);
  if (profile !== RULES_PROFILE) diagnosis.requestedAt = iso(now);
  draft.diagnoses = [...(draft.diagnoses ?? []).filter((known) => known.scenario !== scenario), diagnosis];
  applyAnswers(context);
  return byRules.message;
}

function requestAnswer(
  context: Context,
  { fault, scenario }: { readonly fault: string; readonly scenario: string },
  profile: string,
): void {
  const id = diagnosisKey(fault, profile);
  if (!context.observed.diagnoses[id]) context.request({ kind: 'Diagnose', id, fault, scenario, profile });
}

/** Replaces the rules' answer by that of a profile, or records why there is none. */
export function applyAnswers(context: Context): void {
  const { demo, draft, observed, now } = context;
  const profile = demo.spec.diagnosisProfile;
  if (!draft.diagnoses) return;
  draft.diagnoses = draft.diagnoses.map((diagnosis) => {
    if (diagnosis.requestedAt === undefined) return diagnosis;
    const fault = draft.scenarios?.find(({ name }) => name === diagnosis.scenario)?.fault;
    const report = fault && observed.diagnoses[diagnosisKey(fault.id, profile)];
    if (report?.diagnosis) return statusOf(report.diagnosis);
    if (report) return withReason(diagnosis, report.message);
    const deadline = answerDeadline(diagnosis, now);
    if (!fault || now >= deadline) {
      return withReason(
        diagnosis,
        `profile "${profile}" did not answer within ${PROFILE_TIMEOUT_MS / 1000} s`,
      );
    }
    // Only the process that observed the fault has the evidence, and only it has queried.
    requestAnswer(context, { fault: fault.id, scenario: diagnosis.scenario }, profile);
    context.wake(deadline);
    return diagnosis;
  });
}

/** Until when the last chapter waits for profiles being queried; undefined: none is. */
export function answersAwaitedUntil({ draft, now }: Context, notAfter: number): number | undefined {
  const deadlines = (draft.diagnoses ?? [])
    .filter(({ requestedAt }) => requestedAt !== undefined)
    .map((diagnosis) => Math.min(answerDeadline(diagnosis, now), notAfter));
  return deadlines.length > 0 ? Math.max(...deadlines) : undefined;
}

/** Stops waiting for profiles when a run ends. */
export function stopAwaitingAnswers({ demo, draft }: Context): void {
  if (!draft.diagnoses) return;
  const reason = `the run ended before profile "${demo.spec.diagnosisProfile}" had answered`;
  draft.diagnoses = draft.diagnoses.map((diagnosis) =>
    diagnosis.requestedAt === undefined ? diagnosis : withReason(diagnosis, reason),
  );
}

function answerDeadline({ requestedAt = '' }: DiagnosisStatus, now: number): number {
  // A time in the future is from before the clock was set back.
  return Math.min(ms(requestedAt), now) + PROFILE_TIMEOUT_MS;
}

/** The part of a diagnosis that goes into the status; the rest is in the evidence. */
function statusOf(diagnosis: Diagnosis): DiagnosisStatus {
  const { class: cause, component, pod, profile, recommendation, scenario } = diagnosis;
  return {
    scenario,
    class: cause,
    component,
    ...(pod !== undefined && { pod }),
    ...(recommendation !== undefined && { recommendation }),
    profile,
  };
}

function withReason(awaited: DiagnosisStatus, reason: string): DiagnosisStatus {
  const { requestedAt: _, ...diagnosis } = awaited;
  return { ...diagnosis, message: truncate(`These are the rules: ${reason}`, LIMITS.message) };
}
