import { describe, expect, it } from 'vitest';
import { recordedRun } from '../../../test/fixtures/cli/report/report.ts';
import { evidenceOfRun } from '../../../test/fixtures/cli/view/status.ts';
import { chartsOf } from './series.ts';

describe('the charts of a run', () => {
  const [drift, admitted] = chartsOf(evidenceOfRun());

  it('charts show how far counters lead the store, with the bound', () => {
    expect(drift).toMatchObject({ title: 'Drift (counter-drift)', figures: 'bound 6', bound: [[0, 6]] });
    expect(drift?.points).toEqual([
      [0, 0],
      [1000, 0],
      [8000, 30],
      [8200, 0],
    ]);
  });

  it('show what was admitted against the limit', () => {
    expect(admitted).toMatchObject({ title: 'Admitted (counter-drift)', bound: [[0, 10]] });
    expect(admitted?.points.at(-1)).toEqual([8000, 40]);
  });

  it('have the fault at its time on the clock of the bundle', () => {
    expect(drift?.faults).toEqual([{ name: 'fault', fromMs: 1000, toMs: 8000 }]);
  });

  it('show a burst of milliseconds as that, and not as an outage', () => {
    const chart = chartsOf(recordedRun().evidence).find(({ title }) => title === 'Admitted (ghost-allowing)');
    expect(chart?.faults).toEqual([{ name: 'burst', fromMs: 0, toMs: 55 }]);
    const { fromMs = 0, toMs = 0 } = chart ?? {};
    expect(fromMs).toBeLessThan(-20);
    expect(toMs).toBeGreaterThan(70);
    expect(toMs - fromMs).toBeLessThan(500);
  });

  it('are none if nothing of the kind was measured', () => {
    expect(chartsOf({ ...evidenceOfRun(), scenarios: [] })).toEqual([]);
  });
});
