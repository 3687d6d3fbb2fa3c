/**
 * Remediation in mode Apply. The operator decides once in a run, when every result is known and no fault is active, and
 * before everything is restored. It announces an action in the status first; only the process that announced it runs
 * it, once, and measures again. That changes no result, and delays the restore for a bounded time.
 */
import { APPLICABLE_ACTION, type DiagnosisStatus, LIMITS, truncate } from '../api/index.ts';
import type { Context } from './context.ts';
import { activeFault, fixturesToRemove, iso, ms, runDeadline, wake } from './context.ts';
import { announcement } from './observed.ts';
import type { Work } from './work.ts';

/** How long an action and its measurement may take after the announcement, in milliseconds. */
export const REMEDY_TIMEOUT_MS = 15_000;
/** How long after that its report may take. */
const REPORT_TIMEOUT_MS = 2000;
/** Margin before a run's deadline, beyond the time for the action, after which none begins: the run has to restore. */
const BEFORE_DEADLINE_MS = 25_000;

/** Decides on remediation actions, requests them and takes over the reports; undefined: nothing left to wait for. */
export function applyRemedies(context: Context): Work | undefined {
  const { now, observed } = context;
  const wanted = undecided(context);
  const isNew = wanted.length > 0;
  if (isNew) {
    if (!observed.target) {
      // An action announced now would not be recognised as this process's own, not run, and then given up.
      return { done: false, message: 'Connecting to the subject, before a remediation action is decided on' };
    }
    for (const diagnosis of wanted) decide(context, diagnosis);
  }
  // Only a stored announcement may be run.
  else for (const diagnosis of applying(context)) requestRemediation(context, diagnosis);
  const left = applying(context);
  if (left.length === 0) return undefined;
  if (isNew) wake(context, now);
  const where = left.map(({ scenario }) => scenario).join(', ');
  const message = truncate(`Applying ${APPLICABLE_ACTION} for ${where}, and measuring again`, LIMITS.message);
  return { done: false, message, note: 'applying' };
}

/** Concludes the actions of a run that ends before they were reported. */
export function endRemedies(context: Context): void {
  for (const diagnosis of applying(context)) {
    conclude(context, diagnosis, 'The run ended before its result was reported');
  }
}

/** A newer diagnosis of the same scenario, with the remediation of the previous one if that was decided on. */
export function withRemedyOf({ remediation }: DiagnosisStatus, newer: DiagnosisStatus): DiagnosisStatus {
  return remediation && remediation.state !== 'Suggested' ? { ...newer, remediation } : newer;
}

/** Diagnoses that recommend an action which may be applied, and is not decided on. */
function undecided({ demo, draft }: Context): DiagnosisStatus[] {
  if (demo.spec.remediation !== 'Apply') return [];
  return (draft.diagnoses ?? []).filter(
    ({ action, remediation = { state: 'Suggested' } }) =>
      action === APPLICABLE_ACTION && remediation.state === 'Suggested',
  );
}

function applying({ draft }: Context): DiagnosisStatus[] {
  return (draft.diagnoses ?? []).filter(({ remediation }) => remediation?.state === 'Applying');
}

/** Announces the action of a diagnosis, or notes why it is not applied. */
function decide(context: Context, diagnosis: DiagnosisStatus): void {
  const obstacle = obstacleTo(context, diagnosis);
  const until = iso(context.now + REMEDY_TIMEOUT_MS);
  diagnosis.remediation =
    obstacle === undefined
      ? { state: 'Applying', message: `Announced: profile ${diagnosis.profile} recommends it`, until }
      : { state: 'NotApplied', message: `Nothing was sent: ${obstacle}` };
}

/** The obstacle to an action when it is decided on. */
function obstacleTo(context: Context, { scenario }: DiagnosisStatus): string | undefined {
  const { demo, draft, now } = context;
  const entry = draft.scenarios?.find(({ name }) => name === scenario);
  if (demo.spec.suspend) return 'spec.suspend is true';
  if (entry?.result !== 'Violated' || !entry.fault) return 'no violation was proven in this scenario';
  if (activeFault(draft, now)) return 'a fault may be active';
  if (ownFixture(context, scenario) === undefined) return 'the key of the scenario is not known any more';
  if (now + REMEDY_TIMEOUT_MS + BEFORE_DEADLINE_MS > runDeadline(draft, demo.spec, now)) {
    return 'too little was left of spec.activeDeadline to restore after it';
  }
  return undefined;
}

/** Requests an announced action, or concludes it if it was reported or must not, or no longer, begin. */
function requestRemediation(context: Context, diagnosis: DiagnosisStatus): void {
  const { demo, effects, now } = context;
  const { id, isBegun, isOwn, report, until } = known(context, diagnosis);
  const fixture = ownFixture(context, diagnosis.scenario);
  const giveUpAt = until + REPORT_TIMEOUT_MS;
  // Follow the current spec, whatever the status holds.
  const isWanted = demo.spec.remediation === 'Apply' && (isBegun || !demo.spec.suspend);
  if (!isOwn || report || now >= giveUpAt || !isWanted || fixture === undefined) {
    conclude(context, diagnosis, 'No result was reported in time, or the spec was changed');
    return;
  }
  effects.push({ kind: 'Remediate', id, fixture, until });
  wake(context, giveUpAt);
}

/** @param silence why an action that was begun has no report */
function conclude(context: Context, diagnosis: DiagnosisStatus, silence: string): void {
  const { isBegun, isOwn, report } = known(context, diagnosis);
  if (!report && isOwn && !isBegun) {
    const message = 'Nothing was sent: it was not begun in time, or spec or status were changed before';
    diagnosis.remediation = { ...diagnosis.remediation, state: 'NotApplied', message };
    return;
  }
  const unknown = isOwn
    ? `${silence}: whether it was carried out is not known`
    : 'The operator was restarted, or lost its lead, since this was announced: whether it was carried out is not known, and nothing more is sent';
  const { message, state } = report ?? {
    state: 'Unproven',
    message: `${unknown}. The restore removes what it may have changed`,
  };
  diagnosis.remediation = { ...diagnosis.remediation, state, message: truncate(message, LIMITS.remedy) };
}

/** What this process knows of an action in progress. */
function known(context: Context, { remediation, scenario }: DiagnosisStatus) {
  const { draft, observed } = context;
  const id = remedyId(draft.scenarios?.find(({ name }) => name === scenario)?.fault?.id ?? '');
  const until = remediation?.until ?? '';
  return {
    id,
    until: ms(until),
    /** Whether this process announced it. */
    isOwn: observed.announced.has(announcement({ id, plannedAt: until })),
    isBegun: observed.begun.has(id),
    report: observed.remedies[id],
  };
}

/** The id under which the action for a fault is announced, requested and reported. */
export function remedyId(fault: string): string {
  return `${fault}/remedy`;
}

/**
 * The fixture of a scenario; undefined if it is unknown, or this object cannot have created it: anyone with write
 * access to a status must not be able to change keys of others by it.
 */
function ownFixture(context: Context, scenario: string): string | undefined {
  const fault = context.draft.scenarios?.find(({ name }) => name === scenario)?.fault;
  const fixture = fault?.fixture;
  return fixture !== undefined && fixturesToRemove(context).includes(fixture) ? fixture : undefined;
}
