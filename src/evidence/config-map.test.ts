import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wholeDiagnosisWith } from '../../test/fixtures/api/diagnosis.ts';
import {
  diagnosisData,
  evidenceLabels,
  evidenceName,
  type RunPart,
  readRunEvidence,
  runData,
  scenarioBytes,
  scenarioData,
} from './config-map.ts';
import { RUN_EVIDENCE_BYTES, type ScenarioEvidence } from './run-evidence.ts';

const run: RunPart = {
  version: 'run-evidence/v2',
  demo: { namespace: 'shop', name: 'demo', uid: 'u-1' },
  run: { number: 3, runId: '1' },
  originMs: 1_700_000_000_000,
  chapters: [{ name: 'Welcome', fromMs: 0, toMs: 1000 }],
  results: [{ scenario: 'first', type: 'CounterDrift', expect: 'Violated', result: 'Violated' }],
  complete: false,
  leftOut: '',
};

function scenarioOf(points: number, series = 1): ScenarioEvidence {
  return {
    name: 'first',
    type: 'CounterDrift',
    pods: [{ component: 'replica-1', pod: 'limiter-0' }],
    bundleAtMs: 5000,
    bands: [{ kind: 'fault', fromMs: 5000, text: 'on' }],
    detections: [],
    bundle: {
      version: 'evidence/v1',
      components: [{ name: 'replica-1', role: 'replica' }],
      relations: [],
      series: Array.from({ length: series }, (_, i) => ({
        id: `s${i + 1}`,
        component: 'replica-1',
        signal: 'request-latency',
        unit: 'ms',
        points: Array.from({ length: points }, (_, at): [number, number] => [
          at,
          (at * at * 31 + at * 7919) % 1013,
        ]),
      })),
      events: [],
    },
  };
}

const configMapOf = (...parts: Record<string, string>[]) => ({
  kind: 'ConfigMap',
  metadata: { name: 'demo-evidence-3' },
  data: Object.assign({}, ...parts) as Record<string, string>,
});

