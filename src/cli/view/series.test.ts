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

  it('show no drift if the invariant is about something else', () => {
    const evidence = evidenceOfRun();
    const scenarios = evidence.scenarios.map((scenario) => ({
      ...scenario,
      bundle: {
        ...scenario.bundle,
        invariant: { formula: 'sum(requests-admitted) <= limit', broken: true, values: [] },
      },
    }));
    expect(chartsOf({ ...evidence, scenarios }).map(({ title }) => title)).toEqual([
      'Admitted (counter-drift)',
    ]);
  });

  it('are none if nothing of the kind was measured', () => {
    expect(chartsOf({ ...evidenceOfRun(), scenarios: [] })).toEqual([]);
  });

  it('read a value between two points of a thinned series from the line between them', () => {
    const evidence = evidenceOfRun();
    const [scenario] = evidence.scenarios;
    const series = scenario?.bundle.series.filter(({ id }) => id === 's1') ?? [];
    const other = {
      ...series[0],
      id: 's9',
      component: 'replica-2',
      points: [[4000, 1]],
    } as (typeof series)[0];
    const bundle = { ...scenario?.bundle, series: [...series, other] };
    const scenarios = [{ ...scenario, bundle }] as typeof evidence.scenarios;
    const chart = chartsOf({ ...evidence, scenarios }).at(-1);
    expect(chart?.points).toEqual([
      [0, 0],
      [1000, 5],
      [4000, expect.closeTo(5 + 45 / 7 + 1)],
      [8000, 21],
    ]);
  });
});
