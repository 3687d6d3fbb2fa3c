/**
 * The heart: what the next status of a ChaosDemo is, what to do about it now,
 * and when to look again. Pure; time and everything seen are parameters.
 */
import type { ChaosDemoStatus, RunStatus } from '../api/index.ts';
import { comparableKeys, LIMITS, runKey, truncate } from '../api/index.ts';
import { conditionsFor } from './conditions.ts';
import type { Context, Demo } from './context.ts';
import {
  activeFault,
  FAULT_GRACE_MS,
  iso,
  mayBeActive,
  ms,
  RETRY_MS,
  restoreKeys,
  runIsOn,
  wake,
} from './context.ts';
import type { Activity, Effect } from './effects.ts';
import { healthStatus } from './health.ts';
import type { Observed } from './observed.ts';
import { announcement } from './observed.ts';
import { conductRun, newRequest } from './run.ts';
import { watching } from './scenarios.ts';
import type { SubjectDefinition } from './subject.ts';

export interface Decision {
  /** To be stored before any of `effects` is performed. */
  status: ChaosDemoStatus;
  effects: Effect[];
  activities: Activity[];
  /** Whether the object must carry the finalizer: only while a fault may be active that can be released. */
  finalizer: boolean;
  /** Whether a session with the subject is needed; without, everything of it is closed. */
  session: boolean;
  /** Whether `podTemplate` has to be looked for, because a rollout would start a run. */
  awaitsRollout: boolean;
  /** When to decide again though nothing was seen, in milliseconds since the epoch. */
  wakeAt: number | undefined;
}

/** Time Redis rests between the fault of a run that was stopped and the next run. */
const COOL_DOWN_MS = 60_000;

/**
 * Decides on `demo` from what was `observed`, at `now` (milliseconds since the
 * epoch). Calling it again with the status it returned and nothing new changes
 * nothing, so it may be called at any time.
 */
export function decide(demo: Demo, observed: Observed, now: number, subject: SubjectDefinition): Decision {
  const context: Context = {
    demo,
    observed,
    now,
    subject,
    scenarios: demo.spec.dryRun ? [] : subject.scenarios(demo.spec),
    draft: structuredClone(demo.status),
    effects: [],
    standing: { kind: 'finished' },
    wantsSession: false,
    awaitsRollout: false,
    awaitingHand: false,
    wakeAt: undefined,
  };
  const { draft } = context;

  if (demo.deleting) {
    releaseForDeletion(context);
  } else {
    if (runIsOn(draft)) conductRun(context);
    if (!runIsOn(draft)) considerStart(context);
  }

  if (observed.health && runIsOn(draft)) draft.health = healthStatus(draft.health, observed.health, now);
  // Whatever else happens: at its end nothing has to be released any more, and the finalizer goes.
  const fault = activeFault(draft, now);
  if (fault) wake(context, ms(fault.until) + FAULT_GRACE_MS);
  draft.observedGeneration = demo.generation;
  draft.conditions = conditionsFor(context);

  return {
    status: draft,
    effects: context.effects,
    activities: runIsOn(draft) && !demo.deleting ? activitiesOf(context) : [],
    finalizer: holdsObject(context),
    session: context.wantsSession,
    awaitsRollout: context.awaitsRollout,
    wakeAt: context.wakeAt,
  };
}

/** Whether there is a fault to release before the object may go. Each finalizer written is a row of a watch that shows nothing new. */
function holdsObject({ draft, now, subject }: Context): boolean {
  return (draft.scenarios ?? []).some(
    ({ fault, type }) => fault && mayBeActive(fault, now) && subject.releasable(type),
  );
}

/** Ends a fault early because the object is going; gives up at its own end, so that a namespace never wedges. */
function releaseForDeletion(context: Context): void {
  const { draft, now, observed } = context;
  const fault = activeFault(draft, now);
  context.standing = runIsOn(draft)
    ? { kind: 'running', reason: 'Stopping', message: 'The object is being deleted' }
    : { kind: 'finished' };
  if (!fault) return;
  const id = `${draft.run?.number ?? 0}/delete`;
  if (observed.restored[id]?.writesTaken) {
    fault.endedAt = iso(now);
    return;
  }
  context.wantsSession = true;
  context.effects.push({ kind: 'Restore', id, keys: restoreKeys(context), release: true });
}

