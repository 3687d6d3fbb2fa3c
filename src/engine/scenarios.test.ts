import { describe, expect, it } from 'vitest';
import { at, broken, fault, reading, T } from '../../test/fixtures/engine/observations.ts';
import {
  type ChaosDemoStatus,
  DETECTED_AFTER,
  type FaultStatus,
  type Measures,
  type ScenarioStatus,
} from '../api/index.ts';
import { Context } from './context.ts';
import { announcement, type InvariantReading, nothingObserved } from './observed.ts';
import { applyRecovery, closeUnobserved, isBeingObserved, updateScenarios } from './scenarios.ts';
import type { Scenario } from './subject.ts';

const until = (ms: number): InvariantReading => reading({ watchedUntil: T + ms });

const SCENARIO = { name: 'surge', settleMs: 1000 } as Scenario;
const entryOf = (change: Partial<ScenarioStatus> = {}): ScenarioStatus => ({
  name: 'surge',
  type: 'Surge',
  expect: 'Violated',
  ...change,
});

interface Update {
  /** Milliseconds after the start of the fault. */
  readonly now: number;
  readonly fault?: FaultStatus;
  /** The fault that this process announced; null: none. */
  readonly announced?: FaultStatus | null;
  readonly reading?: InvariantReading;
  readonly entry?: ScenarioStatus;
  readonly settleMs?: number;
}

/** The entry of a scenario after an update, and when the next is due, in milliseconds after the start of the fault. */
function update(given: Update): { entry: ScenarioStatus; wake: number | undefined } {
  const { announced = given.fault ?? fault, settleMs = 1000 } = given;
  const entry: ScenarioStatus = { ...(given.entry ?? entryOf()), fault: { ...(given.fault ?? fault) } };
  const parts = {
    now: T + given.now,
    demo: { spec: {} },
    observed: {
      ...nothingObserved(T),
      announced: new Set(announced ? [announcement(announced)] : []),
      readings: given.reading ? { [fault.id]: given.reading } : {},
    },
    subject: {
      scenarios: () => [{ name: 'surge', settleMs }],
      api: {
        faults: [
          { type: 'Stall', measures: [{ name: 'rejected', grows: true }] },
          { type: 'Surge', measures: [{ name: 'queued', grows: true }, { name: 'rejected' }] },
        ],
      },
    },
  };
  const draft: ChaosDemoStatus = { scenarios: [entry] };
  const context = new Context(parts as unknown as Context, draft);
  updateScenarios(context);
  return { entry, wake: context.wakeAt === undefined ? undefined : context.wakeAt - T };
}

const PLANNED: FaultStatus = { id: '1-surge-1', plannedAt: at(0), until: at(2000) };
const { endedAt: _, ...OPEN } = fault;

it.each<[string, FaultStatus, number, boolean, string | undefined]>([
  ['one that has ended', { ...fault, endedAt: at(1500) }, 60_000, true, at(1500)],
  ['one that was not injected', PLANNED, 60_000, true, undefined],
  ['one within 5 s of its planned end', OPEN, 6999, false, undefined],
  ['one 5 s after its planned end', OPEN, 7000, true, at(2000)],
])(
  'an end that was not observed closes a fault at its planned end: %s',
  (_title, open, now, closed, endedAt) => {
    const closing = { ...open };
    expect(closeUnobserved(closing, T + now)).toBe(closed);
    expect(closing.endedAt).toBe(endedAt);
  },
);

it.each<[string, FaultStatus, InvariantReading | undefined, number, boolean]>([
  ['runs until its end', fault, undefined, 2999, true],
  ['runs until its end, even if a sample claims to be later', fault, until(9000), 2999, true],
  ['waits for the last sample', fault, until(2999), 4999, true],
  ['waits for the last sample for 2 s', fault, until(2999), 5000, false],
  ['waits for a first sample', fault, undefined, 4999, true],
  ['ends with a sample from its end', fault, until(3000), 3000, false],
  ['runs while the fault may be active', OPEN, until(3000), 6999, true],
  ['ends when the fault must be over', OPEN, until(3000), 7000, false],
  ['ends with a complete reading', fault, reading({ watchedUntil: T + 2500, complete: true }), 2500, false],
])('the observation of an invariant %s', (_title, observed, seen, now, isObserved) => {
  expect(isBeingObserved(observed, SCENARIO, seen, T + now)).toBe(isObserved);
});

