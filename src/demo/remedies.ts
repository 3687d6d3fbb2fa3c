/**
 * Remediation in mode Apply: what diagnoses ask for is decided on once in a run, when every result stands and no fault
 * is active, and before everything is restored. An action is announced in the journal first; only the process that
 * announced it carries it out, once, and measures again. It changes no result, and delays restoring for a bounded time.
 */
import {
  type DiagnosisStatus,
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

/** How long an action and its measurement may take after the announcement, in milliseconds. */
export const REMEDY_WITHIN_MS = 15_000;
/** How long its report may take after that. */
const REPORT_WITHIN_MS = 2000;
/** A run begins no action later than this before its deadline, beyond what the action takes: it still has to restore. */
const BEFORE_DEADLINE_MS = 25_000;

type Announced = NonNullable<ReturnType<typeof journalOf>['remedies']>[number];

/** Decides, asks for what was decided on, and takes over the reports; undefined: there is nothing left to wait for. */
export function applyRemedies(context: Context): Work | undefined {
  const { demo, draft, now, observed } = context;
  const journal = journalOf(context);
  const isNew = demo.spec.remediation.mode === 'Apply' && !journal.remedies;
  if (isNew) {
    const listed = (draft.diagnoses ?? []).filter((one) => listedRemedy(context, one) !== undefined);
    if (listed.length > 0 && !observed.target) {
      // No process would know that it was announced here, nor carry it out, and it would be given up.
      return { done: false, message: 'Connecting to the subject, before a remedy is decided on' };
    }
    journal.remedies = listed.flatMap((diagnosis) => decide(context, diagnosis) ?? []);
  }
  const applying = (): DiagnosisStatus[] => (draft.diagnoses ?? []).filter(isApplying);
  // Only what is stored may be carried out.
  if (!isNew) for (const diagnosis of applying()) carryOut(context, diagnosis);
  const left = applying();
  if (left.length === 0) return undefined;
  if (isNew) wake(context, now);
  const what = left.map(({ remediation, scenario }) => `${remediation?.action} for ${scenario}`);
  const message = truncate(`Applying ${what.join(', ')}, and measuring again`, LIMITS.message);
  return { done: false, message, note: 'applying' };
}

/** Concludes the actions of a run that ends before they were reported. */
export function endRemedies(context: Context): void {
  for (const diagnosis of (context.draft.diagnoses ?? []).filter(isApplying)) {
    conclude(context, diagnosis, 'The run ended before it was reported');
  }
}

/** A newer diagnosis of the same scenario, with the remediation of the one before: what was decided on stays decided. */
export function withRemedyOf({ remediation }: DiagnosisStatus, newer: DiagnosisStatus): DiagnosisStatus {
  return remediation?.action === undefined ? { ...newer } : { ...newer, remediation };
}

function isApplying({ remediation }: DiagnosisStatus): boolean {
  return remediation?.state === 'Applying';
}

/** The action that a diagnosis asks for, if the spec lists it; undefined: it is only suggested, or there is none. */
function listedRemedy({ demo }: Context, { action }: DiagnosisStatus): Remedy | undefined {
  const { apply, mode } = demo.spec.remediation;
  return mode === 'Apply' ? apply?.actions.find((one) => one === remedyFor(action)) : undefined;
}

/** Announces the action of a diagnosis, or notes why it is not applied. */
function decide(context: Context, diagnosis: DiagnosisStatus): Announced | undefined {
  const { profile, scenario } = diagnosis;
  const action = listedRemedy(context, diagnosis);
  const obstacle = obstacleTo(context, diagnosis);
  const message =
    obstacle === undefined
      ? `Announced: ${action}, as the diagnosis by profile "${profile}" asks for`
      : `Nothing was sent: ${obstacle}`;
  diagnosis.remediation = {
    state: obstacle === undefined ? 'Applying' : 'NotApplied',
    ...(action !== undefined && { action }),
    profile: truncate(profile, 63),
    message: truncate(message, LIMITS.remedy),
  };
  const until = iso(context.now + REMEDY_WITHIN_MS);
  return obstacle === undefined ? { id: idOf(context, scenario), until } : undefined;
}

/** What stands against an action when it is decided on. */
function obstacleTo(context: Context, { scenario }: DiagnosisStatus): string | undefined {
  const { demo, draft, now } = context;
  const entry = draft.scenarios?.find(({ name }) => name === scenario);
  if (demo.spec.suspend) return 'spec.suspend is true';
  if (entry?.result !== 'Violated' || !entry.fault) return 'nothing was detected in this scenario';
  if (activeFault(draft, now)) return 'a fault may be on';
  if (ownFixture(context, scenario) === undefined)
    return 'what the scenario was set up on is not known any more';
  if (now + REMEDY_WITHIN_MS + BEFORE_DEADLINE_MS > runDeadline(draft, demo.spec, now)) {
    return 'too little was left of spec.activeDeadline to restore after it';
  }
  return undefined;
}

/** Asks for an action that was announced, or concludes it if it was reported or must not, or no longer, be begun. */
function carryOut(context: Context, diagnosis: DiagnosisStatus): void {
  const { demo, effects, now } = context;
  const { apply, mode } = demo.spec.remediation;
  const { announced, isBegun, isOwn, report } = known(context, diagnosis);
  const fixture = ownFixture(context, diagnosis.scenario);
  // As the spec is now, whatever the status says.
  const remedy = apply?.actions.find((one) => mode === 'Apply' && one === diagnosis.remediation?.action);
  const giveUpAt = announced ? ms(announced.until) + REPORT_WITHIN_MS : 0;
  const isWanted = isOwn && !report && now < giveUpAt && (isBegun || !demo.spec.suspend);
  if (!announced || !isWanted || fixture === undefined || remedy === undefined) {
    conclude(context, diagnosis, 'No report of it came in time, or the spec was changed meanwhile');
    return;
  }
  const { limit } = apply ?? {};
  const { id, until } = announced;
  effects.push({ kind: 'Remediate', id, fixture, remedy, ...(limit && { limit }), until: ms(until) });
  wake(context, giveUpAt);
}

/** @param silence why there is no report of one that was begun */
function conclude(context: Context, diagnosis: DiagnosisStatus, silence: string): void {
  const { isBegun, isOwn, report } = known(context, diagnosis);
  const { after, before, message, state }: RemedyReport =
    report ??
    (isOwn && !isBegun
      ? {
          state: 'NotApplied',
          message: 'Nothing was sent: it was not begun in time, or spec or status were changed before',
        }
      : {
          state: 'Unproven',
          message: isOwn
            ? `${silence}: whether it was carried out is not known. What it may have changed is removed with the fixture`
            : 'The operator was restarted, or lost its lead, since this was announced: whether it was carried out is not known, and nothing more is sent. What it may have changed is removed with the fixture',
        });
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

/** What this process knows of an action that is being applied. */
function known(context: Context, { scenario }: DiagnosisStatus) {
  const { draft, observed } = context;
  const id = idOf(context, scenario);
  const announced = draft.journal?.remedies?.find((one) => one.id === id);
  return {
    announced,
    /** Whether this process announced it. */
    isOwn:
      announced !== undefined && observed.announced.has(announcement({ id, plannedAt: announced.until })),
    isBegun: observed.begun.has(id),
    report: announced && observed.remedies[id],
  };
}

function idOf({ draft }: Pick<Context, 'draft'>, scenario: string): string {
  return `${draft.scenarios?.find(({ name }) => name === scenario)?.fault?.id}/remedy`;
}

/**
 * The fixture of a scenario; undefined if it is not known, or this object cannot have made it: anyone with write access
 * to a status must not have the keys of others changed by it.
 */
function ownFixture(context: Context, scenario: string): string | undefined {
  const fault = context.draft.scenarios?.find(({ name }) => name === scenario)?.fault;
  const fixture = fault && fixtureOf(context.draft, fault.id);
  return fixture !== undefined && fixturesToRemove(context).includes(fixture) ? fixture : undefined;
}
