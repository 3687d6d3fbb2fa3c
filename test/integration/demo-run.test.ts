/** Whole runs of the samples that ship, three of them at once: one operator, and a Redis with three rate limiters each. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DETECTED_AFTER, measured, RECOVERED_AFTER, type ScenarioStatus } from '../../src/api/index.ts';
import { metricsOf } from '../kit/operator.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { measureOf, scenarioOf, verdictLine } from '../kit/status.ts';
import { until } from '../kit/until.ts';
import { World } from '../kit/world.ts';

const OTHERS = ['whole-demo', 'whole-gate'] as const;

const RIGHT = ['Localization', 'Identification', 'Action'];

describe.skipIf(withoutRealTime)('a sample that ships', () => {
  let approximate: World;
  let strict: World;
  let gated: World;
  beforeAll(async () => {
    approximate = await World.start('approximate', { otherNamespaces: OTHERS });
    strict = await approximate.addTarget(OTHERS[0], 'strict');
    gated = await approximate.addTarget(OTHERS[1], 'strict');
  });
  afterAll(() => approximate?.stop());

  it.concurrent(
    'the sample succeeds on an approximate limiter, with both anomalies explained',
    keepingTime(async () => {
      await approximate.apply('demo.yaml', 'whole');
      const status = await approximate.ended('whole');
      expect(verdictLine(status)).toMatch(/^Succeeded ExpectationsMet: /);
      expect(status.chapters?.map(({ state }) => state)).toEqual(Array(11).fill('Completed'));
      expect(status.scenarios).toMatchObject([
        { type: 'CounterDrift', result: 'Violated', fault: { proof: 'Confirmed' } },
        { type: 'GhostAllowing', result: 'Violated', fault: { proof: 'Confirmed' } },
      ]);
      expect(measureOf(scenarioOf(status, 'counter-drift')).observed).toBe(30);
      expect(measureOf(scenarioOf(status, 'ghost-allowing')).summary).toBe('>= 20/10, 3/3 trials');
      expect(status.diagnoses?.map((one) => [one.class, one.component, one.grade])).toEqual([
        ['store-writes-stalled', 'store', RIGHT],
        ['uncoordinated-admission', 'replicas', RIGHT],
      ]);
      expect(JSON.stringify(status).length).toBeLessThan(32_768);
    }),
  );

  it.concurrent(
    'the sample proves no drift on a strict limiter, which admits nothing',
    keepingTime(async () => {
      await strict.apply('demo.yaml', 'expecting');
      const status = await strict.ended('expecting');
      expect(verdictLine(status)).toMatch(/^Errored Inconclusive: /);
      expect(status.scenarios).toMatchObject([{ result: 'Inconclusive' }, { result: 'Held' }]);
      expect(measureOf(scenarioOf(status, 'ghost-allowing')).summary).toBe('10/10, 0/3 trials');
    }),
  );

  it.concurrent(
    'passes the gate that expects no anomaly on a strict limiter',
    keepingTime(async () => {
      await gated.apply('gate.yaml', 'gate');
      const status = await gated.ended('gate');
      expect(verdictLine(status)).toMatch(/^Succeeded /);
      expect(status.scenarios).toMatchObject([{ result: 'Held' }, { result: 'Held' }]);
    }),
  );

  it(
    'has operator metrics that agree with the statuses',
    keepingTime(async () => {
      const statuses = [
        await approximate.status('whole'),
        await strict.status('expecting'),
        await gated.status('gate'),
      ];
      const runs = statuses.flatMap(({ run }) => (run ? [run] : []));
      const scenarios = statuses.flatMap((status) => status.scenarios ?? []);
      // A status is there before its writer has the answer, and the page is made once a second.
      const all = (text: string): boolean => {
        const ended = text.matchAll(
          /^chaosdemo_(?:runs_total|objects)\{(?:verdict|phase)="[SFEA].*"} (\d+)$/gm,
        );
        return sumOf([...ended], ([, count]) => Number(count)) === 2 * statuses.length;
      };
      const page = await until(async () => [await metricsOf(approximate.operator)].find(all), {
        what: 'the operator to have counted three runs, and to have seen three objects at their end',
        deadlineMs: 20_000,
      });
      const counted = (series: string): number =>
        Number(page.split(`\nchaosdemo_${series} `)[1]?.split('\n')[0]);

      for (const verdict of ['Succeeded', 'Failed', 'Errored', 'Aborted']) {
        const own = runs.filter((run) => run.phase === verdict);
        expect([verdict, counted(`runs_total{verdict="${verdict}"}`)]).toEqual([verdict, own.length]);
        expect([verdict, counted(`objects{phase="${verdict}"}`)]).toEqual([verdict, own.length]);
        expect(counted(`run_duration_seconds_sum{verdict="${verdict}"}`)).toBeCloseTo(
          sumOf(
            own,
            ({ completedAt = '', startedAt }) => (Date.parse(completedAt) - Date.parse(startedAt)) / 1000,
          ),
          6,
        );
      }
      for (const type of ['CounterDrift', 'GhostAllowing', 'StoreOutage']) {
        const own = scenarios.filter((scenario) => scenario.type === type);
        const faults = own.flatMap(({ fault }) => (fault ? [fault] : []));
        expect(own).not.toHaveLength(0);
        for (const result of ['Violated', 'Held', 'Inconclusive']) {
          const such = own.filter((scenario) => scenario.result === result).length;
          expect([result, counted(`scenarios_total{type="${type}",result="${result}"}`)]).toEqual([
            result,
            such,
          ]);
        }
        for (const proof of ['Confirmed', 'Mismatch', 'Inconclusive']) {
          const such = faults.filter((fault) => fault.proof === proof).length;
          expect([proof, counted(`fault_proofs_total{type="${type}",proof="${proof}"}`)]).toEqual([
            proof,
            such,
          ]);
        }
        expect(counted(`faults_injected_total{type="${type}"}`)).toBe(
          faults.filter(({ startedAt }) => startedAt !== undefined).length,
        );
        expect(counted(`faults_released_total{type="${type}"}`)).toBe(
          faults.filter(({ endedAt }) => endedAt !== undefined).length,
        );
        expect(counted(`detection_latency_seconds_sum{type="${type}"}`)).toBeCloseTo(
          sumOf(own, ({ measures }) => (measured(measures, DETECTED_AFTER) ?? 0) / 1000),
          6,
        );
        expect(counted(`recovery_latency_seconds_sum{type="${type}"}`)).toBeCloseTo(
          sumOf(own, ({ measures }) => (measured(measures, RECOVERED_AFTER) ?? 0) / 1000),
          6,
        );
        const proven = own.filter(({ result }) => result === 'Violated' || result === 'Held');
        expect(counted(`over_admission_requests_count{type="${type}"}`)).toBe(proven.length);
        expect(counted(`over_admission_requests_sum{type="${type}"}`)).toBe(sumOf(proven, overAdmission));
      }
      expect(counted('chapter_duration_seconds_count{stage="setup"}')).toBe(3);
      expect(counted('leader_terms_total')).toBe(1);
    }),
  );
});

/** Requests let through beyond the limit of 10: what the sender was allowed in the pause, or in the worst burst. */
function overAdmission({ measures = [], type }: ScenarioStatus): number {
  const valueOf = (name: string): number =>
    measures.find((measure) => measure.name === name)?.value ?? Number.NaN;
  return type === 'GhostAllowing' ? Math.max(0, valueOf('admitted') - 10) : valueOf('overAdmission');
}

function sumOf<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}
