/** The state of the object itself: suspended, refused, waiting, ended. Pure. */
import { type ChaosDemo, conditionOf, shell } from '../../../api/index.ts';
import { waitingOf } from '../../stepper.ts';
import { pluginCommand } from '../connection.ts';
import { runStateOf } from '../run-state.ts';
import type { Finding } from './finding.ts';

/** Refusals that only a change of the spec ends. */
const OF_THE_SPEC: ReadonlySet<string> = new Set(['UnprovableSpec', 'SubjectUnknown']);

/**
 * The state of an object, and how to make it continue.
 * @param others the findings of the other checks: if one of them is wrong, a run that does not go on is its consequence
 */
export function checkObject(demo: ChaosDemo, kubectl: string, others: readonly Finding[]): Finding {
  const finding = { check: 'Object', ...objectState(demo, kubectl) };
  const follows = ['refused', 'unseen', 'open'].includes(runStateOf(demo).state) && !demo.spec.suspend;
  const isExplained = follows && finding.state === 'wrong' && others.some(({ state }) => state === 'wrong');
  return isExplained ? { check: finding.check, state: 'note', message: finding.message } : finding;
}

function objectState(demo: ChaosDemo, kubectl: string): Omit<Finding, 'check'> {
  const { metadata, spec, status = {} } = demo;
  const { name, namespace } = metadata;
  const edited = (verb: string): string => `${kubectl} ${shell`-n ${namespace} ${verb} chaosdemo ${name}`}`;
  const ready = conditionOf(status, 'Ready');
  if (metadata.deletionTimestamp !== undefined) {
    return { state: 'wrong', message: `${name} is being deleted: wait until it is gone, and apply it again` };
  }
  if (spec.suspend) {
    return {
      state: 'wrong',
      message: `spec.suspend is true: no run of ${name} starts`,
      fixCommands: [`${edited('patch')} --type=merge -p '{"spec":{"suspend":false}}'`],
      reason: 'Suspended',
    };
  }
  const state = runStateOf(demo);
  switch (state.state) {
    case 'unseen':
      return {
        state: 'wrong',
        message: `no operator has seen ${name} since it was written. If the checks above pass, see that its flag --watch-namespaces has ${namespace} or is not set, and read its logs`,
        reason: 'Pending',
      };
    case 'refused':
      return {
        state: 'wrong',
        message: `a precondition is not met (${state.reason}): ${state.message}`,
        ...(OF_THE_SPEC.has(state.reason) && {
          fixCommands: [edited('edit')],
        }),
        reason: state.reason,
      };
    case 'ended': {
      const reason = status.run?.reason ?? ready?.reason;
      const rerun = pluginCommand('rerun', { kubectl, name, namespace });
      const message = `run ${status.run?.number ?? '?'} of ${name} has ended: ${state.line}`;
      const ended = { message, ...(reason !== undefined && { reason }) };
      if (!['Failed', 'Errored'].includes(status.run?.phase ?? ''))
        return { state: 'note', ...ended, message: `${message}. To run again:`, fixCommands: [rerun] };
      return {
        state: 'wrong',
        ...ended,
        message: `${message}. Fix the spec, or the cause outside of it and run again:`,
        fixCommands: [edited('edit'), rerun],
      };
    }
    case 'open':
      break;
  }
  const waiting = waitingOf(status);
  if (waiting) {
    return {
      state: 'note',
      message: `run ${status.run?.number} waits for you in chapter ${waiting.advance.split('/')[1]} (spec.pace.mode: Manual). To continue:`,
      fixCommands: [pluginCommand('advance', { kubectl, name, namespace })],
      reason: 'AwaitingAdvance',
    };
  }
  if (status.run && status.run.completedAt === undefined) {
    const healthy = conditionOf(status, 'Healthy');
    // Later, the fault of the run may be the cause.
    if (healthy?.status === 'False' && !status.scenarios?.some(({ fault }) => fault)) {
      const message = `run ${status.run.number} of ${name} waits until everything is healthy: ${healthy.message}`;
      return { state: 'wrong', message, fixCommands: [edited('edit')], reason: healthy.reason };
    }
    return { state: 'ok', message: `run ${status.run.number} of ${name} is active: ${status.message ?? ''}` };
  }
  return {
    state: 'note',
    message: `${name} waits (${ready?.reason ?? 'Pending'}): ${ready?.message ?? ''}. No action is needed`,
    reason: ready?.reason ?? 'Pending',
  };
}
