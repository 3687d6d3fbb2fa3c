import { expect, it } from 'vitest';
import { controlMeasure, controlSentence } from './controls.ts';

it('reports what was admitted without a fault, next to the limit', () => {
  const kept = { limit: 10, sent: 20, admitted: 10 };
  expect(controlMeasure(kept)).toEqual({ name: 'controlAdmitted', value: 10, bound: 10, unit: 'requests' });
  expect(controlSentence(kept)).toMatch(/10 of 20 requests .* limit of 10/);
});
