/** What the parts of `decide` share: the draft of the next status and what they ask for. */
import type { ChaosDemoSpec, ChaosDemoStatus, FaultStatus, Reason, ScenarioStatus } from '../api/index.ts';
import type { Effect } from './effects.ts';
import type { Observed } from './observed.ts';
import type { Scenario, SubjectDefinition } from './subject.ts';

/** The object decided on: its spec, and the status as last stored. */
export interface Demo {
  uid: string;
  generation: number;
  /** Whether somebody has asked for its deletion. */
  deleting: boolean;
  spec: ChaosDemoSpec;
  status: ChaosDemoStatus;
  annotations: { requestedAt?: string; advance?: string; abort?: string };
}

/** Where the object stands, in the terms of the table of conditions in the API. */
export type Standing =
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
  standing: Standing;
  /** Whether a session with the subject is needed. */
  wantsSession: boolean;
  /** Whether a rollout of the pods would start a run. */
  awaitsRollout: boolean;
  /** Set by a stage that waits for a person. */
  awaitingHand: boolean;
  wakeAt: number | undefined;
}

/** How often a refused or waiting object is looked at again, and the pods whose rollout is awaited. */
export const RETRY_MS = 10_000;

/** Asks to be called again at `at` at the latest. */
export function wake(context: Context, at: number): void {
  context.wakeAt = Math.min(context.wakeAt ?? Number.POSITIVE_INFINITY, at);
}

/** Milliseconds since the epoch as the status has it. */
export function iso(at: number): string {
  return new Date(at).toISOString();
}

/** The reverse of {@link iso}. */
export function ms(time: string): number {
  return Date.parse(time);
}

/**
 * How long after its planned end a fault counts as over whatever anybody has
 * seen: Redis releases a timed pause within about 100 ms, so 5 s is plenty.
 */
export const FAULT_GRACE_MS = 5000;

/** Whether a run has begun in this status and not ended. */
export function runIsOn(status: ChaosDemoStatus | undefined): boolean {
  return status?.run !== undefined && status.run.completedAt === undefined;
}

/** Whether a fault is on, or may be for all that is known. */
export function mayBeActive(fault: FaultStatus, now: number): boolean {
  return fault.endedAt === undefined && now < ms(fault.until) + FAULT_GRACE_MS;
}

/** The fault of a status that may be active, if any. */
export function activeFault(status: ChaosDemoStatus, now: number): FaultStatus | undefined {
  return status.scenarios?.map((entry) => entry.fault).find((fault) => fault && mayBeActive(fault, now));
}

/** When to stop watching the invariant of a fault: its end, and the time to settle. */
export function watchEnd(fault: FaultStatus, scenario: Scenario): number {
  return ms(fault.endedAt ?? fault.until) + scenario.settleMs;
}

/** Every key that the run has made on the subject. */
export function restoreKeys({ draft }: Context): string[] {
  return (draft.scenarios ?? []).flatMap(({ fault }) => (fault ? [fault.key] : []));
}

/** The entry of a scenario in the draft. */
export function entryOf(context: Context, name: string): ScenarioStatus {
  const entry = context.draft.scenarios?.find((candidate) => candidate.name === name);
  if (!entry) throw new Error(`the status of this run has no scenario ${name}`);
  return entry;
}
