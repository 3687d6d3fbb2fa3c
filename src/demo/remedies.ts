/**
 * What comes of diagnoses where `spec.remediation.mode` is Apply. Decided on once for a run: when every result stands
 * and no fault is on, and before everything is restored. It goes by the diagnosis that the run has at that moment, and
 * takes of it the action alone. A remedy is announced in the journal first; only the process that announced it carries
 * it out, once, and measures again. Whatever becomes of it changes no result, and restoring waits for a bounded time.
 */
import {
  type DiagnosisStatus,
  type FaultStatus,
  LIMITS,
  type RemediationStatus,
  type Remedy,
  remedyFor,
  truncate,
} from '../api/index.ts';
import type { Context } from './context.ts';
import {
  activeFault,
  fixtureOf,
  fixturesToRemove,
  iso,
  journalOf,
  ms,
  runDeadline,
  wake,
} from './context.ts';
import { announcement, type RemedyReport } from './observed.ts';
import type { Work } from './work.ts';

/** How long a remedy and its measurement may take from the announcement on, in milliseconds. */
export const REMEDY_WITHIN_MS = 15_000;

/** How long its report may take beyond that. */
const REPORT_WITHIN_MS = 2000;

/** How long before its deadline a run begins no remedy any more, beyond what that takes: it has to restore yet. */
const BEFORE_DEADLINE_MS = 25_000;

type Announced = NonNullable<ReturnType<typeof journalOf>['remedies']>[number];

/** Decides, asks for what was decided on, and takes over what came of it; undefined: nothing is left to wait for. */
export function applyRemedies(context: Context): Work | undefined {
  if (!context.observed.target && isToDecide(context)) {
    // Nothing would know that it was announced here, nor carry it out, and it was to be given up all the same.
    return { done: false, message: 'Connecting to the subject, before a remedy is decided on' };
  }
  const isNew = announceAll(context);
  const awaited = context.draft.diagnoses?.filter((diagnosis) => isApplying(diagnosis)) ?? [];
  // Only what is stored may be carried out.
  if (isNew && awaited.length > 0) wake(context, context.now);
  else for (const diagnosis of awaited) carryOut(context, diagnosis);
  const left = awaited.filter((diagnosis) => isApplying(diagnosis));
  if (left.length === 0) return undefined;
  const what = left.map(({ remediation, scenario }) => `${remediation?.action} for ${scenario}`);
  const message = truncate(`Applying ${what.join(', ')}, and measuring again`, LIMITS.message);
  return { done: false, message, note: 'applying' };
}

/** What a run that ends has to say of remedies that nobody has reported. */
export function endRemedies(context: Context): void {
  for (const diagnosis of context.draft.diagnoses ?? []) {
    if (isApplying(diagnosis))
      conclude(diagnosis, outcomeOf(context, diagnosis, 'The run ended before it was reported'));
  }
}

/** The same remediation beside another diagnosis of that scenario: what was decided on stays decided. */
export function withRemedyOf(known: DiagnosisStatus, diagnosis: DiagnosisStatus): DiagnosisStatus {
  const { remediation } = known;
  return remediation?.action === undefined ? { ...diagnosis } : { ...diagnosis, remediation };
}

function isApplying({ remediation }: DiagnosisStatus): boolean {
  return remediation?.state === 'Applying';
}

/** What a diagnosis asks for where the spec lists it; undefined: it is only suggested, or nothing. */
function listedRemedy({ demo }: Context, { action }: DiagnosisStatus): Remedy | undefined {
  const { apply, mode } = demo.spec.remediation;
  const remedy = remedyFor(action);
  return mode === 'Apply' && remedy !== undefined && apply?.actions.includes(remedy) ? remedy : undefined;
}

/** Whether there is something to decide on, and that was not done yet. */
function isToDecide(context: Context): boolean {
  const { diagnoses = [], journal } = context.draft;
  return !journal?.remedies && diagnoses.some((diagnosis) => listedRemedy(context, diagnosis));
}

/** Decides on every diagnosis, once for a run. Says whether it has just done so. */
function announceAll(context: Context): boolean {
  const { demo, draft, now } = context;
  const journal = journalOf(context);
  if (demo.spec.remediation.mode !== 'Apply' || journal.remedies) return false;
  const until = iso(now + REMEDY_WITHIN_MS);
  const announced: Announced[] = [];
  for (const diagnosis of draft.diagnoses ?? []) {
    const action = listedRemedy(context, diagnosis);
    if (action === undefined) continue;
    const { profile, scenario } = diagnosis;
    const obstacle = obstacleTo(context, diagnosis);
    const decided = { action, profile: truncate(profile, 63) };
    if (obstacle !== undefined) {
      diagnosis.remediation = { state: 'NotApplied', ...decided, message: `Nothing was sent: ${obstacle}` };
      continue;
    }
    const message = `Announced: ${action}, as the diagnosis by profile "${profile}" asks for`;
    diagnosis.remediation = { state: 'Applying', ...decided, message: truncate(message, LIMITS.remedy) };
    announced.push({ id: idOf(context, scenario), until });
  }
  journal.remedies = announced;
  return true;
}

