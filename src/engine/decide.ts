/**
 * Computes the next status of a ChaosDemo, the effects to run now and when to decide again. Pure; time and all
 * observations are parameters.
 */
import type { ChaosDemo, ChaosDemoStatus, RunStatus } from '../api/index.ts';
import { comparableKeys, endOf, LIMITS, runKey, truncate, withPrintableTexts } from '../api/index.ts';
import { admissionOf, isAdmissionCheckValid, nextCheck, requestAdmissionCheck } from './admission.ts';
import { boundStatus } from './bounded-status.ts';
import { conditionsFor } from './conditions.ts';
import { Context, journalOf, type ObjectState } from './context.ts';
import type { Activity, Effect } from './effects.ts';
import { activeFault, faultDeadline, isPossiblyActive, isRunActive } from './fault-times.ts';
import { fixturesOf } from './fixtures.ts';
import type { Observed } from './observed.ts';
import { announcement } from './observed.ts';
import { conductRun, newRequest } from './run.ts';
import { isBeingObserved } from './scenarios.ts';
import type { SubjectDefinition } from './subject.ts';
import { iso, ms } from './time.ts';
import { resultOf } from './verdict.ts';

export interface Decision {
  /** To be stored before any of `effects` is performed. */
  status: ChaosDemoStatus;
  effects: Effect[];
  activities: Activity[];
  /**
   * Whether the object must have the finalizer: while a fault of it may be active that can be released.
   */
  finalizer: boolean;
  /** Whether a session with the subject is needed; if not, it is closed. */
  session: boolean;
  /**
   * Whether this object needs a run slot: 'taken' if its run is active or may begin, 'awaited' if it would with one.
   */
  slot: 'taken' | 'awaited' | 'none';
  /** When to decide again without a new finding, in milliseconds since the epoch. */
  wakeAt: number | undefined;
}

/**
 * Decides on `demo` from the observations, at `now` (milliseconds since the epoch). Idempotent: with the status it
 * returned and no new findings it changes nothing, so it may be called at any time.
 */
export function decide(
  demo: ChaosDemo,
  observed: Observed,
  now: number,
  subject: SubjectDefinition,
): Decision {
  let context = new Context({ demo, observed, now, subject });
  const { draft } = context;
  const conduct = (): void => {
    conductRun(context);
    if (!isRunActive(draft)) context = context.afterRun();
  };

  if (context.isDeleting) releaseForDeletion(context);
  else {
    if (isRunActive(draft)) conduct();
    if (!isRunActive(draft) && considerStart(context)) conduct();
  }

  // In any case: after the end of the fault there is nothing to release, and the finalizer is removed.
  const fault = activeFault(draft, now);
  if (fault) context.wake(faultDeadline(fault));
  draft.observedGeneration = demo.metadata.generation;
  draft.conditions = conditionsFor(context);

  return {
    // Much of the text is from external sources.
    status: boundStatus(withPrintableTexts(draft)),
    effects: [...context.effects],
    activities: isRunActive(draft) && !context.isDeleting ? activitiesOf(context) : [],
    finalizer: needsFinalizer(context),
    session: context.needs('session'),
    slot: slotOf(context),
    wakeAt: context.wakeAt,
  };
}

function slotOf(context: Context): Decision['slot'] {
  const { draft, effects } = context;
  if (context.needs('slot')) return 'awaited';
  // Its run does not continue; another finalizer may hold the object for any length of time.
  if (context.isDeleting && !context.needs('session')) return 'none';
  const begins = effects.some((effect) => effect.kind === 'Admit' && !effect.mustUndo);
  return isRunActive(draft) || begins ? 'taken' : 'none';
}

/**
 * Whether there is something to undo before the object may be deleted. Avoids redundant finalizer writes; each one
 * triggers a watch event.
 */
function needsFinalizer(context: Context): boolean {
  const { draft, now } = context;
  return (draft.scenarios ?? []).some(({ fault, name, type }) => {
    if (!fault || !isPossiblyActive(fault, now)) return false;
    const scenario = context.scenarios.find((known) => known.name === name && known.type === type);
    // A scenario removed from the spec may be of either kind: release it to be safe.
    return scenario?.releasable ?? true;
  });
}

