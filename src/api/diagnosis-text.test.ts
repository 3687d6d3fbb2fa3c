import { expect, it } from 'vitest';
import { diagnosisWith } from '../../test/fixtures/api/diagnosis.ts';
import { adviceSentence } from './diagnosis-text.ts';

it.each([
  ['of a cause without a fault', diagnosisWith()],
  ['of the injected fault', withoutAdvice(['Localization', 'Identification'])],
  ['of another cause than the injected fault', withoutAdvice(['Localization'])],
])('advice %s', (_, diagnosis) => {
  expect(adviceSentence(diagnosis)).toMatchSnapshot();
});

function withoutAdvice(grade: ReturnType<typeof diagnosisWith>['grade']) {
  const { recommendation: _, ...diagnosis } = diagnosisWith({ grade });
  return diagnosis;
}
