import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChaosDemoSpec, ChaosDemoStatus } from '../api/index.ts';
import { Simulation, simulatedSpec } from './simulation.fixture.ts';

/** Something that happens to a run from outside. */
const incident = fc.oneof(
  fc.record({ kind: fc.constant('crash' as const), downMs: fc.integer({ min: 0, max: 40_000 }) }),
  fc.record({ kind: fc.constant('sick' as const), forMs: fc.integer({ min: 0, max: 40_000 }) }),
  fc.record({ kind: fc.constant('suspend' as const), forMs: fc.integer({ min: 0, max: 100_000 }) }),
  fc.record({ kind: fc.constant('abort' as const) }),
  fc.record({ kind: fc.constant('rerun' as const), runId: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ kind: fc.constant('request' as const), value: fc.constantFrom('x', 'y') }),
);

const story = fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 25_000 }), incident }), {
  maxLength: 6,
});

const behaviour = fc.record({
  drifts: fc.boolean(),
  ghosts: fc.boolean(),
  pauseBites: fc.boolean(),
  effectMs: fc.integer({ min: 0, max: 2500 }),
});

/** Plays a story of incidents, and lets time pass after it: by default, until the last run has ended. */
function play(
  steps: typeof story extends fc.Arbitrary<infer T> ? T : never,
  how: typeof behaviour extends fc.Arbitrary<infer T> ? T : never,
  afterMs = 1_800_000,
): Simulation {
  const simulation = new Simulation(simulatedSpec(), how);
  const pass = (time: number) => simulation.runUntil(() => false, time);
  const edit = (change: Partial<ChaosDemoSpec>) => {
    simulation.spec = { ...simulation.spec, ...change };
    simulation.generation += 1;
  };
  for (const step of steps) {
    const { incident } = step;
    pass(step.afterMs);
    switch (incident.kind) {
      case 'crash':
        simulation.crash(incident.downMs);
        break;
      case 'sick':
        simulation.healthy = false;
        pass(incident.forMs);
        simulation.healthy = true;
        break;
      case 'suspend':
        edit({ suspend: true });
        pass(incident.forMs);
        edit({ suspend: false });
        break;
      case 'abort':
        simulation.annotations = { ...simulation.annotations, abort: String(simulation.status.run?.number) };
        break;
      case 'rerun':
        edit({ runId: incident.runId });
        break;
      case 'request':
        simulation.annotations = { ...simulation.annotations, requestedAt: incident.value };
        break;
      default:
        incident satisfies never;
    }
  }
  pass(afterMs);
  return simulation;
}

const place = (status: ChaosDemoStatus) =>
  (status.run?.number ?? 0) * 100 + Number(status.progress?.split('/')[0] ?? 0);

describe('whatever happens to a run', () => {
  it('ends, injects no id twice, injects into nothing sick, and moves only forward', () => {
    fc.assert(
      fc.property(story, behaviour, (steps, how) => {
        const simulation = play(steps, how);

        expect(simulation.status.run?.completedAt).toBeDefined();
        expect(simulation.status.phase).toMatch(/Succeeded|Failed|Errored|Aborted/);

        const ids = simulation.injected.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(simulation.injected.every(({ healthy }) => healthy)).toBe(true);

        for (const run of new Set(ids.map((id) => id.split('-')[0]))) {
          const pauses = ids.filter((id) => id.startsWith(`${run}-counter-drift`));
          const bursts = ids.filter((id) => id.startsWith(`${run}-ghost-allowing`));
          expect(pauses.length).toBeLessThanOrEqual(1);
          expect(bursts.length).toBeLessThanOrEqual(2);
        }

        const places = simulation.writes.filter(({ progress }) => progress).map(place);
        expect(places).toEqual([...places].sort((a, b) => a - b));
      }),
      { numRuns: 60 },
    );
  });

  it('follows every fault by a proof that writes are taken again', () => {
    fc.assert(
      fc.property(story, behaviour, (steps, how) => {
        const simulation = play(steps, how);
        const { performed } = simulation;
        for (const { id } of simulation.injected) {
          const index = performed.findIndex((effect) => effect.kind === 'Inject' && effect.id === id);
          const proofs = performed
            .slice(index)
            .filter(({ kind }) => kind === 'Restore' || kind === 'Recover');
          expect(proofs.length).toBeGreaterThan(0);
        }
        expect(simulation.pausedBeyondEnd.filter((ms) => ms > 0)).toEqual([]);
        expect(simulation.last?.finalizer).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('never says Reconciling and Stalled together, and keeps every condition current', () => {
    fc.assert(
      fc.property(story, behaviour, (steps, how) => {
        for (const { conditions = [], observedGeneration } of play(steps, how).writes) {
          const types = conditions.map(({ type }) => type);
          expect(types.includes('Reconciling') && types.includes('Stalled')).toBe(false);
          expect(new Set(types).size).toBe(types.length);
          expect(conditions.filter((each) => each.observedGeneration !== observedGeneration)).toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('comes to rest at one moment, and decides nothing else from the status it returned', () => {
    fc.assert(
      fc.property(story, behaviour, fc.integer({ min: 0, max: 90_000 }), (steps, how, time) => {
        const simulation = play(steps, how, time);
        // A chapter, a verdict and the look for another run may follow each other at once.
        for (let step = 0; step < 15; step++) simulation.step();
        const once = structuredClone(simulation.status);
        const writes = simulation.writes.length;
        simulation.step();
        expect(simulation.status).toEqual(once);
        expect(simulation.writes).toHaveLength(writes);
      }),
      { numRuns: 60 },
    );
  });
});