/** Releases the active fault on deletion; gives up at the fault's own end, so that a namespace never gets stuck. */
function releaseForDeletion(context: Context): void {
  const { draft, now, observed } = context;
  const fault = activeFault(draft, now);
  if (isRunActive(draft))
    context.report({ kind: 'running', reason: 'Stopping', message: 'The object is being deleted' });
  if (!fault) return;
  const id = `${draft.run?.number ?? 0}/delete`;
  if (observed.restored[id]?.faultOver) {
    fault.endedAt = iso(now);
    return;
  }
  context.request('session');
  if (observed.admission.state !== 'granted' && !observed.target) requestAdmissionCheck(context, true);
  context.request({ kind: 'Restore', id, fixtures: fixturesOf(context), release: true });
}

/** Starts a run if the object requests one that it has not had. @returns whether it did */
function considerStart(context: Context): boolean {
  const { demo, draft, observed, subject } = context;
  const { spec } = demo;
  const last = draft.run;
  const journal = journalOf(context);
  const request = newRequest(context);
  const superseded = last?.reason === 'Superseded';

  if (last && !request && !superseded) {
    const key = runKey(spec, subject.api);
    if (!comparableKeys(journal.runKey ?? '', key)) journal.runKey = key;
    if (journal.runKey === key && !hasNewPodTemplate(context, last)) return setFinishedStatus(context);
  }
  if (spec.suspend && last && !superseded) return setFinishedStatus(context);

  // A run that has just ended is stored with its verdict's sentence, and its session closed, before the next begins:
  // that session may no longer inject, and may be for another spec.
  if (isRunActive(demo.status)) {
    const message = `Run ${last?.number} has ended (${last?.reason}); the next begins`;
    context.wake(context.now);
    return setPending(context, { kind: 'pending', reason: 'Pending', message }, draft.message);
  }
  if (spec.suspend)
    return setPending(context, { kind: 'suspended' }, 'Suspended: no run starts while spec.suspend is true');

  requestAdmissionCheck(context, false);
  // If many objects are refused, their checks wait for each other; reporting each wait would hide the reason.
  if (context.needs('slot') && !isAdmissionCheckValid(context)) {
    const message = observed.noSlotReason ?? '';
    return setPending(context, { kind: 'pending', reason: 'TooManyRuns', message });
  }
  const admission = admissionOf(context);
  if (admission.state === 'granted' && observed.target) return beginRun(context, request);
  if (admission.state === 'refused') return setPending(context, { ...admission, kind: 'refused' });
  if (admission.state === 'waiting') return setPending(context, { ...admission, kind: 'pending' });
  const message = `Looking for the pods of the ${context.subject.api.displayName} and what they depend on`;
  return setPending(context, { kind: 'pending', reason: 'Pending', message });
}

/** Whether the pods have another template than in the last run, if the spec requests a run on that. */
function hasNewPodTemplate(context: Context, last: RunStatus): boolean {
  const { demo, now, observed } = context;
  if (demo.spec.rerun !== 'OnPodTemplateChange' || demo.spec.suspend) return false;
  // A verdict is stored before the next run begins, so that everyone waiting for it sees it.
  if (isRunActive(demo.status)) {
    context.wake(now);
    return false;
  }
  requestPodTemplate(context);
  if (observed.podTemplate === undefined) return false;
  // The run is from an older version, or its pods had no template: take the current one as its own.
  last.podTemplate ??= observed.podTemplate;
  return last.podTemplate !== observed.podTemplate;
}

function requestPodTemplate(context: Context): void {
  const { demo, now, observed } = context;
  context.request('session');
  const lastCheck = observed.lastPodTemplateCheck;
  const due = lastCheck?.generation === demo.metadata.generation ? nextCheck(lastCheck, now) : now;
  if (now < due) return context.wake(due);
  context.request({ kind: 'FindPodTemplate', id: `pod-template/${demo.metadata.generation}` });
}

/** The status of an object whose last run has ended and that requests no other. */
function setFinishedStatus({ draft }: Context): false {
  const verdict = endOf(draft);
  if (!verdict) return false;
  draft.phase = verdict.phase;
  draft.message = verdict.message;
  // The result is gone if another spec was requested and then reverted.
  if (draft.scenarios) draft.result = resultOf(draft);
  return false;
}

