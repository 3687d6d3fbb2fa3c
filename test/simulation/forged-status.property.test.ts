/**
 * Anyone who may write a status may write anything that its schema admits, and is trusted with verdicts and runs. That
 * sends no request for what is not of the run, and holds no object for ever.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChaosDemoStatus } from '../../src/api/index.ts';
import { statusSchema } from '../../src/api/index.ts';
import { type Schema, structural } from '../../src/api/structural.ts';
import { HOSTILE_TEXTS, HOSTILE_TIMES, valueOf } from '../fixtures/api/schema-arbitrary.ts';
import { simulatedSpec } from './simulated-subject.ts';
import { Simulation } from './simulation.ts';

/** More of everything: `FORGERIES=20 npx vitest run --project unit forged-status`. */
const TIMES = Number(process.env['FORGERIES'] ?? 1);

/** Longest time in which a run ends that was let alone since: its deadline and what restoring takes. */
const RUN_WITHIN_MS = 20 * 60_000;

/** Longest time for which a finalizer stands, whatever was written: see `isPossiblyActive`. */
const HELD_WITHIN_MS = 800_000;

const whole = structural(statusSchema);
const members = Object.keys(whole['properties'] as Schema);

/** Replaces, removes or adds whole members of the status. */
const parts = fc.record(
  Object.fromEntries(
    members.map((name) => [
      name,
      fc.option(valueOf((whole['properties'] as Record<string, Schema>)[name] ?? {})),
    ]),
  ),
  { requiredKeys: [] },
);

/** Changes single values where they stand; `place` picks one of them. */
const touches = fc.array(
  fc.record({
    place: fc.double({ min: 0, max: 0.999, noNaN: true }),
    value: fc.constantFrom(
      ...HOSTILE_TIMES,
      ...HOSTILE_TEXTS,
      undefined,
      0,
      1,
      -1,
      1e9,
      Number.MAX_SAFE_INTEGER,
      true,
      false,
      [],
    ),
  }),
  { minLength: 1, maxLength: 6 },
);

type Json = Record<string, unknown>;

/** Every place in a value, as the object that holds it and the name there. */
function placesIn(value: unknown): [Json, string][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [
    [value as Json, name] as [Json, string],
    ...placesIn(member),
  ]);
}

const isTime = (value: unknown): boolean => typeof value === 'string' && /^\d{4}-\d\d-\d\d[Tt]/.test(value);

/** The status with these changes, as far as the schema admits each of them. */
function touched(status: ChaosDemoStatus, changes: ValueOf<typeof touches>): ChaosDemoStatus {
  let result = structuredClone(status);
  for (const { place, value } of changes) {
    const next = structuredClone(result);
    const places = placesIn(next);
    const [holder, name] = places[Math.floor(place * places.length)] ?? [];
    if (!holder || name === undefined) continue;
    // The API server accepts only a time in place of a time.
    if (value !== undefined && isTime(holder[name]) !== isTime(value)) continue;
    if (value === undefined) delete holder[name];
    else holder[name] = value;
    if (statusSchema.safeParse(next).success) result = next;
  }
  return result;
}

const forgery = fc.oneof(
  fc.record({ kind: fc.constant('touch' as const), touches }),
  fc.record({ kind: fc.constant('parts' as const), parts }),
  fc.record({ kind: fc.constant('whole' as const), status: valueOf(whole) }),
);
/** A fault whose id is the name of a member of every object. */
const NAMED_AS_MEMBER = {
  kind: 'parts',
  parts: {
    scenarios: [
      {
        ...{ name: '', type: '', expect: '' },
        fault: { id: 'toString', plannedAt: '1970-01-01T00:00:00Z', until: '1970-01-01T00:00:00Z' },
      },
    ],
  },
} as const;

const story = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 25_000 }),
    incident: fc.oneof(
      { weight: 6, arbitrary: forgery },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('crash' as const),
          downMs: fc.integer({ min: 0, max: 20_000 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const) }) },
    ),
  }),
  { minLength: 1, maxLength: 4 },
);

