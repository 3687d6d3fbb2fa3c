/** State shared by the parts of `decide`: the draft of the next status and the requested effects. */
import type {
  ChaosDemoSpec,
  ChaosDemoStatus,
  FaultStatus,
  Journal,
  Reason,
  ScenarioStatus,
} from '../api/index.ts';
import { LIMITS, parseDuration } from '../api/index.ts';
import type { Effect } from './effects.ts';
import type { Admission, InvariantReading, LastCheck, Observed } from './observed.ts';
import type { Scenario, SubjectDefinition } from './subject.ts';

/** The object decided on: its spec, and the status as last stored. */
export interface Demo {
  readonly uid: string;
  readonly generation: number;
  /** Whether its deletion was requested. */
  readonly deleting: boolean;
  /** Whether the operator has to stop every run and start none. */
  readonly killSwitch: boolean;
  /** Why no further run may begin now: too many are active. Undefined: there is room, or this one has its slot. */
  readonly noSlotReason?: string | undefined;
  readonly spec: ChaosDemoSpec;
  readonly status: ChaosDemoStatus;
  readonly annotations: { readonly requestedAt?: string; readonly advance?: string; readonly abort?: string };
}

/** The state of the object, in the terms of the table of conditions in the API. */
export type ObjectState =
  | { kind: 'suspended' }
  | { kind: 'pending' | 'refused' | 'running'; reason: Reason; message: string }
  | { kind: 'finished' };

export interface Context {
  readonly demo: Demo;
  readonly observed: Observed;
  readonly now: number;
  readonly subject: SubjectDefinition;
  readonly scenarios: Scenario[];
  /** The next status; the only thing the parts change. */
  readonly draft: ChaosDemoStatus;
  readonly effects: Effect[];
  objectState: ObjectState;
  /** Whether a session with the subject is needed. */
  wantsSession: boolean;
  /** Set by a stage that waits for a person. */
  awaitsUser: boolean;
  /** Whether a run would begin, but too many are active. */
  awaitsSlot: boolean;
  wakeAt: number | undefined;
}

/** Interval between checks of an object that is refused or waits, and of pods during an awaited rollout. */
export const RETRY_MS = 10_000;

/** Interval for refreshing the message about active runs. A free slot wakes the object at once. */
const SLOT_RETRY_MS = 30_000;

/** Delay before checking again for something overdue, in milliseconds. No delay would starve it. */
const OVERDUE_RETRY_MS = 100;

/** Requests a decision at `at` at the latest; if `at` is past, a moment later. */
export function wake(context: Context, at: number): void {
  const due = at < context.now ? context.now + OVERDUE_RETRY_MS : at;
  context.wakeAt = Math.min(context.wakeAt ?? Number.POSITIVE_INFINITY, due);
}

/** Milliseconds since the epoch, in the format of the status. */
export function iso(at: number): string {
  return new Date(at).toISOString();
}

/** The reverse of {@link iso}. NaN: the API server accepts more than JavaScript, such as a comma before a fraction. */
export function ms(time: string): number {
  return Date.parse(time);
}

/**
 * How long after its planned end a fault counts as over, observed or not: a fault bounds itself and ends within about
 * 100 ms of that, so 5 s is plenty.
 */
export const FAULT_GRACE_MS = 5000;

/** Whether a run has begun in this status and not ended. */
export function isRunActive(status: ChaosDemoStatus | undefined): boolean {
  return status?.run !== undefined && status.run.completedAt === undefined;
}

/**
 * How far ahead of the clock a fault may be planned, and how far after that it may end: twice the maximum in the schema
 * of a countdown or a pause. The clocks of successive operators may differ by less.
 */
export const MAX_AHEAD_MS = 120_000;

/**
 * When a fault is over, observed or not: its end plus a grace, with the end limited to the longest possible fault.
 * Anyone with write access to the status could otherwise hold the object by a later end.
 */
export function faultDeadline(fault: FaultStatus): number {
  return Math.min(ms(fault.until), ms(fault.plannedAt) + MAX_AHEAD_MS) + FAULT_GRACE_MS;
}

