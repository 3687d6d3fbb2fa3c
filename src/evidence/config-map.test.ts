import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wholeDiagnosisWith } from '../../test/fixtures/api/diagnosis.ts';
import {
  type Draw,
  diagnosisData,
  evidenceLabels,
  evidenceName,
  readRunEvidence,
  runData,
} from './config-map.ts';
import { HistoryPieces } from './history-data.ts';
import type { FaultEvidence, RunPart } from './run-evidence.ts';

const ORIGIN = 1_700_000_000_000;
const run: RunPart = {
  version: 'run-evidence/v3',
  demo: { namespace: 'shop', name: 'demo', uid: 'u-1' },
  run: { number: 3, runId: '1' },
  originMs: ORIGIN,
  // As many as a run of eight scenarios has.
  chapters: Array.from({ length: 36 }, (_, i) => ({ name: `Chapter ${i}`, fromMs: 1000 * i })),
  results: [{ scenario: 'first', type: 'CounterDrift', expect: 'Violated', result: 'Violated' }],
  complete: false,
  leftOut: '',
};
const seen: FaultEvidence = {
  originMs: ORIGIN + 5100,
  pods: [{ component: 'replica-1', pod: 'limiter-0' }],
  bands: [{ kind: 'fault', from: ORIGIN + 5100, to: ORIGIN + 15_100 }],
  detections: [{ at: ORIGIN + 6000, kind: 'detected' }],
  bundle: {
    version: 'evidence/v2',
    components: [{ name: 'store', role: 'store' }],
    series: [{ id: 's1', component: 'store', signal: 'read-latency', points: [[0, 1]] }],
    events: [{ id: 'e1', atMs: 500, component: 'store', text: 'it answers again' }],
  },
};

const configMapOf = (...parts: Record<string, string>[]) => ({
  kind: 'ConfigMap',
  metadata: { name: 'demo-evidence-3' },
  data: Object.assign({}, ...parts) as Record<string, string>,
});

/** The history is what is to be drawn, a line a piece. */
const draw: Draw = async (lines) => JSON.parse([...lines].findLast((line) => line !== '') ?? '');
function historyOf(...drawn: unknown[]): Record<string, string> {
  const history = new HistoryPieces(0, 1, 1);
  for (const one of drawn) history.add([JSON.stringify(one)]);
  return { ...history.files };
}

const withHistory = (drawn: unknown) => configMapOf(runData(run), historyOf(drawn));

describe('evidence in a ConfigMap', () => {
  it('is read as it was written, with the history of each scenario drawn', async () => {
    const data = { ...historyOf({}, seen), ...diagnosisData(0, wholeDiagnosisWith()) };
    const { version: _, ...rest } = run;
    expect(await readRunEvidence(configMapOf(runData(run), data), draw)).toEqual({
      evidence: {
        ...rest,
        scenarios: [{ ...seen, name: 'first' }],
        diagnoses: [wholeDiagnosisWith()],
      },
      history: `{}\n${JSON.stringify(seen)}\n`,
    });
  });

  it('has no scenario without a history, or of an unknown number', async () => {
    const scenariosOf = async (data: Record<string, string>, by: Draw | undefined) =>
      (await readRunEvidence(configMapOf(runData(run), data), by)).evidence?.scenarios;
    expect(await scenariosOf({}, draw)).toEqual([]);
    expect(await scenariosOf(historyOf(seen), undefined)).toEqual([]);
    const second = new HistoryPieces(1, 1, 2);
    second.add([JSON.stringify(seen)]);
    expect(await scenariosOf({ ...second.files }, draw)).toEqual([]);
  });

  it('is read of 64 replicas that count in a Cluster', async () => {
    const pods = Array.from({ length: 64 }, (_, i) => ({ component: `replica-${i + 1}`, pod: `api-${i}` }));
    const masters = ['a', 'b', 'c'].map((pod) => ({ component: 'store', pod }));
    const { evidence } = await readRunEvidence(withHistory({ ...seen, pods: [...pods, ...masters] }), draw);
    expect(evidence?.scenarios[0]?.pods).toHaveLength(67);
  });

  const runText = (text: string) => configMapOf({ 'run.json': text });
  const farAway = { ...seen.bundle, events: [{ ...seen.bundle.events[0], atMs: 1e12 }] };

  it.each([
    ['nothing', undefined],
    ['a Secret', { kind: 'Secret', data: {} }],
    ['data that is no text', { data: { 'run.json': 5 } }],
    ['no run', configMapOf({})],
    ['no JSON', runText('{')],
    ['another version', configMapOf(runData({ ...run, version: 'v9' as never }))],
    ['a member too many', runText(JSON.stringify({ ...run, evil: 1 }))],
    ['too much of it', configMapOf(runData(run), { more: 'x'.repeat(1024 * 1024) })],
    ['depth', runText('['.repeat(100_000) + ']'.repeat(100_000))],
    ['a moment that is none', runText(JSON.stringify(run).replace('"fromMs":0', '"fromMs":1e999'))],
    ['a history that is none', configMapOf(runData(run), { 'history-1-1-0001.jsonl.gz.b64': 'x' })],
    ['a history whose times are far from its fault', withHistory({ ...seen, bundle: farAway })],
  ])('refuses %s', async (_, object) => {
    const { problem } = await readRunEvidence(object, draw);
    expect(problem).toBeDefined();
    expect(problem).toMatchSnapshot();
  });

  it('a history that cannot be drawn is a problem, which does not quote it', async () => {
    const read = await readRunEvidence(withHistory(seen), async () => {
      throw new Error('line 1: \u001b[31mforged');
    });
    expect(read.problem).toContain('scenario 1');
    expect(read.problem).not.toContain('forged');
  });

  it('reading any ConfigMap throws nothing, and its problem quotes no content', async () => {
    const file = fc.oneof(fc.string({ maxLength: 200 }), fc.json());
    const key = fc.constantFrom('run.json', 'diagnosis-1.json', 'history-1-1-0001.jsonl.gz.b64', 'x');
    await fc.assert(
      fc.asyncProperty(fc.dictionary(key, file), async (data) => {
        const forged = { data: { 'diagnosis-2.json': '"\u001b[31mforged"', ...data } };
        const { problem } = await readRunEvidence(forged, draw);
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
