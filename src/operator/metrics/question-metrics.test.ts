import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createQuestionMetrics } from './question-metrics.ts';

it('counts questions, tokens and cost by profile, and invents no label', async () => {
  const registry = new Registry();
  const asked = createQuestionMetrics([registry], ['small']);
  const lines = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith('chaosdemo_'));
  const before = await lines();
  expect(before.every((line) => line.endsWith(' 0'))).toBe(true);
  const usage = { inputTokens: 1000, outputTokens: 50, microDollars: 3750 };
  asked({ profile: 'small', outcome: 'accepted', usage });
  asked({ profile: 'small', outcome: 'rejected', usage });
  asked({ profile: 'small', outcome: 'failed' });
  asked({ profile: 'rules', outcome: 'accepted' });
  asked({ profile: 'unheard-of', outcome: 'accepted', usage });
  const after = await lines();
  expect(after).toHaveLength(before.length);
  expect(after).toEqual(
    expect.arrayContaining([
      'chaosdemo_diagnosis_questions_total{profile="small",outcome="accepted"} 1',
      'chaosdemo_diagnosis_questions_total{profile="small",outcome="rejected"} 1',
      'chaosdemo_diagnosis_questions_total{profile="small",outcome="failed"} 1',
      'chaosdemo_diagnosis_questions_total{profile="rules",outcome="accepted"} 1',
      'chaosdemo_diagnosis_tokens_total{profile="small",kind="input"} 2000',
      'chaosdemo_diagnosis_tokens_total{profile="small",kind="output"} 100',
      'chaosdemo_diagnosis_cost_dollars_total{profile="small"} 0.0075',
    ]),
  );
});
