import { describe, expect, it } from 'vitest';
import { recordedRun } from '../../../test/fixtures/cli/report/report.ts';
import { evidenceOfRun } from '../../../test/fixtures/cli/view/status.ts';
import { chartsOf } from './series.ts';

describe('the charts of a run', () => {
  it('show the counts of pods against the store, and requests against the limit', () => {
    const [counted, admitted] = chartsOf(evidenceOfRun());
    expect(counted).toMatchObject({
      scenario: 'counter-drift',
      title: 'Counted',
      figures: 'the store holds 40',
    });
    expect(counted?.points.at(-1)).toEqual([8000, 40]);
    expect(counted?.bound.map(([, value]) => value)).toEqual([0, 10, 10, 40]);
    expect(admitted).toMatchObject({ title: 'Admitted', figures: 'limit 10' });
    expect(admitted?.bound).toEqual([[0, 10]]);
  });

  it('show a burst of milliseconds as that, and not as an outage', () => {
    const chart = chartsOf(recordedRun().evidence).find(({ title }) => title === 'Admitted');
    expect(chart?.faults).toEqual([{ kind: 'burst', fromMs: 0, toMs: 43 }]);
    const { fromMs = 0, toMs = 0 } = chart ?? {};
    expect(toMs - fromMs).toBeLessThan(500);
  });
});
