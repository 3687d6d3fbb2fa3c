import { expect, it } from 'vitest';
import { diagnosisWith, wholeDiagnosisWith } from '../../test/fixtures/api/diagnosis.ts';
import { evidenceOfRun } from '../../test/fixtures/cli/view/status.ts';
import { adviceSentence, shownDiagnoses } from './diagnosis.ts';

const whole = wholeDiagnosisWith({ chain: [{ text: 'It lost its counts.', evidence: ['s1'] }] });
const evidence = { ...evidenceOfRun(), diagnoses: [whole] };

it('a diagnosis is shown with its steps if the evidence has them', () => {
  const [shown] = shownDiagnoses({ diagnoses: [diagnosisWith()] }, evidence);
  expect(shown).toMatchObject({ profile: 'rules', full: { chain: whole.chain } });
});

it.each([
  ['there is no evidence', diagnosisWith(), undefined],
  ['the evidence has no diagnosis', diagnosisWith(), { ...evidence, diagnoses: [] }],
  ['the status has the answer of another profile', diagnosisWith({ profile: 'hosted' }), evidence],
  ['the status has another class', diagnosisWith({ class: 'store-slow' }), evidence],
])('a diagnosis has no steps if %s', (_, diagnosis, found) => {
  const [shown] = shownDiagnoses({ diagnoses: [diagnosis] }, found);
  expect(shown?.full).toBeUndefined();
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
