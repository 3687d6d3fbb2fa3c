import { describe, expect, it } from 'vitest';
import type { Measure } from '../../api/index.ts';
import { OVER_ADMISSION } from './kind.ts';

const of = (...measures: Measure[]): number | undefined =>
  OVER_ADMISSION.of({ name: 's', type: 'CounterDrift', expect: 'Any', measures });

const measure = (name: string, value: number, bound?: number): Measure => ({
  name,
  value,
  unit: 'requests',
  ...(bound === undefined ? {} : { bound }),
});

describe('over-admission in the metrics', () => {
  it('is the measure of that name, whichever measure decides', () => {
    expect(of(measure('drift', 30, 5), measure('overAdmission', 20))).toBe(20);
    expect(of(measure('overAdmission', 0, 0), measure('drift', 30))).toBe(0);
  });

  it('is undefined if no measure has it', () => {
    expect(of(measure('drift', 30, 5))).toBeUndefined();
    expect(of(measure('admitted', 7))).toBeUndefined();
    expect(OVER_ADMISSION.of({ name: 's', type: 'CounterDrift', expect: 'Any' })).toBeUndefined();
  });
});