describe('a scenario', () => {
  const lost = { result: 'Inconclusive', reason: 'ObservationLost' } as const;
  const incomplete = { result: 'Inconclusive', reason: 'EvidenceIncomplete' } as const;
  it.each<[string, Update, Partial<ScenarioStatus>, number | undefined]>([
    ['is open before its fault was injected', { fault: PLANNED, now: 100 }, {}, undefined],
    ['is open until the end of the watch', { reading: until(2990), now: 2999 }, {}, 3000],
    ['is open at the end, without the last sample', { reading: until(2990), now: 3000 }, {}, 3100],
    ['is open 2 s after the end, without the last sample', { reading: until(2990), now: 4999 }, {}, 5099],
    ['is judged when the last sample is late', { reading: until(2000), now: 5000 }, incomplete, undefined],
    ['is judged with the last sample', { reading: until(3000), now: 3000 }, { result: 'Held' }, undefined],
    ['is open while its fault may be active', { fault: OPEN, reading: until(3000), now: 6999 }, {}, 7000],
    [
      'is judged when its fault is over',
      { fault: OPEN, reading: until(3000), now: 7000 },
      { result: 'Held' },
      undefined,
    ],
    ['is checked when its fault is over', { fault: OPEN, settleMs: 9000, now: 100 }, {}, 7000],
    [
      'is Violated at once, and watched further',
      { reading: broken(100), now: 200 },
      { result: 'Violated' },
      3000,
    ],
    ['of another process is lost at once', { announced: null, now: 100 }, lost, undefined],
  ])('%s', (_title, given, expected, wakeAt) => {
    const { entry, wake } = update(given);
    expect({ result: entry.result, reason: entry.reason }).toMatchObject(expected);
    if (!expected.result) expect(entry.result).toBeUndefined();
    expect(wake).toBe(wakeAt);
  });

  it('keeps its result and the time to detection, while its figures grow', () => {
    const { entry } = update({ reading: broken(100), now: 200 });
    const { message } = entry;
    const grown = reading({ measures: { queued: 90 }, summary: '90 > 6' });
    const { entry: later } = update({ entry, reading: grown, now: 5000 });
    expect(later).toMatchObject({ result: 'Violated', message, summary: '90 > 6' });
    expect(later.measures).toEqual({ queued: 90, [DETECTED_AFTER]: 86 });
  });

  it.each<[string, InvariantReading, number | undefined]>([
    ['the beginning is unknown', reading({ detectedAt: T + 900 }), 0],
    ['a violation before the fault', broken(-500), undefined],
    ['no figure', { ...broken(100), measures: {} }, undefined],
    ['detected soon after the fault', { ...broken(1000), detectedAt: T + 2400 }, 1400],
    ['judged after the watch', { ...broken(1000), detectedAt: T + 2900 }, undefined],
  ])('has a time to detection only if judged: %s', (_title, seen, time) => {
    expect(update({ reading: seen, now: 3000 }).entry.measures?.[DETECTED_AFTER]).toBe(time);
  });
});

describe('the check after a fault', () => {
  const recovered = (restedAt: number, measures: Measures['measures'] = {}, of = fault) => {
    const entry = entryOf({ measures: { queued: 30 } });
    applyRecovery(entry, of, { measures, restedAt: T + restedAt });
    return entry.measures;
  };

  it('adds its figures, and the time to recovery', () => {
    expect(recovered(2600.4, { leftBehind: 2 })).toEqual({ queued: 30, leftBehind: 2, recoveredAfter: 600 });
    expect(recovered(2600, {}, { ...OPEN, until: at(2500) })).toEqual({ queued: 30, recoveredAfter: 100 });
    expect(recovered(1999)).toEqual({ queued: 30, recoveredAfter: 0 });
  });
});
