/** The words of views and of plain lines, in one snapshot: other tests of views assert figures and structure. */
import { expect, it } from 'vitest';
import { diagnosisWith, wholeDiagnosisWith } from '../../../test/fixtures/api/diagnosis.ts';
import {
  conditionWith,
  evidenceOfRun,
  NOW,
  stateWith,
  statusInFault,
  statusWaiting,
} from '../../../test/fixtures/cli/view/status.ts';
import type { ChaosDemoStatus } from '../../api/index.ts';
import { reportOf } from '../report/report.ts';
import { verdictLines } from '../run-text.ts';
import { plainLines } from './plain.ts';
import { initialState, type LiveState } from './state.ts';
import { watchView } from './watch-view.ts';

const FRAME = { columns: 100, rows: 30, color: false, now: NOW, keys: 'q quit' };
const inFault = statusInFault();
const ended: ChaosDemoStatus = {
  ...inFault,
  phase: 'Failed',
  message: 'It gave way',
  ...(inFault.run && {
    run: {
      ...inFault.run,
      phase: 'Failed',
      reason: 'UnexpectedViolation',
    },
  }),
  scenarios: (inFault.scenarios ?? []).map((scenario) => ({
    ...scenario,
    expect: 'Held',
    result: 'Violated',
    summary: '>= 30 > 8',
    measures: { drift: 30 },
    bounds: { drift: 8 },
    atLeast: ['drift'],
  })),
  diagnoses: [
    diagnosisWith({
      scenario: 'counter-drift',
      message: 'These are the rules: profile "hosted" failed: late',
    }),
  ],
};
const explained = wholeDiagnosisWith({
  scenario: 'counter-drift',
  chain: [{ text: 'The store lost its counts.', evidence: ['s1'] }],
  alternatives: [{ class: 'store-slow', component: 'store' }],
});
const lost = { sinceMs: NOW - 7000, why: 'connection refused' };

const STATES: readonly (readonly [string, LiveState])[] = [
  ['an object without a state yet', initialState('ratelimiter', 'demo')],
  ['an object without a status', stateWith(undefined)],
  [
    'a refused object',
    stateWith({ phase: 'Pending', conditions: [conditionWith('Stalled', 'True', 'PodsNotEligible')] }),
  ],
  [
    'a pending object',
    stateWith({ phase: 'Pending', conditions: [conditionWith('Ready', 'False', 'PodsNotEligible')] }),
  ],
  ['a fault', { ...stateWith(inFault), evidence: evidenceOfRun() }],
  ['a fault without evidence', { ...stateWith(inFault), noEvidence: 'you may not read it' }],
  ['a run that waits for a person', stateWith(statusWaiting())],
  ['a lost connection', { ...stateWith(inFault), lost }],
  ['a run that has ended', stateWith(ended)],
  [
    'a run that has ended, with evidence',
    { ...stateWith(ended), evidence: { ...evidenceOfRun(), diagnoses: [explained] } },
  ],
  ['a deleted object', { ...stateWith(inFault), deleted: true }],
];

it.each(STATES)('the words for %s', (_, state) => {
  const text = (lines: readonly string[]): string => lines.filter((line) => line !== '').join('\n');
  expect(text(watchView(state, FRAME))).toMatchSnapshot('watch');
  expect(text(plainLines(initialState('ratelimiter', 'demo'), state, NOW))).toMatchSnapshot('plain');
  const { demo, evidence } = state;
  const report = demo && reportOf({ demo, ...(evidence && { evidence }) });
  if (!report) return;
  expect(text(verdictLines(report))).toMatchSnapshot('verdict');
});