type ValueOf<T> = T extends fc.Arbitrary<infer Value> ? Value : never;

function forged(status: ChaosDemoStatus, incident: ValueOf<typeof forgery>): ChaosDemoStatus {
  if (incident.kind === 'touch') return touched(status, incident.touches);
  if (incident.kind === 'whole') return incident.status as ChaosDemoStatus;
  const given = Object.entries(incident.parts);
  const kept = { ...structuredClone(status), ...Object.fromEntries(given) } as Json;
  for (const [name, value] of given) if (value === null) delete kept[name];
  return kept;
}

/** A run that has ended for no reason, with a fault that has not. */
const ENDED_WITHOUT_REASON: ValueOf<typeof forgery> = {
  kind: 'whole',
  status: {
    run: {
      number: 1,
      startedAt: '2025-12-31T00:00:00Z',
      completedAt: '2025-12-31T00:00:00Z',
      phase: 'Succeeded',
    },
    scenarios: [
      {
        name: 'stall',
        type: 'Stall',
        expect: 'Held',
        fault: { id: '1-stall-1', plannedAt: '2026-01-01T00:00:00Z', until: '2026-01-01T00:05:00Z' },
      },
    ],
  },
};

async function play(steps: ValueOf<typeof story>): Promise<Simulation> {
  const simulation = new Simulation();
  for (const { afterMs, incident } of steps) {
    await simulation.pass(afterMs);
    if (incident.kind === 'crash') await simulation.crash(incident.downMs);
    else if (incident.kind === 'abort') simulation.annotate('abort', String(simulation.status.run?.number));
    else simulation.forge((status) => forged(status, incident));
  }
  return simulation;
}

describe('a forged status', () => {
  it('a forged status adds no fault, repeats none, and removes nothing of others', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (steps) => {
        const simulation = await play(steps);
        await simulation.pass(RUN_WITHIN_MS);
        const mark = `-${simulation.object.metadata.uid.slice(0, 8)}-`;
        const own = new RegExp(
          `^demo-chaos-key${mark}\\d+-(-control-[a-z0-9]+|(stall|surge)-[a-z0-9]+(-[2-5])?)$`,
        );
        for (const effect of simulation.performed) {
          if ('fixtures' in effect) expect(effect.fixtures.filter((name) => !own.test(name))).toEqual([]);
          if (effect.kind === 'Prepare') expect(effect.fixture).toMatch(own);
          if (effect.kind === 'Inject') expect(effect.until - effect.plannedAt).toBeLessThanOrEqual(10_000);
        }
        for (const { at, healthy, id } of simulation.injected) {
          expect(healthy).toBe(true);
          const announced = simulation.server.stored.find(({ status }) =>
            status.scenarios?.some(({ fault }) => fault?.id === id),
          );
          expect(announced?.at).toBeLessThanOrEqual(at);
        }
      }),
      { numRuns: 30 * TIMES },
    );
  });

  it('a forged status does not hold a deleted object', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (steps) => {
        const simulation = await play(steps);
        simulation.delete();
        await simulation.pass(HELD_WITHIN_MS);
        expect([simulation.exists, simulation.entryCount, simulation.target.isStalled]).toEqual([
          false,
          0,
          false,
        ]);
      }),
      { numRuns: 30 * TIMES, examples: [[[{ afterMs: 6045, incident: NAMED_AS_MEMBER }]]] },
    );
  });

  it('a forged status keeps a finalizer no longer than a fault can last', async () => {
    await fc.assert(
      fc.asyncProperty(forgery, async (incident) => {
        const simulation = new Simulation(simulatedSpec({ suspend: true }));
        await simulation.pass(1000);
        simulation.forge((status) => forged(status, incident));
        await simulation.pass(HELD_WITHIN_MS + RUN_WITHIN_MS);
        expect(simulation.held).toBe(false);
      }),
      { numRuns: 30 * TIMES, examples: [[ENDED_WITHOUT_REASON]] },
    );
  });
});
