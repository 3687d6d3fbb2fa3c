import { expect, it } from 'vitest';
import { bundleOf } from '../../../test/fixtures/diagnosis/bundle.ts';
import { answerForm } from './answer-form.ts';

const formOf = (events: number) =>
  JSON.parse(
    JSON.stringify(
      answerForm(
        bundleOf({ parts: Array.from({ length: events }, (_, i) => ['store', `seen ${i + 1}`, i] as const) }),
      ),
    ),
  ) as Record<string, Record<string, unknown>>;

it('the form of an answer lets nothing be named but what the prompt shows', () => {
  expect(formOf(2)).toMatchObject({
    type: 'object',
    additionalProperties: false,
    required: ['anomaly', 'component', 'chain', 'action', 'confidence', 'alternatives'],
    properties: {
      component: { enum: ['none', 'replicas', 'replica-1', 'replica-2', 'replica-3', 'store', 'client'] },
      chain: {
        minItems: 1,
        maxItems: 6,
        items: {
          required: ['text', 'evidence'],
          properties: { evidence: { items: { enum: ['e1', 'e2'] } } },
        },
      },
      alternatives: {
        items: { properties: { component: { enum: expect.arrayContaining(['store']) as string[] } } },
      },
    },
  });
});
