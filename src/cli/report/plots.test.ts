import { describe, expect, it } from 'vitest';
import { recordedRun } from '../../../test/fixtures/cli/report/report.ts';
import type { ScenarioEvidence, Signal } from '../../evidence/index.ts';
import { chartSvg } from './chart.ts';
import { plotsOf } from './plots.ts';

/** The first scenario of the recorded run: a pause. */
function drift(): ScenarioEvidence {
  const [scenario] = recordedRun().evidence.scenarios;
  if (!scenario) throw new Error('nothing was recorded');
  return scenario;
}

const answersOf = (scenario: ScenarioEvidence) => {
  const plot = plotsOf(scenario).find(({ key }) => key === 'answers');
  if (!plot) throw new Error('there is no plot of answers');
  return plot;
};

function withLimit(points: [number, number][]): ScenarioEvidence {
  const scenario = drift();
  for (const series of scenario.bundle.series) if (series.signal === 'limit') series.points = points;
  return scenario;
}

it('a plot of answers has a line for what grows, and reports where that ends', () => {
  const points: [number, number][] = [
    [0, 10],
    [1000, 10],
    [5000, 14],
  ];
  const plot = answersOf(withLimit(points));
  expect(plot.bound).toBeUndefined();
  expect(plot.lines.at(-1)).toMatchObject({ name: 'the limit allows', points });
  expect(plot.about).toMatch(/limit or below, .* 14 /);
});

describe('a plot of answers around an outage', () => {
  /** The caller beyond its limit was admitted before the fault only; the new one three times its limit in it. */
  function outage(): ScenarioEvidence {
    const scenario = drift();
    const { bundle } = scenario;
    bundle.series = bundle.series.filter(({ signal }) => !signal.startsWith('requests-'));
    const row = (id: string, signal: Signal, points: [number, number][]) =>
      bundle.series.push({ id, component: 'replica-1', signal, points });
    row('s900', 'requests-admitted', [
      [-5150, 1],
      [-4880, 10],
    ]);
    row('s901', 'newcomer-admitted', [
      [800, 1],
      [9000, 30],
    ]);
    row('s902', 'others-timeouts', [
      [1500, 1],
      [9000, 44],
    ]);
    return scenario;
  }

  it('shows the whole fault, and what was admitted in it', () => {
    const plot = answersOf(outage());
    const fault = plot.bands.find(({ kind }) => kind === 'fault');
    expect(fault && fault.toMs - fault.fromMs).toBeGreaterThan(9000);
    expect(plot.lines.map(({ name, points }) => [name, points.at(-1)?.[1]])).toEqual([
      ['without a response, of all callers', 44],
      ['allowed to a caller that is new in the fault', 30],
      ['admitted', 10],
    ]);
  });
});

describe('the axis of time', () => {
  const axisOf = (scenario: ScenarioEvidence): string =>
    chartSvg(answersOf(scenario), 'a-').match(/seconds since [a-z ]+/)?.[0] ?? '';

  it('speaks of no start of a fault that has not begun, or never does', () => {
    expect(axisOf({ ...drift(), bands: [] })).toMatch(/since the setup/);
  });
});
