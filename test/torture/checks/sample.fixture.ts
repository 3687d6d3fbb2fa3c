/** A record of a run in which nothing was wrong, made by hand: tests change one thing of it. */
import type { ChaosDemo, ChaosDemoStatus } from '../../../src/api/index.ts';
import type { LanePlan } from '../plan.ts';
import { TortureRecord } from '../record.ts';
import type { Seen } from './seen.ts';

/** Midnight, so that times are easy to read. */
export const T0 = Date.parse('2026-01-01T00:00:00.000Z');
/** When Redis was paused, until when, and when the burst was sent; milliseconds after T0. */
export const PAUSED = 2000;
export const UNTIL = 4000;
export const BURST = 8000;

const NAME = 'run-1';
export const DRIFT_KEY = 'demo-chaos-key-12345678-1-drift';
export const BURST_KEY = 'demo-chaos-key-12345678-1-ghosts';
const PLAN: LanePlan = {
  mode: 'approximate',
  countdown: '0s',
  pauseMs: 2000,
  requestsPerSecond: 15,
  multiplier: 2,
};

export const iso = (after: number): string => new Date(T0 + after).toISOString();

/** The last status of the run. */
export function endStatus(): ChaosDemoStatus {
  const chapter = (number: number, from: number, to: number) => ({
    title: `Chapter ${number}`,
    startedAt: iso(from),
    doneAt: iso(to),
  });
  return {
    phase: 'Succeeded',
    message: 'As expected',
    run: {
      number: 1,
      startedAt: iso(0),
      completedAt: iso(10_000),
      phase: 'Succeeded',
      reason: 'ExpectationsMet',
    },
    chapters: [chapter(1, 0, 1000), chapter(2, 1000, 5000), chapter(3, 5000, 10_000)],
    scenarios: [
      {
        name: 'drift',
        type: 'CounterDrift',
        expect: 'Violated',
        result: 'Violated',
        fault: {
          id: '1-drift-1',
          plannedAt: iso(PAUSED),
          until: iso(UNTIL),
          startedAt: iso(PAUSED + 2),
          endedAt: iso(UNTIL + 3),
          proof: 'Confirmed',
        },
        measures: { drift: 30, requests: 30, admitted: 30, rejected: 0, errors: 0, timeouts: 0 },
        bounds: { drift: 6 },
      },
      {
        name: 'ghosts',
        type: 'GhostAllowing',
        expect: 'Violated',
        result: 'Violated',
        fault: {
          id: '1-ghosts-1',
          plannedAt: iso(BURST),
          until: iso(BURST + 5000),
          startedAt: iso(BURST),
          endedAt: iso(BURST + 20),
          proof: 'Confirmed',
        },
        measures: { admitted: 20, requests: 20, rejected: 0, errors: 0, timeouts: 0 },
        bounds: { admitted: 10 },
      },
    ],
  };
}

/** The status while the countdown of the first fault is on. */
export function announcedStatus(): ChaosDemoStatus {
  const { chapters = [], run, scenarios = [] } = endStatus();
  const { completedAt: _, phase: __, reason: ___, ...running } = run ?? { number: 1, startedAt: iso(0) };
  return {
    phase: 'Running',
    run: running,
    chapters: chapters.map(({ startedAt, title }, i) => ({
      title,
      ...(i < 2 && startedAt ? { startedAt } : {}),
      ...(i === 0 ? { doneAt: iso(1000) } : {}),
    })),
    scenarios: scenarios.map(({ expect, fault, name, type }) => ({
      name,
      type,
      expect,
      ...(fault && name === 'drift'
        ? { fault: { id: fault.id, fixture: DRIFT_KEY, plannedAt: fault.plannedAt, until: fault.until } }
        : {}),
    })),
  };
}

/** As `announcedStatus`, with the second fault announced as well. */
export function secondAnnounced(): ChaosDemoStatus {
  const { scenarios = [], ...rest } = announcedStatus();
  const end = endStatus().scenarios ?? [];
  return {
    ...rest,
    scenarios: scenarios.map((scenario, i) => {
      const fault = end[i]?.fault;
      if (scenario.name === 'drift') return end[i] ?? scenario;
      const { id = '', plannedAt = '', until = '' } = fault ?? {};
      return { ...scenario, fault: { id, fixture: BURST_KEY, plannedAt, until } };
    }),
  };
}

/** What the checks take: a whole run, as `change` leaves it. */
export function seenWith(change: (record: TortureRecord) => void = () => {}): Seen {
  const record = new TortureRecord();
  const version = (after: number, status: ChaosDemoStatus): void =>
    void record.note({
      kind: 'version',
      at: T0 + after,
      lane: 0,
      type: 'MODIFIED',
      object: { metadata: { name: NAME, uid: '12345678' }, status } as unknown as ChaosDemo,
    });
  version(1500, announcedStatus());
  version(7500, secondAnnounced());
  version(10_000, endStatus());
  record.note({
    kind: 'sent',
    at: T0 + PAUSED,
    passedAt: T0 + PAUSED + 1,
    answeredAt: T0 + PAUSED + 2,
    lane: 0,
    args: ['CLIENT', 'PAUSE', String(UNTIL - PAUSED), 'WRITE'],
  });
  record.note({ kind: 'done', at: T0 + PAUSED + 15, lane: 0, what: 'pause' });
  record.note({ kind: 'write', at: T0 + PAUSED + 5, lane: 0, tookMs: UNTIL - PAUSED });
  for (let i = 0; i < 30; i += 1) check(record, T0 + PAUSED + 200 + i * 50, i % 3, DRIFT_KEY);
  for (let i = 0; i < 20; i += 1) check(record, T0 + BURST + 1, i % 3, BURST_KEY);
  change(record);
  return { record, lane: 0, plan: PLAN, name: NAME };
}

function check(record: TortureRecord, at: number, node: number, key: string): void {
  const answer = { status: 200, allowed: true };
  record.note({
    kind: 'check',
    at,
    lane: 0,
    node,
    key,
    passedAt: at,
    nodeAt: at + 3,
    answeredAt: at + 3,
    ...answer,
  });
}
