/**
 * Which events a change of status is worth. Pure: what is told follows from two
 * statuses alone, so a restarted operator neither repeats nor forgets any.
 *
 * About ten events a run; the chapters are in the status and need none.
 */
import type { ChaosDemoStatus, Condition, ScenarioStatus, Verdict } from '../api/index.ts';

/** An event, but for the object that it is about. */
export interface EventNote {
  type: 'Normal' | 'Warning';
  reason: string;
  action: string;
  /** May be longer than an event takes; the recorder cuts it. */
  note: string;
}

/** What `kubectl events` shows of a ChaosDemo. Reasons of refusals and of verdicts with a cause come on top (see Reason). */
export const EVENT_REASONS = {
  RunStarted: 'A run began.',
  FaultInjected: 'A fault is on.',
  FaultReleased: 'A fault is over, and a probe has seen it end.',
  AnomalyDetected: 'An invariant was broken.',
  AnomalyNotDetected: 'An invariant was really watched, and held.',
  AnomalyInconclusive: 'It could not be said whether an invariant was broken.',
  RunSucceeded: 'Every scenario ended as expected.',
  RunFailed: 'A scenario did not end as expected.',
  RunErrored: 'The run could not be carried out.',
  RunAborted: 'The run was stopped.',
  Superseded: 'The run was stopped, since a newer request replaced it.',
} as const;

/**
 * The events of a change from one status to the next, in the order in which the
 * things happened. Nothing changed: none.
 */
export function eventsFor(before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): EventNote[] {
  return [
    ...runStart(before, after),
    ...(after.scenarios ?? []).flatMap((scenario) =>
      scenarioEvents(sameRun(before, after) ? findScenario(before, scenario.name) : undefined, scenario),
    ),
    ...runEnd(before, after),
    ...refusal(before, after),
  ];
}

function sameRun(before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): boolean {
  return before?.run !== undefined && before.run.number === after.run?.number;
}

function findScenario(status: ChaosDemoStatus | undefined, name: string): ScenarioStatus | undefined {
  return status?.scenarios?.find((scenario) => scenario.name === name);
}

function runStart(before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): EventNote[] {
  if (after.run === undefined || sameRun(before, after)) return [];
  const { number, id, dryRun, pods = [] } = after.run;
  const name = id === undefined || id === '' ? `Run ${number}` : `Run ${number} (${id})`;
  const what = dryRun === true ? 'began as a dry run, without faults' : 'began';
  const nodes = pods.length === 0 ? '' : ` on ${pods.length} ${pods.length === 1 ? 'pod' : 'pods'}`;
  return [{ type: 'Normal', reason: 'RunStarted', action: 'StartRun', note: `${name} ${what}${nodes}` }];
}

function scenarioEvents(before: ScenarioStatus | undefined, after: ScenarioStatus): EventNote[] {
  const events: EventNote[] = [];
  const fault = after.fault;
  // Another attempt is another fault.
  const earlier = before?.fault?.id === fault?.id ? before?.fault : undefined;
  if (fault?.startedAt !== undefined && earlier?.startedAt === undefined) {
    events.push({
      type: 'Normal',
      reason: 'FaultInjected',
      action: 'InjectFault',
      note: `${after.name}: ${fault.message ?? 'the fault is on'}; ends by ${fault.until} at the latest`,
    });
  }
  if (fault?.endedAt !== undefined && earlier?.endedAt === undefined) {
    events.push({
      type: 'Normal',
      reason: 'FaultReleased',
      action: 'ReleaseFault',
      note: `${after.name}: the fault is over since ${fault.endedAt}`,
    });
  }
  if (after.result !== undefined && before?.result !== after.result)
    events.push(outcome(after, after.result));
  return events;
}

const outcomes = {
  Detected: 'AnomalyDetected',
  NotDetected: 'AnomalyNotDetected',
  Inconclusive: 'AnomalyInconclusive',
} as const;

function outcome(scenario: ScenarioStatus, result: NonNullable<ScenarioStatus['result']>): EventNote {
  const { name, expected, summary, message } = scenario;
  const measured = summary === undefined ? '' : ` (${summary})`;
  const why = message === undefined ? '' : `: ${message}`;
  const asExpected = result === expected || (expected === 'Any' && result !== 'Inconclusive');
  return {
    type: asExpected ? 'Normal' : 'Warning',
    reason: outcomes[result],
    action: 'Watch',
    note: `${name}: ${result}${measured}, expected ${expected}${why}`,
  };
}

function runEnd(before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): EventNote[] {
  const { run } = after;
  if (run?.verdict === undefined || (sameRun(before, after) && before?.run?.verdict !== undefined)) return [];
  const { type, reason } = endingOf(run.verdict);
  const expected = after.expected === undefined ? '' : ` (${after.expected} as expected)`;
  const note = `Run ${run.number} ${run.verdict.phase}${expected}: ${run.verdict.message}`;
  return [{ type, reason, action: 'EndRun', note }];
}

function endingOf(verdict: Verdict): Pick<EventNote, 'type' | 'reason'> {
  if (verdict.reason === 'Superseded') return { type: 'Normal', reason: 'Superseded' };
  return { type: verdict.phase === 'Succeeded' ? 'Normal' : 'Warning', reason: `Run${verdict.phase}` };
}

/**
 * A refusal or its change: stalled although no run has ended in this state. What
 * stalls after a run is the verdict, which has an event of its own.
 */
function refusal(before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): EventNote[] {
  const now = refusedBy(after);
  if (now === undefined || refusedBy(before)?.reason === now.reason) return [];
  return [{ type: 'Warning', reason: now.reason, action: 'Refuse', note: now.message }];
}

function refusedBy(status: ChaosDemoStatus | undefined): { reason: string; message: string } | undefined {
  const find = (type: Condition['type']) => status?.conditions?.find((condition) => condition.type === type);
  const stalled = find('Stalled');
  return stalled?.status === 'True' && find('Complete')?.status === 'False' ? stalled : undefined;
}
