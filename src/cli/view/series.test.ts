import { describe, expect, it } from 'vitest';
import { recordedRun } from '../../../test/fixtures/cli/report/report.ts';
import { evidenceOfRun } from '../../../test/fixtures/cli/view/status.ts';
import { chartsOf } from './series.ts';

describe('the charts of a run', () => {
  const [drift] = chartsOf(evidenceOfRun());

  it('charts show how far counters lead the store, with the bound', () => {
    expect(drift).toMatchObject({ title: 'Drift (counter-drift)', figures: 'bound 6', bound: [[0, 6]] });
    expect(drift?.points).toEqual([
      [0, 0],
      [1000, 0],
      [8000, 30],
      [8200, 0],
    ]);
  });

  it('show a burst of milliseconds as that, and not as an outage', () => {
    const chart = chartsOf(recordedRun().evidence).find(({ title }) => title === 'Admitted (ghost-allowing)');
    expect(chart?.faults).toEqual([{ name: 'burst', fromMs: 0, toMs: 55 }]);
    const { fromMs = 0, toMs = 0 } = chart ?? {};
    expect(fromMs).toBeLessThan(-20);
    expect(toMs).toBeGreaterThan(70);
    expect(toMs - fromMs).toBeLessThan(500);
  });
});
