import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChaosDemoSpec, ChaosDemoStatus } from '../../src/api/index.ts';
import { currentChapter } from '../../src/engine/chapter.ts';
import { simulatedSpec } from './simulated-subject.ts';
import { BUGGY_MOMENTS } from './simulated-target.ts';
import { Simulation } from './simulation.ts';
import { chapterOf, leftBy, NOTHING } from './support.ts';

/** Something that happens to a run from outside. */
const incident = fc.oneof(
  fc.record({ kind: fc.constant('crash' as const), downMs: fc.integer({ min: 0, max: 40_000 }) }),
  fc.record({ kind: fc.constant('sick' as const), forMs: fc.integer({ min: 0, max: 40_000 }) }),
  fc.record({ kind: fc.constant('suspend' as const), forMs: fc.integer({ min: 0, max: 100_000 }) }),
  fc.record({ kind: fc.constant('abort' as const) }),
  fc.record({ kind: fc.constant('rerun' as const), runId: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ kind: fc.constant('request' as const), value: fc.constantFrom('x', 'y') }),
  fc.record({ kind: fc.constant('restart' as const) }),
  fc.record({ kind: fc.constant('thread' as const) }),
  fc.record({ kind: fc.constant('lose' as const), hearsAfterMs: fc.integer({ min: 0, max: 15_000 }) }),
  fc.record({ kind: fc.constant('freeze' as const), forMs: fc.integer({ min: 0, max: 40_000 }) }),
  fc.record({ kind: fc.constant('conflicts' as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('unanswered' as const), count: fc.integer({ min: 1, max: 6 }) }),
  fc.record({
    kind: fc.constant('failing' as const),
    effect: fc.constantFrom('Prepare' as const, 'Inject' as const, 'Restore' as const, 'Recover' as const),
  }),
  fc.record({ kind: fc.constant('bug' as const), moment: fc.constantFrom(...BUGGY_MOMENTS) }),
);

/** The API server takes no status, for as long as it lasts: that ends a run, whatever it came to. */
const refusal = fc.record({
  kind: fc.constant('refuse' as const),
  forMs: fc.integer({ min: 0, max: 10_000 }),
});

const steps = <T>(what: fc.Arbitrary<T>) =>
  fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 25_000 }), incident: what }), { maxLength: 6 });
const story = steps(incident);
const storyWithRefusals = steps(
  fc.oneof({ weight: 5, arbitrary: incident }, { weight: 1, arbitrary: refusal }),
);

const behaviour = fc.record({
  queues: fc.boolean(),
  loses: fc.boolean(),
  stallBites: fc.boolean(),
  heedsAbort: fc.boolean(),
  effectMs: fc.integer({ min: 0, max: 2500 }),
  // The longest takes a second to play.
  hold: fc.constantFrom(...Array<string>(5).fill('10s'), '10m'),
});

type ValueOf<T> = T extends fc.Arbitrary<infer Value> ? Value : never;
type Incident = ValueOf<typeof incident> | ValueOf<typeof refusal>;

async function befall(simulation: Simulation, incident: Incident): Promise<void> {
  const edit = (change: Partial<ChaosDemoSpec>): void => {
    simulation.spec = { ...simulation.spec, ...change };
  };
  switch (incident.kind) {
    case 'crash':
      return await simulation.crash(incident.downMs);
    case 'restart':
      return await simulation.restart();
    case 'thread':
      return simulation.endThread();
    case 'lose':
      return await simulation.lose(incident.hearsAfterMs);
    case 'freeze':
      return await simulation.freeze(incident.forMs);
    case 'sick':
      simulation.target.healthy = false;
      await simulation.pass(incident.forMs);
      simulation.target.healthy = true;
      return;
    case 'suspend':
      edit({ suspend: true });
      await simulation.pass(incident.forMs);
      return edit({ suspend: false });
    case 'refuse':
      simulation.server.refuses = ({ phase }) => phase !== 'Errored';
      await simulation.pass(incident.forMs);
      simulation.server.refuses = () => false;
      return;
    case 'abort':
      return simulation.annotate('abort', String(simulation.status.run?.number));
    case 'rerun':
      return edit({ runId: incident.runId });
    case 'request':
      return simulation.annotate('requestedAt', incident.value);
    case 'conflicts':
      simulation.server.conflicting = incident.count;
      return;
    case 'unanswered':
      simulation.server.failing = incident.count;
      return;
    case 'failing':
      simulation.target.failing[incident.effect] = 1;
      return;
    case 'bug':
      simulation.target.throwing[incident.moment] = 1;
      return;
    default:
      return incident satisfies never;
  }
}

