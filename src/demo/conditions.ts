/** The conditions that follow from a status, as the table in the API has them. */

import type { ChaosDemoStatus, Condition, ConditionType, Reason } from '../api/index.ts';
import { truncate } from '../api/index.ts';
import type { Context, Standing } from './context.ts';
import { activeFault } from './context.ts';
import { UNREACHABLE } from './health.ts';

type Part = Pick<Condition, 'status' | 'reason' | 'message'>;

/**
 * All conditions of the draft, in a fixed order. `lastTransitionTime` moves only
 * where a condition's status does.
 */
export function conditionsFor(context: Context): Condition[] {
  const { demo, draft, now } = context;
  const parts: Partial<Record<ConditionType, Part>> = {
    ...standingConditions(context.standing, draft),
    Healthy: healthy(context),
    FaultActive: faultActive(context),
    CounterDrift: anomaly(draft, 'CounterDrift'),
    GhostAllowing: anomaly(draft, 'GhostAllowing'),
  };
  const transition = `${new Date(now).toISOString().slice(0, 19)}Z`;
  return Object.entries(parts).map(([type, part]) => {
    const before = demo.status.conditions?.find((condition) => condition.type === type);
    return {
      type: type as ConditionType,
      status: part.status,
      observedGeneration: demo.generation,
      lastTransitionTime: before?.status === part.status ? before.lastTransitionTime : transition,
      reason: part.reason,
      message: part.message,
    };
  });
}

/** Ready, Reconciling, Stalled, Complete and Succeeded. Reconciling and Stalled are never there together. */
function standingConditions(
  standing: Standing,
  draft: ChaosDemoStatus,
): Partial<Record<ConditionType, Part>> {
  const verdict = draft.run?.verdict;
  if (standing.kind === 'finished' && verdict) {
    const { reason, message } = verdict;
    const good: Part = { status: 'True', reason, message };
    const bad: Part = { status: 'False', reason, message };
    return verdict.phase === 'Succeeded'
      ? { Ready: good, Complete: good, Succeeded: good }
      : { Ready: bad, Stalled: good, Complete: good, Succeeded: bad };
  }
  const { reason, message }: { reason: Reason; message: string } =
    standing.kind === 'suspended' || standing.kind === 'finished'
      ? { reason: 'Suspended', message: draft.run ? 'The next run waits' : 'No run has been made' }
      : standing;
  const open: Partial<Record<ConditionType, Part>> = {
    Ready: { status: 'False', reason, message },
    Complete: { status: 'False', reason, message },
    Succeeded: { status: 'Unknown', reason, message },
  };
  if (standing.kind === 'refused') return { ...open, Stalled: { status: 'True', reason, message } };
  if (standing.kind === 'suspended' || standing.kind === 'finished') return open;
  return { ...open, Reconciling: { status: 'True', reason, message } };
}

function healthy({ demo, draft, now, observed }: Context): Part {
  if (!draft.health) {
    return {
      status: 'Unknown',
      reason: 'NotObserved',
      message: 'The subject has not been looked at in this run',
    };
  }
  const { hasIssues, nodes, redisConnected, total } = draft.health;
  if (!hasIssues) {
    return { status: 'True', reason: 'AllNodesReady', message: `${total} nodes ready, Redis connected` };
  }
  // The words change with every look ("silent for 4 s"); the condition only with what the status says.
  const kept =
    draft.health.lastTransitionTime === demo.status.health?.lastTransitionTime
      ? demo.status.conditions?.find(({ type }) => type === 'Healthy')?.message
      : undefined;
  const message =
    kept ?? (truncate(observed.health?.issues.join('; ') ?? '', 512) || 'The subject has issues');
  let reason: Reason = 'NodesNotReady';
  if (nodes.every(({ state }) => state === UNREACHABLE)) reason = 'Unreachable';
  else if (!redisConnected) reason = 'RedisDisconnected';
  if (activeFault(draft, now)) reason = 'DegradedByFault';
  return { status: 'False', reason, message };
}

function faultActive({ draft, now }: Context): Part {
  const fault = activeFault(draft, now);
  if (fault?.startedAt) {
    return {
      status: 'True',
      reason: 'FaultInjected',
      message: `${fault.id} is on until ${fault.until} at the latest`,
    };
  }
  if (fault) {
    return {
      status: 'True',
      reason: 'FaultPlanned',
      message: `${fault.id} is announced for ${fault.plannedAt}`,
    };
  }
  const last = draft.scenarios?.flatMap((entry) => entry.fault ?? []).at(-1);
  return last
    ? {
        status: 'False',
        reason: 'FaultReleased',
        message: `${last.id} ended at ${last.endedAt ?? last.until}`,
      }
    : { status: 'False', reason: 'NoFault', message: 'No fault has been injected in this run' };
}

/** True: detected in this run. False: proven absent. Unknown: everything else. */
function anomaly(draft: ChaosDemoStatus, type: 'CounterDrift' | 'GhostAllowing'): Part {
  const entry = draft.scenarios?.find((scenario) => scenario.type === type);
  if (!entry) return { status: 'Unknown', reason: 'NotTested', message: 'This run has no such scenario' };
  const { fault, message = '', reason, result } = entry;
  if (result === 'Detected') return { status: 'True', reason: 'Detected', message };
  if (result === 'NotDetected') return { status: 'False', reason: 'NotDetected', message };
  if (result === 'Inconclusive') return { status: 'Unknown', reason: reason ?? 'Inconclusive', message };
  return fault
    ? { status: 'Unknown', reason: 'Watching', message: `Watched since ${fault.plannedAt}` }
    : { status: 'Unknown', reason: 'NotObserved', message: 'Its chapter has not begun' };
}