/** Starts a run if the object asks for one that it has not had. */
function considerStart(context: Context): void {
  const { demo, draft, observed } = context;
  const { spec } = demo;
  const key = runKey(spec);
  const last = draft.run;
  const request = newRequest(context);
  const superseded = last?.verdict?.reason === 'Superseded';
  const aborted = last?.verdict?.phase === 'Aborted';

  if (last && !request && !superseded) {
    if (!comparableKeys(last.key, key)) last.key = key;
    if (last.key === key && !rolledOut(context, last)) return standAsFinished(context);
  }
  if (spec.suspend) {
    if (last && !superseded) return standAsFinished(context);
    context.standing = { kind: 'suspended' };
    return standAside(context, 'Suspended: no run starts while spec.suspend is true');
  }

  const restUntil = aborted ? coolDownEnd(context) : 0;
  if (context.now < restUntil) {
    const message = `Cooling down until ${iso(restUntil)} before the next run, so that quick edits are not quick pauses`;
    context.standing = { kind: 'pending', reason: 'CoolingDown', message };
    wake(context, restUntil);
    return standAside(context, message);
  }

  // A run that has just ended is stored, and its session closed, before the next begins: that session may
  // inject nothing any more, and may be about another spec.
  if (justEnded(demo)) {
    const message = `Run ${last?.number} has ended (${last?.verdict?.reason}); the next begins`;
    context.standing = { kind: 'pending', reason: 'Pending', message };
    wake(context, context.now);
    return standAside(context, message);
  }

  context.wantsSession = true;
  const { admission } = observed;
  if (admission.state === 'granted' && observed.target) return beginRun(context, key, request);
  if (admission.state === 'refused' || admission.state === 'waiting') {
    const { reason, message } = admission;
    context.standing = { kind: admission.state === 'refused' ? 'refused' : 'pending', reason, message };
    wake(context, context.now + RETRY_MS);
    return standAside(context, message);
  }
  const message = `Looking for the pods and the Redis of the ${spec.subject.displayName}`;
  context.standing = { kind: 'pending', reason: 'Pending', message };
  standAside(context, message);
}

/** Asked of a run that has ended: whether that is not stored yet. */
function justEnded({ status }: Demo): boolean {
  return runIsOn(status);
}

/** Whether the pods are of another template than in the last run, where that asks for a run. */
function rolledOut(context: Context, last: RunStatus): boolean {
  const { demo, now, observed } = context;
  if (demo.spec.rerun !== 'OnPodTemplateChange' || demo.spec.suspend) return false;
  context.awaitsRollout = true;
  wake(context, now + RETRY_MS);
  // A verdict is stored before the next run begins, so that whoever waits for it sees it.
  if (justEnded(demo) || observed.podTemplate === undefined) return false;
  // A run that an older version made, or made of pods without a template: what stands now is taken as its own.
  last.podTemplate ??= observed.podTemplate;
  return last.podTemplate !== observed.podTemplate;
}

/** The status of an object whose last run has ended and that asks for no other. */
function standAsFinished({ draft }: Context): void {
  const verdict = draft.run?.verdict;
  if (!verdict) return;
  draft.phase = verdict.phase;
  draft.message = verdict.message;
}

/** The status of an object that has no run on and whose last verdict is not the answer any more. */
function standAside({ draft }: Context, message: string): void {
  draft.phase = 'Pending';
  draft.message = truncate(message, LIMITS.message);
  delete draft.chapter;
  delete draft.progress;
}

/** When the Redis of a run that was stopped has rested: counted from the end of its last fault, at once if it had none. */
function coolDownEnd({ draft }: Context): number {
  const ends = (draft.scenarios ?? []).flatMap(({ fault }) =>
    fault ? [ms(fault.endedAt ?? fault.until) + COOL_DOWN_MS] : [],
  );
  return Math.max(0, ...ends);
}

function beginRun(context: Context, key: string, request: string | undefined): void {
  const { demo, draft, now, observed, scenarios, subject } = context;
  const { spec } = demo;
  draft.run = {
    number: (draft.run?.number ?? 0) + 1,
    ...(spec.runId ? { id: spec.runId } : {}),
    key,
    ...(spec.dryRun ? { dryRun: true } : {}),
    ...(request ? { requestedAt: request } : {}),
    startedAt: iso(now),
    pods: (observed.target?.pods ?? []).slice(0, LIMITS.pods),
    ...(observed.target?.podTemplate ? { podTemplate: observed.target.podTemplate } : {}),
  };
  if (request) draft.lastHandledRunRequest = request;
  draft.phase = 'Running';
  draft.expected = `0/${scenarios.length}`;
  draft.chapters = subject
    .chapters(spec)
    .map(({ number, title, skipped }) => ({ number, title, state: skipped ? 'Skipped' : 'Pending' }));
  draft.scenarios = scenarios.map(({ name, type, expect }) => ({ name, type, expected: expect }));
  delete draft.diagnoses;
  delete draft.health;
  conductRun(context);
}

/** What should be going on while a run is on. */
function activitiesOf({ demo, draft, now, observed, scenarios, subject, wantsSession }: Context): Activity[] {
  if (!wantsSession) return [];
  const activities: Activity[] = [{ kind: 'PollHealth', intervalMs: subject.healthIntervalMs(demo.spec) }];
  for (const scenario of scenarios) {
    const fault = draft.scenarios?.find(({ name }) => name === scenario.name)?.fault;
    // A fault that another process announced was not watched from its start: half a watch proves nothing.
    if (!fault || !observed.announced.has(announcement(fault))) continue;
    const about = { fault: fault.id, scenario: scenario.name, key: fault.key };
    if (watching(fault, scenario, observed.readings[fault.id], now))
      activities.push({ kind: 'Watch', ...about });
    if (scenario.load && fault.proof === 'Confirmed' && mayBeActive(fault, now) && now < ms(fault.until)) {
      activities.push({ kind: 'Load', ...about });
    }
  }
  return activities;
}