describe('evidence in a ConfigMap', () => {
  it('is read as it was written, with the result of each scenario', () => {
    const scenario = scenarioOf(20);
    const { data, thin } = scenarioData(0, scenario, 10_000);
    expect([Object.keys(data), thin]).toEqual([['scenario-1.json'], false]);
    expect(readRunEvidence(configMapOf(runData(run), data))).toEqual({
      evidence: { ...run, scenarios: [{ ...scenario, result: 'Violated' }], diagnoses: [] },
    });
  });

  it('is read of a run that has waited for a person over the holidays', () => {
    const days = 20 * 86_400_000;
    const waited = { ...run, chapters: [{ name: 'Welcome', fromMs: 0, toMs: days }] };
    const scenario = {
      ...scenarioOf(20),
      bundleAtMs: days,
      detections: [{ atMs: days + 1, text: 'broken' }],
    };
    const { data } = scenarioData(0, scenario, 10_000);
    expect(readRunEvidence(configMapOf(runData(waited), data)).problem).toBeUndefined();
  });

  it('evidence with over 12,000 points in a scenario is not read, however small', () => {
    const zeros = (points: number) => {
      const scenario = scenarioOf(0, 4);
      const series = scenario.bundle.series.map((one) => ({
        ...one,
        points: Array.from({ length: points / 4 }, (): [number, number] => [0, 0]),
      }));
      const { data } = scenarioData(0, { ...scenario, bundle: { ...scenario.bundle, series } }, 200_000);
      return readRunEvidence(configMapOf(runData(run), data)).problem;
    };
    expect(zeros(12_000)).toBeUndefined();
    expect(zeros(12_004)).toMatch(/^scenario-1\.json .*bundle\.series: custom$/);
  });

  it('fits into its bound of bytes, thinned out if necessary', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 512 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 8000, max: 40_000 }),
        (points, series, bytes) => {
          const { data, thin } = scenarioData(0, scenarioOf(points, series), bytes);
          const text = data['scenario-1.json'] ?? '';
          expect(text).not.toBe('');
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(bytes);
          const read = readRunEvidence(configMapOf(runData(run), data)).evidence?.scenarios[0];
          const kept = read?.bundle.series[0]?.points.length ?? 0;
          expect(kept < points).toBe(thin);
          // And no more was taken away than had to be.
          if (thin) expect(Buffer.byteLength(text)).toBeGreaterThan(bytes * 0.6);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('leaves room for every scenario of a run within the bound of the whole', () => {
    const most = scenarioBytes(8);
    const files = Array.from({ length: 8 }, (_, i) => scenarioData(i, scenarioOf(512, 12), most).data);
    const chain = Array.from({ length: 6 }, () => ({ text: '"'.repeat(256), evidence: ['s1'] }));
    const citations = Array.from({ length: 12 }, () => ({ id: 's1', text: '"'.repeat(160) }));
    const whole = wholeDiagnosisWith({ chain, citations });
    const diagnoses = Array.from({ length: 8 }, (_, i) => diagnosisData(i, whole));
    const read = readRunEvidence(configMapOf(runData(run), ...files, ...diagnoses));
    expect(read.evidence?.scenarios).toHaveLength(8);
    expect(read.evidence?.diagnoses.map(({ chain: steps }) => steps.length)).toEqual(Array(8).fill(6));
  });

  it.each([
    ['nothing', undefined, /no ConfigMap/],
    ['a Secret', { kind: 'Secret', data: {} }, /no ConfigMap/],
    ['data that is no text', { data: { 'run.json': 5 } }, /no ConfigMap/],
    ['no run', configMapOf({}), /has no run\.json/],
    ['no JSON', configMapOf({ 'run.json': '{' }), /run\.json is no JSON/],
    ['another version', configMapOf(runData({ ...run, version: 'v9' as never })), /run\.json .* at version/],
    [
      'a member too many',
      configMapOf({ 'run.json': JSON.stringify({ ...run, evil: 1 }) }),
      /unrecognized_keys/,
    ],
    [
      'too much of it',
      configMapOf(runData(run), { 'scenario-1.json': 'x'.repeat(RUN_EVIDENCE_BYTES) }),
      /bytes of evidence/,
    ],
    [
      'depth',
      configMapOf(runData(run), { 'scenario-1.json': '['.repeat(100_000) + ']'.repeat(100_000) }),
      /scenario-1\.json is not as it should be/,
    ],
    [
      'a diagnosis with a member too many',
      configMapOf(runData(run), {
        'diagnosis-1.json': JSON.stringify({ ...wholeDiagnosisWith(), evil: 1 }),
      }),
      /diagnosis-1\.json .* unrecognized_keys/,
    ],
    [
      'a moment that is none',
      configMapOf({ 'run.json': JSON.stringify(run).replace('"fromMs":0', '"fromMs":1e999') }),
      /run\.json .* at chapters\.0\.fromMs/,
    ],
  ])('refuses %s', (_, object, problem) => {
    expect(readRunEvidence(object).problem).toMatch(problem);
  });

  it('reading any ConfigMap throws nothing, and its problem quotes no content', () => {
    const file = fc.oneof(fc.string({ maxLength: 200 }), fc.json());
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('run.json', 'scenario-1.json', 'x'), file), (data) => {
        const { problem } = readRunEvidence({ data: { 'scenario-2.json': '"\u001b[31mforged"', ...data } });
        expect(problem).toBeDefined();
        expect(problem).not.toContain('\u001b');
      }),
    );
  });
});

describe('the name of the ConfigMap', () => {
  it('names the demo and the run', () => {
    expect(evidenceName('demo', 12)).toBe('demo-evidence-12');
    expect(evidenceLabels('demo', 12)).toEqual({
      'chaosdemo.dev/evidence-of': 'demo',
      'chaosdemo.dev/run': '12',
    });
  });

  it('stays a valid and unique name, however long that of the demo is', () => {
    const long = 'a'.repeat(252);
    const names = [`${long}b`, `${long}c`, `${'a'.repeat(62)}.${'b'.repeat(190)}`];
    for (const name of names) {
      const made = evidenceName(name, 1_000_000_000);
      expect(made.length).toBeLessThanOrEqual(253);
      expect(made).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
      const label = evidenceLabels(name, 1)['chaosdemo.dev/evidence-of'] ?? '';
      expect(label).toMatch(/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/);
    }
    expect(new Set(names.map((name) => evidenceName(name, 1))).size).toBe(names.length);
  });
});
