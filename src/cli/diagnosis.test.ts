import { expect, it } from 'vitest';
import { diagnosisWith, wholeDiagnosisWith } from '../../test/fixtures/api/diagnosis.ts';
import { demoWith, evidenceOfRun } from '../../test/fixtures/cli/view/status.ts';
import { adviceSentence, shownDiagnoses } from './diagnosis.ts';

const run = { number: 3, startedAt: '2026-01-01T00:00:00Z' };
const whole = wholeDiagnosisWith({ chain: [{ text: 'It lost its counts.', evidence: ['s1'] }] });
const evidence = { ...evidenceOfRun(), diagnoses: [whole] };

it('a diagnosis is shown with its steps if the evidence has them', () => {
  const [shown] = shownDiagnoses(demoWith({ run, diagnoses: [diagnosisWith()] }), evidence);
  expect(shown).toMatchObject({ profile: 'rules', full: { chain: whole.chain }, missing: '' });
});

it.each([
  ['there is no evidence', diagnosisWith(), undefined],
  ['the evidence has no diagnosis', diagnosisWith(), { ...evidence, diagnoses: [] }],
  ['the status has the answer of another profile', diagnosisWith({ profile: 'hosted' }), evidence],
  ['the status has another class', diagnosisWith({ class: 'store-slow' }), evidence],
])('a diagnosis names the ConfigMap of its steps if %s', (_, diagnosis, found) => {
  const [shown] = shownDiagnoses(demoWith({ run, diagnoses: [diagnosis] }), found);
  expect(shown?.full).toBeUndefined();
  expect(shown?.missing).toContain('demo-evidence-3');
});

it.each([
  ['of a cause without a fault', diagnosisWith()],
  ['of the injected fault', withoutAdvice('Right')],
  ['of another cause than the injected fault', withoutAdvice('Wrong')],
  ['of a cause that was not graded', { full: whole }],
])('advice %s', (_, diagnosis) => {
  expect(adviceSentence(diagnosis)).toMatchSnapshot();
});

function withoutAdvice(identification: 'Right' | 'Wrong') {
  const right = { localization: 'Right', action: 'Right', truth: 'x at store' } as const;
  return { full: { ...whole, grade: { ...right, identification } } };
}
