/** The metrics of runs in simulated worlds, across takeovers and forged statuses. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChaosDemoStatus } from '../../src/api/index.ts';
import { statusSchema } from '../../src/api/index.ts';
import { structural } from '../../src/api/structural.ts';
import { valueOf } from '../fixtures/api/schema-arbitrary.ts';
import { seriesOf } from '../fixtures/operator/metrics/series.ts';
import { Simulation } from './simulation.ts';
import { finished } from './support.ts';

/** Every series by its name. */
async function countedBy({ counted }: Simulation): Promise<Map<string, number>> {
  const series = [...(await seriesOf(counted))];
  return new Map(series.map(([name, value]) => [name.slice('chaosdemo_'.length), value]));
}

/** The sum over a metric. */
const sumOf = (series: Map<string, number>, name: string): number =>
  [...series].reduce((sum, [key, value]) => (key.startsWith(`${name}{`) ? sum + value : sum), 0);

const afterMs = fc.integer({ min: 0, max: 20_000 });
const forMs = fc.integer({ min: 0, max: 15_000 });
const disturbance = fc.oneof(
  fc.record({ kind: fc.constant('crash' as const), afterMs, forMs }),
  fc.record({ kind: fc.constant('restart' as const), afterMs, forMs }),
  fc.record({ kind: fc.constant('lose' as const), afterMs, forMs }),
  fc.record({ kind: fc.constant('freeze' as const), afterMs, forMs }),
);
type Disturbance = typeof disturbance extends fc.Arbitrary<infer Value> ? Value : never;

async function disturb(simulation: Simulation, { afterMs, forMs, kind }: Disturbance): Promise<void> {
  await simulation.pass(afterMs);
  if (kind === 'restart') await simulation.restart();
  else await simulation[kind](forMs);
}

describe('what is counted of a run', () => {
  it('a run counts once if another process takes it over with an active fault', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ status }) => status.scenarios?.[0]?.result === 'Violated');
    await simulation.crash(2000);
    await simulation.runUntil(finished);
    // The answer to the last write takes its time.
    await simulation.pass(1000);
    const { scenarios = [] } = simulation.status;
    const detected = scenarios.filter(({ result }) => result === 'Violated').length;
    expect(detected).toBe(2);
    expect(Object.fromEntries(await countedBy(simulation))).toMatchObject({
      'runs_total{verdict="Succeeded"}': 1,
      'faults_injected_total{type="Stall"}': 1,
      'faults_injected_total{type="Surge"}': 1,
      'scenarios_total{type="Stall",result="Violated"}': 1,
      'scenarios_total{type="Surge",result="Violated"}': 1,
    });
  });

  it('a run never counts twice, if leaders die, freeze or lose the lease', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(disturbance, { minLength: 1, maxLength: 3 }), async (disturbances) => {
        const simulation = new Simulation();
        for (const each of disturbances) await disturb(simulation, each);
        await simulation.runUntil(finished);
        await simulation.pass(60_000);
        const series = await countedBy(simulation);
        const { scenarios = [] } = simulation.status;
        const faults = new Set(
          simulation.writes.flatMap((status) =>
            (status.scenarios ?? []).flatMap(({ fault }) => (fault?.startedAt ? [fault.id] : [])),
          ),
        );
        expect(sumOf(series, 'runs_total')).toBeLessThanOrEqual(1);
        expect(sumOf(series, 'scenarios_total')).toBeLessThanOrEqual(scenarios.length);
        expect(sumOf(series, 'faults_injected_total')).toBeLessThanOrEqual(faults.size);
      }),
      { numRuns: 25 },
    );
  });

  it('a forged status opens no series', async () => {
    const status = valueOf(structural(statusSchema));
    const names = [...(await countedBy(new Simulation())).keys()];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ afterMs, status }), { maxLength: 3 }), async (forgeries) => {
        const simulation = new Simulation();
        for (const forgery of forgeries) {
          await simulation.pass(forgery.afterMs);
          simulation.forge(() => forgery.status as ChaosDemoStatus);
        }
        await simulation.pass(20 * 60_000);
        const series = await countedBy(simulation);
        expect([...series.keys()]).toEqual(names);
        expect([...series.values()].every((value) => Number.isFinite(value) && value < 1e12)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });
});