/** The state and the status of an object without an active run, whose last verdict no longer applies. */
function setPending(
  context: Context,
  state: Exclude<ObjectState, { kind: 'finished' }>,
  message = 'message' in state ? state.message : '',
): false {
  const { draft } = context;
  context.report(state);
  draft.phase = 'Pending';
  draft.message = truncate(message, LIMITS.message);
  const reason = 'reason' in state ? state.reason : 'Suspended';
  // The phase says as much.
  if (reason === 'Pending') delete draft.chapter;
  else draft.chapter = `(${reason})`;
  delete draft.result;
  return false;
}

function beginRun(context: Context, request: string | undefined): true {
  const { demo, draft, now, observed, scenarios, subject } = context;
  const { spec } = demo;
  const past = pastRuns(draft).slice(0, spec.historyLimit);
  if (past.length > 0) draft.pastRuns = past;
  else delete draft.pastRuns;
  draft.run = {
    number: nextRun(draft.run),
    ...(spec.runId ? { runId: spec.runId } : {}),
    startedAt: iso(now),
    podNames: (observed.target?.pods ?? []).slice(0, LIMITS.pods).map(({ name }) => name),
    ...(observed.target?.podTemplate ? { podTemplate: observed.target.podTemplate } : {}),
  };
  if (request) draft.lastHandledRunRequest = request;
  draft.phase = 'Running';
  draft.journal = { runKey: runKey(spec, subject.api) };
  draft.chapters = subject.chapters(spec).map(({ title }) => ({ title }));
  draft.scenarios = scenarios.map(({ name, type, expect }) => ({ name, type, expect }));
  delete draft.diagnoses;
  return true;
}

/** The earlier runs and the last one, newest first: "Run 2 (v1.4): Failed (UnexpectedViolation), TIME: RESULTS". */
function pastRuns(draft: ChaosDemoStatus): string[] {
  const { pastRuns: earlier = [], run } = draft;
  const end = endOf(draft);
  if (!run?.completedAt || !end) return earlier;
  const name = run.runId ? `Run ${run.number} (${run.runId})` : `Run ${run.number}`;
  const results = resultOf(draft, LIMITS.summary);
  const line = `${name}: ${end.phase} (${end.reason}), ${run.completedAt}${results ? `: ${results}` : ''}`;
  return [truncate(line, LIMITS.pastRun), ...earlier];
}

const MAX_RUN_NUMBER = 1_000_000_000;

/** Run numbers of an object count from 1, and from 1 again after {@link MAX_RUN_NUMBER}. */
function nextRun(last: RunStatus | undefined): number {
  return last === undefined || last.number >= MAX_RUN_NUMBER ? 1 : last.number + 1;
}

/** Between two health checks: a few in each chapter, and no load. Milliseconds. */
const HEALTH_INTERVAL_MS = 2000;

/** The activities wanted during a run. */
function activitiesOf(context: Context): Activity[] {
  const { draft, now, observed, scenarios } = context;
  if (!context.needs('session')) return [];
  const activities: Activity[] = [
    { kind: 'PollHealth', intervalMs: HEALTH_INTERVAL_MS },
    { kind: 'RecheckPreconditions' },
  ];
  for (const scenario of scenarios) {
    const fault = draft.scenarios?.find(({ name }) => name === scenario.name)?.fault;
    // A fault announced by another process was not observed from its start: partial observations prove nothing.
    if (!fault || !observed.announced.has(announcement(fault))) continue;
    const about = { fault: fault.id, scenario: scenario.name };
    if (fault.proof && isPossiblyActive(fault, now)) activities.push({ kind: 'AwaitEnd', ...about });
    if (isBeingObserved(fault, scenario, observed.readings[fault.id], now))
      activities.push({ kind: 'Watch', ...about });
    if (
      scenario.load &&
      fault.proof === 'Confirmed' &&
      isPossiblyActive(fault, now) &&
      now < ms(fault.until)
    ) {
      activities.push({ kind: 'Load', ...about });
    }
  }
  return activities;
}