/** Whether a fault is active, or may be. */
export function isPossiblyActive(fault: FaultStatus, now: number): boolean {
  const planned = ms(fault.plannedAt) < now + MAX_AHEAD_MS;
  return fault.endedAt === undefined && planned && now < faultDeadline(fault);
}

/** The fault of a status that may be active, if any. */
export function activeFault(status: ChaosDemoStatus, now: number): FaultStatus | undefined {
  return status.scenarios?.map((entry) => entry.fault).find((fault) => fault && isPossiblyActive(fault, now));
}

/** When the active run reaches its time limit, not counting the time it waited for a person. */
export function runDeadline(
  { journal = {}, run }: Pick<ChaosDemoStatus, 'journal' | 'run'>,
  spec: Pick<ChaosDemoSpec, 'activeDeadline'>,
  now: number,
): number {
  const { awaitedMilliseconds = 0, awaitingSince } = journal;
  const awaiting = awaitingSince ? now - ms(awaitingSince) : 0;
  return ms(run?.startedAt ?? '') + parseDuration(spec.activeDeadline) + awaitedMilliseconds + awaiting;
}

/**
 * When to stop observing the invariant of a fault: after its end and the time to settle, or once `reading` is complete.
 */
export function watchEnd(
  fault: FaultStatus,
  scenario: Scenario,
  reading?: Pick<InvariantReading, 'complete' | 'watchedUntil'>,
): number {
  const planned = ms(fault.endedAt ?? fault.until) + scenario.settleMs;
  return reading?.complete ? Math.min(planned, reading.watchedUntil) : planned;
}

/** The operator's own notes in the draft; created if missing. */
export function journalOf({ draft }: Context): Journal {
  draft.journal ??= {};
  return draft.journal;
}

/** Distinguishes one fixture of a scenario from every other that the run may set up. */
export interface FixtureTurn {
  readonly attempt: number;
  /** Counts the preparations of the same attempt, from 1. */
  readonly sequence: number;
  /** When the session began; milliseconds since the epoch. */
  readonly since: number;
}

/**
 * `<prefix>-<part of the uid>-<run>-<scenario>-<session>`, with attempt and sequence unless both are 1. A name is never
 * reused: requests sent to it by a previous process or preparation still count.
 */
export function fixtureName(
  prefix: string,
  uid: string,
  run: number,
  scenario: string,
  { attempt, sequence, since }: FixtureTurn,
): string {
  const base = `${prefix}${markOf(uid)}${run}-${scenario}-${sessionMark(since)}`;
  return attempt === 1 && sequence === 1 ? base : `${base}-${attempt}-${sequence}`;
}

function sessionMark(since: number): string {
  return Math.floor(since).toString(36);
}

/** The part of a fixture's name that is unique to one object. */
function markOf(uid: string): string {
  return `-${uid.slice(0, 8)}-`;
}

/**
 * The name of a session's fixture for its controls: no other session of the run uses it, and no scenario can have this
 * name.
 * @param since when the session began; milliseconds since the epoch
 */
export function controlName(prefix: string, uid: string, run: number, since: number): string {
  return `${prefix}${markOf(uid)}${run}-${CONTROL}${sessionMark(since)}`;
}

/** Names of scenarios cannot begin with a hyphen. */
const CONTROL = '-control-';

/** Whether a name was made by {@link controlName}, rather than for a fixture of a fault. */
export function isControl(name: string): boolean {
  return name.includes(`-${CONTROL}`);
}

/**
 * Records a fixture before it is set up, so that a successor can remove it. If there are too many, drops the first: a
 * run taken over that often has long used others.
 */
export function noteFixture(context: Context, name: string): void {
  if (!context.subject.keepsFixtures(context.demo.spec)) return;
  const journal = journalOf(context);
  const noted = journal.fixtures ?? [];
  if (noted.includes(name)) return;
  journal.fixtures = [...noted, name].slice(-LIMITS.fixtures);
}

/**
 * Every fixture that the run has created on the subject, or may have. Ignores names that {@link fixtureName} cannot
 * have created for this object: anyone with write access to the status could otherwise have fixtures of others removed.
 */