function idOf(context: Context, scenario: string): string {
  return `${faultOf(context, scenario)?.id}/remedy`;
}

/** The fault of a scenario; undefined where the status has none, or no such scenario. */
function faultOf({ draft }: Context, scenario: string): FaultStatus | undefined {
  return draft.scenarios?.find(({ name }) => name === scenario)?.fault;
}

/** What stands against a remedy at the moment of the decision. */
function obstacleTo(context: Context, { scenario }: DiagnosisStatus): string | undefined {
  const { demo, draft, now } = context;
  const entry = draft.scenarios?.find(({ name }) => name === scenario);
  if (demo.spec.suspend) return 'spec.suspend is true';
  if (entry?.result !== 'Detected' || !entry.fault) return 'nothing was detected in this scenario';
  if (activeFault(draft, now)) return 'a fault may be on';
  if (ownFixture(context, entry.fault) === undefined)
    return 'what the scenario was set up on is not known any more';
  if (now + REMEDY_WITHIN_MS + BEFORE_DEADLINE_MS > runDeadline(draft, demo.spec, now)) {
    return 'too little was left of spec.activeDeadline to restore after it';
  }
  return undefined;
}

function carryOut(context: Context, diagnosis: DiagnosisStatus): void {
  const { demo, now, observed } = context;
  const announced = announcedFor(context, diagnosis);
  const { apply, mode } = demo.spec.remediation;
  // As the spec is now, whatever the status says.
  const remedy =
    mode === 'Apply' ? apply?.actions.find((one) => one === diagnosis.remediation?.action) : undefined;
  const fault = faultOf(context, diagnosis.scenario);
  const reported = announced && observed.remedies[announced.id];
  const giveUpAt = announced ? ms(announced.until) + REPORT_WITHIN_MS : 0;
  const fixture = fault && ownFixture(context, fault);
  const mayBegin =
    fixture !== undefined &&
    remedy !== undefined &&
    announced &&
    isOwn(context, announced) &&
    (!demo.spec.suspend || observed.begun.has(announced.id));
  if (reported || !mayBegin || now >= giveUpAt) {
    return conclude(
      diagnosis,
      outcomeOf(context, diagnosis, 'No report of it came in time, or the spec was changed meanwhile'),
    );
  }
  const { limit } = apply ?? {};
  context.effects.push({
    kind: 'Remediate',
    id: announced.id,
    fixture,
    remedy,
    ...(limit && { limit }),
    until: ms(announced.until),
  });
  wake(context, giveUpAt);
}

/**
 * The fixture of a fault; undefined where nobody knows it, or this object cannot have made it: whoever may write a
 * status must not have the keys of others changed by it.
 */
function ownFixture(context: Context, fault: FaultStatus): string | undefined {
  const fixture = fixtureOf(context.draft, fault.id);
  return fixturesToRemove(context).includes(fixture) ? fixture : undefined;
}

function announcedFor(context: Context, { scenario }: DiagnosisStatus): Announced | undefined {
  const id = idOf(context, scenario);
  return context.draft.journal?.remedies?.find((known) => known.id === id);
}

function isOwn({ observed }: Context, { id, until }: Announced): boolean {
  return observed.announced.has(announcement({ id, plannedAt: until }));
}

/** What is known of one that was announced. `silence`: why there is no report of it. */
function outcomeOf(context: Context, diagnosis: DiagnosisStatus, silence: string): RemedyReport {
  const { observed } = context;
  const announced = announcedFor(context, diagnosis);
  const report = announced && observed.remedies[announced.id];
  if (report) return report;
  if (!announced || !isOwn(context, announced)) {
    return {
      state: 'Unproven',
      message:
        'The operator was restarted, or lost its lead, since this was announced: whether it was carried out is not known, and nothing more is sent. What it may have changed is removed with the fixture',
    };
  }
  if (!observed.begun.has(announced.id)) {
    return {
      state: 'NotApplied',
      message: 'Nothing was sent: it was not begun in time, or spec or status were changed before',
    };
  }
  return {
    state: 'Unproven',
    message: `${silence}: whether it was carried out is not known. What it may have changed is removed with the fixture`,
  };
}

function conclude(diagnosis: DiagnosisStatus, { after, before, message, state }: RemedyReport): void {
  const { action, profile } = diagnosis.remediation ?? {};
  const figures = (some: RemedyReport['after']): RemediationStatus['after'] =>
    some?.slice(0, LIMITS.figures).map((one) => ({ ...one }));
  const [was, is] = [figures(before), figures(after)];
  diagnosis.remediation = {
    state,
    ...(action !== undefined && { action }),
    ...(profile !== undefined && { profile }),
    ...(was && { before: was }),
    ...(is && { after: is }),
    message: truncate(message, LIMITS.remedy),
  };
}
