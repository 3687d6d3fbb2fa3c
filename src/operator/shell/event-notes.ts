/**
 * Events for a change of status. Pure: events follow from two statuses alone, so a restarted operator neither repeats
 * nor forgets any.
 *
 * About ten events a run; the chapters are in the status and need none. Each names its run, since an event that reads
 * like one of a moment ago is not written.
 */
import type { ChaosDemoStatus, ScenarioStatus, Verdict } from '../../api/index.ts';
import { conditionOf, counted, endOf } from '../../api/index.ts';
import { asExpected, countAsExpected } from '../../engine/verdict.ts';

/** An event, without its object. */
export interface EventNote {
  type: 'Normal' | 'Warning';
  reason: string;
  action: string;
  /** May be longer than an event allows; the recorder cuts it. */
  note: string;
}

/** The events of a change from one status to the next, the earliest first. */
export function eventsFor(before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): EventNote[] {
  const run = after.run?.number ?? 0;
  const known = new Map(sameRun(before, after) ? before?.scenarios?.map((one) => [one.name, one]) : []);
  return [
    ...runStart(before, after),
    ...(after.scenarios ?? []).flatMap((one) => scenarioEvents(run, known.get(one.name), one)),
    ...runEnd(before, after),
    ...block(before, after),
  ];
}

function sameRun(before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): boolean {
  return before?.run !== undefined && before.run.number === after.run?.number;
}

function normal(reason: string, action: string, note: string): EventNote {
  return { type: 'Normal', reason, action, note };
}

function runStart(before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): EventNote[] {
  if (after.run === undefined || sameRun(before, after)) return [];
  const { number, runId, podNames = [] } = after.run;
  const name = runId ? `Run ${number} (runId "${runId}")` : `Run ${number}`;
  const nodes = podNames.length === 0 ? '' : ` on ${counted(podNames.length, 'pod')}`;
  return [normal('RunStarted', 'StartRun', `${name} began${nodes}`)];
}

function scenarioEvents(run: number, before: ScenarioStatus | undefined, after: ScenarioStatus): EventNote[] {
  const events: EventNote[] = [];
  const about = `Run ${run}, ${after.name}`;
  const fault = after.fault;
  // Another attempt is another fault.
  const earlier = before?.fault?.id === fault?.id ? before?.fault : undefined;
  if (fault?.startedAt !== undefined && earlier?.startedAt === undefined) {
    // A fault that is over when it is reported has no end to wait for.
    const end = fault.endedAt === undefined ? `; ends by ${fault.until} at the latest` : '';
    const note = `${about}: ${fault.message ?? 'the fault is active'}${end}`;
    events.push(normal('FaultInjected', 'InjectFault', note));
  }
  if (fault?.endedAt !== undefined && earlier?.endedAt === undefined) {
    // If the end was not observed, or it is unclear whether the fault was active at all, it is over by its bound.
    const end =
      fault.endedAt === fault.until
        ? `has ended by ${fault.endedAt} at the latest`
        : `ended at ${fault.endedAt}`;
    events.push(normal('FaultReleased', 'ReleaseFault', `${about}: the fault ${end}`));
  }
  if (after.result !== undefined && before?.result !== after.result)
    events.push(outcome(about, after, after.result));
  return events;
}

const outcomes = {
  Violated: 'ViolationDetected',
  Held: 'InvariantHeld',
  Inconclusive: 'ResultInconclusive',
} as const;

/** "Run 2, outage: Violated as expected: queued 10 requests when it was detected, at most 6 allowed". */
function outcome(
  about: string,
  scenario: ScenarioStatus,
  result: NonNullable<ScenarioStatus['result']>,
): EventNote {
  const { expect, message } = scenario;
  const met = asExpected(scenario);
  const expected = expect === 'Any' ? '' : met ? ' as expected' : `, expected ${expect}`;
  const summary = `${about}: ${result}${expected}`;
  return {
    type: met ? 'Normal' : 'Warning',
    reason: outcomes[result],
    action: 'Watch',
    note: message === undefined ? summary : `${summary}: ${message}`,
  };
}

function runEnd(before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): EventNote[] {
  const { run } = after;
  const end = endOf(after);
  if (!run || !end || (sameRun(before, after) && before?.run?.phase !== undefined)) return [];
  const { type, reason } = endingOf(end);
  const expected = after.scenarios === undefined ? '' : ` (${countAsExpected(after)} as expected)`;
  const note = `Run ${run.number} ${end.phase}${expected}: ${after.message ?? ''}`;
  return [{ type, reason, action: 'EndRun', note }];
}

function endingOf({ phase, reason }: Verdict): Pick<EventNote, 'type' | 'reason'> {
  if (reason === 'Superseded') return { type: 'Normal', reason };
  const isNormal = phase === 'Succeeded' || reason === 'Deleted';
  return { type: isNormal ? 'Normal' : 'Warning', reason: `Run${phase}` };
}

/** Why no run begins, when that begins or its reason changes. */
function block(before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): EventNote[] {
  const now = blockOf(after);
  return now === undefined || blockOf(before)?.reason === now.reason ? [] : [now];
}

/**
 * A refusal: stalled although no run has ended in this state. If an object is stalled after a run, that is the verdict,
 * which has an event of its own. Or what an object waits for if that resolves automatically, such as a lock held by
 * another; a check in progress is not waiting, and has the reason Pending.
 */
function blockOf(status: ChaosDemoStatus = {}): EventNote | undefined {
  const stalled = conditionOf(status, 'Stalled');
  if (stalled && conditionOf(status, 'Finished')?.status === 'False') {
    return { type: 'Warning', reason: stalled.reason, action: 'Refuse', note: stalled.message };
  }
  const reconciling = status.phase === 'Pending' ? conditionOf(status, 'Reconciling') : undefined;
  if (!reconciling || reconciling.reason === 'Pending') return undefined;
  return normal(reconciling.reason, 'Wait', reconciling.message);
}