export function fixturesToRemove({
  demo,
  draft,
}: {
  readonly demo: Pick<Demo, 'uid'>;
  readonly draft: ChaosDemoStatus;
}): string[] {
  const { journal: { fixtures = [] } = {}, scenarios = [] } = draft;
  const names = new Set([...scenarios.flatMap(({ fault }) => fault?.fixture ?? []), ...fixtures]);
  return [...names].filter((name) => isOwn(demo, name));
}

/**
 * Whether an active run has something to remove from the subject before its object may be deleted: from before its
 * first fixture, a control, is set up until the run has ended.
 */
export function hasFixtures({
  demo,
  draft,
}: {
  readonly demo: Pick<Demo, 'uid'>;
  readonly draft: ChaosDemoStatus;
}): boolean {
  return isRunActive(draft) && (draft.journal?.fixtures ?? []).some((name) => isOwn(demo, name));
}

function isOwn({ uid }: Pick<Demo, 'uid'>, name: string): boolean {
  const [prefix = '', made, ...more] = name.split(markOf(uid));
  const own = made !== undefined && more.length === 0;
  return own && /^[a-z0-9-]{1,64}$/.test(prefix) && /^\d{1,10}-[a-z0-9-]{1,64}$/.test(made);
}

/** The entry of a scenario in the draft. */
export function entryOf(context: Context, name: string): ScenarioStatus {
  const entry = context.draft.scenarios?.find((candidate) => candidate.name === name);
  if (!entry) throw new Error(`the status of this run has no scenario ${name}`);
  return entry;
}

/**
 * Whether the subject may be touched, as far as is known: before a run, an answer for another spec does not count;
 * during a run it stays valid, whatever is edited.
 */
export function admissionOf({ demo, draft, observed }: Context): Admission {
  if (demo.killSwitch) {
    const message = isRunActive(draft)
      ? 'The kill switch of the operator was turned on, which stops every run'
      : 'The kill switch of the operator is active: no run starts until it is released';
    return { state: 'refused', reason: 'KillSwitch', message };
  }
  const { admission, lastAdmissionCheck } = observed;
  const known = isRunActive(draft) || lastAdmissionCheck?.generation === demo.generation;
  return known ? admission : { state: 'unknown' };
}

/** When to check again. At once if the last check lies in the future: the clock was set back since. */
export function nextCheck({ at }: Pick<LastCheck, 'at'>, now: number): number {
  return at > now + RETRY_MS ? now : at + RETRY_MS;
}

/** Whether the result of the last check is still valid, though another check is due and waits for room. */
export function isAdmissionCheckValid({
  demo,
  now,
  observed: { lastAdmissionCheck: lastCheck },
}: Context): boolean {
  return lastCheck?.generation === demo.generation && now < nextCheck(lastCheck, now) + SLOT_RETRY_MS;
}

/**
 * Requests a check whether the subject may be touched, if the last one is too old or was for another spec. `mustUndo`:
 * something left active by an earlier process has to be undone, whatever the answer.
 */
export function requestAdmissionCheck(context: Context, mustUndo: boolean): void {
  const { demo, draft, effects, now, observed } = context;
  if (demo.killSwitch && !mustUndo) return wake(context, now + RETRY_MS);
  const lastCheck = observed.lastAdmissionCheck;
  const known = lastCheck !== undefined && (isRunActive(draft) || lastCheck.generation === demo.generation);
  const due = known ? nextCheck(lastCheck, now) : now;
  const granted = known && observed.admission.state === 'granted';
  context.awaitsSlot = !granted && now >= due && demo.noSlotReason !== undefined && !mustUndo;
  // An object that was never checked has nothing to remember while it waits.
  if (!context.awaitsSlot || lastCheck) context.wantsSession = true;
  if (granted) return;
  if (now < due) return wake(context, due);
  if (context.awaitsSlot) return wake(context, now + SLOT_RETRY_MS);
  effects.push({ kind: 'Admit', id: `admit/${demo.generation}/${(lastCheck?.count ?? 0) + 1}`, mustUndo });
}
