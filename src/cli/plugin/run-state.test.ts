import { describe, expect, it } from 'vitest';
import { conditionWith, demoWith } from '../../../test/fixtures/cli/view/status.ts';
import { ANNOTATIONS, type ChaosDemo, type ChaosDemoStatus } from '../../api/index.ts';
import { exitOfRun } from '../exit-status.ts';
import { REFUSAL_TIMEOUT_MS, runStateOf, Waiter } from './run-state.ts';

type Conditions = Record<string, [status: 'True' | 'False' | 'Unknown', reason: string]>;

function demo(conditions: Conditions, status: ChaosDemoStatus = {}, request?: string): ChaosDemo {
  const list = Object.entries(conditions).map(([type, of]) => conditionWith(type, ...of));
  const made = demoWith({ observedGeneration: 1, conditions: list, ...status });
  return request === undefined
    ? made
    : { ...made, metadata: { ...made.metadata, annotations: { [ANNOTATIONS.requestedAt]: request } } };
}

const ended = (phase: 'Succeeded' | 'Failed' | 'Errored' | 'Aborted', reason: string): Conditions =>
  phase === 'Succeeded'
    ? { Ready: ['True', reason], Finished: ['True', reason], Succeeded: ['True', reason] }
    : {
        Ready: ['False', reason],
        Stalled: ['True', reason],
        Finished: ['True', reason],
        Succeeded: ['False', reason],
      };
const refused: Conditions = { Stalled: ['True', 'NoSuchPods'], Finished: ['False', 'NoSuchPods'] };

describe('where an object stands', () => {
  it.each([
    ['Succeeded', 'ExpectationsMet', 0],
    ['Failed', 'UnexpectedViolation', 1],
    ['Errored', 'Inconclusive', 2],
    ['Aborted', 'Aborted', 3],
  ] as const)('after a run that %s is its end, with its own exit status', (phase, reason, exit) => {
    const object = demo(ended(phase, reason), { phase });
    expect([runStateOf(object).state, exitOfRun(object)]).toEqual(['ended', exit]);
  });

  it('is not known before an operator has looked at this spec, or at this request', () => {
    expect(runStateOf(demoWith(undefined)).state).toBe('unseen');
    const done = ended('Failed', 'UnexpectedViolation');
    expect(runStateOf(demo(done, { observedGeneration: 0, phase: 'Failed' })).state).toBe('unseen');
    expect(runStateOf(demo(done, { phase: 'Failed', lastHandledRunRequest: 'old' }, 'new')).state).toBe(
      'unseen',
    );
    const handled = demo(done, { phase: 'Failed', lastHandledRunRequest: 'new' }, 'new');
    expect(runStateOf(handled).state).toBe('ended');
  });
});

it('waiting gives up on a refusal that stands, not on one that goes away', () => {
  const waiter = new Waiter();
  expect(waiter.observe(demo(refused), 0)).toBeUndefined();
  expect(waiter.observe(demo(refused), REFUSAL_TIMEOUT_MS - 1)).toBeUndefined();
  expect(waiter.observe(demo({ Reconciling: ['True', 'Running'] }), REFUSAL_TIMEOUT_MS)).toBeUndefined();
  expect(waiter.observe(demo(refused), REFUSAL_TIMEOUT_MS + 1)).toBeUndefined();
  expect(waiter.observe(demo(refused), 2 * REFUSAL_TIMEOUT_MS + 1)).toMatchObject({
    state: 'refused',
    reason: 'NoSuchPods',
  });
});
