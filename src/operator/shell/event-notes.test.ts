import { describe, expect, it } from 'vitest';
import type { ChaosDemoStatus, Condition, ScenarioStatus, Verdict } from '../../api/index.ts';
import { eventsFor } from './event-notes.ts';

const at = '2026-01-01T00:00:00.000Z';
const later = '2026-01-01T00:00:10.000Z';

function scenario(fields: Partial<ScenarioStatus> = {}): ScenarioStatus {
  return { name: 'stall', type: 'Stall', expect: 'Violated', ...fields };
}

function running(fields: Partial<ChaosDemoStatus> = {}): ChaosDemoStatus {
  return {
    phase: 'Running',
    run: { number: 1, startedAt: at, podNames: ['a'] },
    scenarios: [scenario()],
    ...fields,
  };
}

function withFault(
  fault: Partial<NonNullable<ScenarioStatus['fault']>>,
  fields: Partial<ScenarioStatus> = {},
) {
  const whole = { id: 'f1', plannedAt: at, until: later, ...fault };
  return running({ scenarios: [scenario({ fault: whole, ...fields })] });
}

function condition(
  type: Condition['type'],
  status: Condition['status'],
  reason: Condition['reason'],
): Condition {
  return {
    type,
    status,
    reason,
    message: `because of ${reason}`,
    lastTransitionTime: at,
  };
}

function refused(reason: Condition['reason']): ChaosDemoStatus {
  return {
    phase: 'Pending',
    conditions: [condition('Stalled', 'True', reason), condition('Finished', 'False', reason)],
  };
}

function ended(phase: Verdict['phase'], reason: Verdict['reason']): ChaosDemoStatus {
  const run = { number: 1, startedAt: at, completedAt: later, phase, reason };
  return running({ phase, message: 'as it went', run });
}

const reasonsOf = (before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): string[] =>
  eventsFor(before, after).map(({ reason }) => reason);

describe('eventsFor', () => {
  it('an event reports the start of a run once, with its id and its pods', () => {
    const started = running();
    expect(eventsFor(undefined, started)).toMatchSnapshot('pods');
    expect(eventsFor(started, started)).toEqual([]);
    const second = running({ run: { number: 2, runId: 'v7', startedAt: at } });
    expect(eventsFor(started, second)[0]?.note).toMatchSnapshot('id');
  });

  it('events report the start and the end of a fault, but not its plan', () => {
    const planned = withFault({});
    const late = withFault({ startedAt: at, endedAt: at, message: 'the lamp is dark' });
    const on = withFault({ startedAt: at });
    const over = withFault({ startedAt: at, endedAt: later });
    expect(reasonsOf(running(), planned)).toEqual([]);
    expect(reasonsOf(planned, on)).toEqual(['FaultInjected']);
    expect(reasonsOf(on, over)).toEqual(['FaultReleased']);
    expect(reasonsOf(over, over)).toEqual([]);
    const changes = [eventsFor(planned, on), eventsFor(on, over), eventsFor(planned, late)];
    expect(changes.flat().map(({ note }) => note)).toMatchSnapshot();
  });

  it.each([
    ['Violated', 'Violated', 'ViolationDetected', 'Normal'],
    ['Violated', 'Held', 'ViolationDetected', 'Warning'],
    ['Violated', 'Any', 'ViolationDetected', 'Normal'],
    ['Held', 'Held', 'InvariantHeld', 'Normal'],
    ['Held', 'Violated', 'InvariantHeld', 'Warning'],
    ['Inconclusive', 'Any', 'ResultInconclusive', 'Warning'],
  ] as const)('reports %s where %s was expected as %s, %s', (result, expect_, reason, type) => {
    const before = running();
    const after = running({ scenarios: [scenario({ result, expect: expect_, message: 'why' })] });
    const events = eventsFor(before, after);
    expect(events).toMatchObject([{ type, reason }]);
    expect(events).toMatchSnapshot();
    expect(eventsFor(after, after)).toEqual([]);
  });

  it.each([
    ['Succeeded', 'ExpectationsMet', 'RunSucceeded', 'Normal'],
    ['Failed', 'UnexpectedViolation', 'RunFailed', 'Warning'],
    ['Errored', 'RestoreFailed', 'RunErrored', 'Warning'],
    ['Aborted', 'Aborted', 'RunAborted', 'Warning'],
    ['Aborted', 'Deleted', 'RunAborted', 'Normal'],
  ] as const)('reports the end as %s because of %s once, as %s', (phase, why, reason, type) => {
    expect(eventsFor(running(), ended(phase, why))).toEqual([
      { type, reason, action: 'EndRun', note: `Run 1 ${phase} (0/1 as expected): as it went` },
    ]);
    expect(eventsFor(ended(phase, why), { ...ended(phase, why), message: 'other words' })).toEqual([]);
  });

  it('warns of a refusal when it begins and when its reason changes', () => {
    expect(eventsFor(undefined, refused('NoSuchPods'))).toMatchSnapshot();
    expect(reasonsOf(refused('NoSuchPods'), refused('NoSuchPods'))).toEqual([]);
    expect(reasonsOf(refused('NoSuchPods'), refused('TargetShared'))).toEqual(['TargetShared']);
  });
});