/** Plays a story of incidents, and lets time pass after it: by default, until the last run has ended. */
async function play(
  steps: ValueOf<typeof storyWithRefusals>,
  { hold, ...how }: ValueOf<typeof behaviour>,
  afterMs = 2_700_000,
): Promise<Simulation> {
  const scenarios = [
    { name: 'stall', type: 'Stall', stall: { hold } },
    { name: 'surge', type: 'Surge' },
  ];
  const simulation = new Simulation(simulatedSpec({ activeDeadline: '20m', scenarios }), {
    ...how,
    usableMs: 1_200_000,
  });
  for (const { afterMs: before, incident } of steps) {
    await simulation.pass(before);
    await befall(simulation, incident);
  }
  await simulation.pass(afterMs);
  return simulation;
}

const place = (status: ChaosDemoStatus): number =>
  (status.run?.number ?? 0) * 100 + (currentChapter(status)?.number ?? 0);

/** A failure is reported with its seed and path at once: to shrink it takes minutes, and the path replays it. */
const CHECKED = { numRuns: 60, endOnFailure: true };

describe('whatever happens to a run', () => {
  it('any run ends, never repeats an id, spares unhealthy subjects, moves forward', async () => {
    await fc.assert(
      fc.asyncProperty(story, behaviour, async (steps, how) => {
        const simulation = await play(steps, how);

        expect(simulation.status.run?.completedAt).toBeDefined();
        expect(simulation.status.phase).toMatch(/Succeeded|Failed|Errored|Aborted/);

        const ids = simulation.injected.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(simulation.injected.every(({ healthy }) => healthy)).toBe(true);

        for (const run of new Set(ids.map((id) => id.split('-')[0]))) {
          const stalls = ids.filter((id) => id.startsWith(`${run}-stall`));
          const surges = ids.filter((id) => id.startsWith(`${run}-surge`));
          expect(stalls.length).toBeLessThanOrEqual(1);
          expect(surges.length).toBeLessThanOrEqual(2);
        }

        const places = simulation.writes.filter(({ chapter }) => chapter).map(place);
        expect(places).toEqual([...places].sort((a, b) => a - b));
      }),
      CHECKED,
    );
  });

  it('follows every fault by a proof that the subject works again, and keeps nothing', async () => {
    await fc.assert(
      fc.asyncProperty(storyWithRefusals, behaviour, async (steps, how) => {
        const simulation = await play(steps, how);
        const { performed } = simulation;
        for (const { id } of simulation.injected) {
          const index = performed.findIndex((effect) => effect.kind === 'Inject' && effect.id === id);
          const proofs = performed
            .slice(index)
            .filter(({ kind }) => kind === 'Restore' || kind === 'Recover');
          expect(proofs.length).toBeGreaterThan(0);
        }
        expect(simulation.stalledBeyondEnd.filter((ms) => ms > 0)).toEqual([]);
        expect(simulation.held).toBe(false);
        expect(leftBy(simulation)).toMatchObject({ entries: 0, runs: 0, lockedBy: undefined });
        expect(simulation.activities).toEqual([]);
      }),
      CHECKED,
    );
  });

  it('never has Reconciling and Stalled together, nor a condition twice', async () => {
    await fc.assert(
      fc.asyncProperty(storyWithRefusals, behaviour, async (steps, how) => {
        for (const { conditions = [] } of (await play(steps, how)).writes) {
          const types = conditions.map(({ type }) => type);
          expect(types.includes('Reconciling') && types.includes('Stalled')).toBe(false);
          expect(new Set(types).size).toBe(types.length);
        }
      }),
      CHECKED,
    );
  });

  it('comes to rest at one moment, and decides nothing else from the status it stored', async () => {
    await fc.assert(
      fc.asyncProperty(story, behaviour, fc.integer({ min: 0, max: 90_000 }), async (steps, how, time) => {
        const simulation = await play(steps, how, time);
        // What is under way is answered at once from here on, so that no time has to pass for it.
        await simulation.pass(20);
        Object.assign(simulation.server, { latencyMs: 0, watchLagMs: 0, failing: 0, conflicting: 0 });
        await simulation.checkPreconditions();
        const once = simulation.status;
        const writes = simulation.writes.length;
        const effects = simulation.performed.length;
        await simulation.checkPreconditions();
        expect(simulation.status).toEqual(once);
        expect([simulation.writes.length, simulation.performed.length]).toEqual([writes, effects]);
      }),
      CHECKED,
    );
  });

  it('an object deleted at any moment is released, with its fault and the rest', async () => {
    await fc.assert(
      fc.asyncProperty(story, behaviour, fc.integer({ min: 0, max: 60_000 }), async (steps, how, time) => {
        const simulation = await play(steps, { ...how, hold: '10s' }, time);
        const chapter = chapterOf(simulation);
        simulation.delete();
        await simulation.pass(60_000);
        expect({ chapter, ...leftBy(simulation) }).toEqual({ chapter, ...NOTHING });
        expect(simulation.activities).toEqual([]);
      }),
      CHECKED,
    );
  });
});
