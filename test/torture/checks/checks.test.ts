/** The checks themselves: they find nothing in a correct run, and find each violation. */
import { describe, expect, it } from 'vitest';
import type { ChaosDemoStatus, ScenarioStatus } from '../../../src/api/index.ts';
import type { CheckSeen, CommandSent, Entry, TortureRecord } from '../record.ts';
import { checkLane } from './index.ts';
import { announcedStatus, iso, PAUSED, seenWith, T0, UNTIL } from './sample.fixture.ts';
import { secretsIn } from './secrets.ts';

/** What the checks find after this change. */
const found = (change: (record: TortureRecord) => void): string[] =>
  checkLane(seenWith(change)).map(({ check, message }) => `${check}: ${message}`);

/** Replaces what the last version says. */
const saying =
  (change: (status: ChaosDemoStatus) => void) =>
  (record: TortureRecord): void => {
    const last = record.of('version').at(-1);
    if (last?.object.status) change(last.object.status);
  };

const scenario = (status: ChaosDemoStatus, name: string): ScenarioStatus => {
  const one = status.scenarios?.find((scenario) => scenario.name === name);
  if (!one) throw new Error(`there is no scenario ${name}`);
  return one;
};

const measuring = (name: string, measure: string, value: number) =>
  saying((status) => {
    Object.assign(scenario(status, name).measures ?? {}, { [measure]: value });
  });

const without = (record: TortureRecord, drop: (entry: Entry) => boolean): void => {
  const kept = record.entries.filter((entry) => !drop(entry));
  record.entries.length = 0;
  record.entries.push(...kept);
};

const pause = (at: number, ms: number): CommandSent => ({
  kind: 'sent',
  at: T0 + at,
  passedAt: T0 + at,
  answeredAt: T0 + at + 1,
  lane: 0,
  args: ['CLIENT', 'PAUSE', String(ms), 'WRITE'],
});

const burstChecks = (record: TortureRecord): CheckSeen[] =>
  record.of('check').filter(({ key }) => key.endsWith('ghosts'));

it('find nothing wrong with a run that went well', () => {
  expect(found(() => {})).toEqual([]);
});

describe('find of pauses', () => {
  it.each(['1-drift-1', '1-drift-2'])('a second one, announced as %s', (id) => {
    const second = found((record) => {
      record.note(pause(PAUSED + 500, UNTIL - PAUSED - 500));
      record.note({ kind: 'done', at: T0 + PAUSED + 510, lane: 0, what: 'pause' });
      const status = announcedStatus();
      const { fault } = scenario(status, 'drift');
      if (fault) fault.id = id;
      const [version] = record.of('version');
      if (version) record.note({ ...version, at: version.at + 1, object: { ...version.object, status } });
    });
    expect(second).toContainEqual(expect.stringMatching(/^pauses: .*2 pauses, .*1 were to/));
  });

  it('one that lasts past the end of its fault', () => {
    const longer = found((record) => {
      const [sent] = record.of('sent');
      if (sent) Object.assign(sent, { args: ['CLIENT', 'PAUSE', '2600', 'WRITE'] });
    });
    expect(longer).toContainEqual(expect.stringMatching(/PAUSE 2600 .*600 ms too long .*1-drift-1/));
  });

  it('writes that are held back after the end', () => {
    const held = found((record) => record.note({ kind: 'write', at: T0 + 5000, lane: 0, tookMs: 700 }));
    expect(held).toEqual([expect.stringMatching(/^writes flow: .*700 ms .*pause/)]);
  });
});

describe('find of transitions', () => {
  it('a fault that was carried out and never announced', () => {
    const skipped = found((record) =>
      without(record, ({ at, kind }) => kind === 'version' && at < T0 + 9000),
    );
    expect(skipped).toContainEqual(expect.stringMatching(/1-drift-1 .*carried .*no version/));
  });

  it('a chapter that began before the one before it', () => {
    const mixed = found(
      saying(({ chapters = [] }) => {
        delete chapters[1]?.startedAt;
      }),
    );
    expect(mixed).toContainEqual(expect.stringMatching(/chapter 2 is Completed .*no start/));
  });

  it('a phase, a result and a time that are taken back', () => {
    const back = found((record) => {
      const [first] = record.of('version');
      const status = announcedStatus();
      if (first) record.note({ ...first, at: T0 + 11_000, object: { ...first.object, status } });
    });
    expect(back).toContainEqual(expect.stringMatching(/phase Succeeded was followed by Running/));
    expect(back).toContainEqual(expect.stringMatching(/drift was Violated .*without a result/));
    expect(back).toContainEqual(expect.stringMatching(/endedAt of 1-drift-1 .*undefined/));
  });
});

describe('find of the course of a run', () => {
  it('a verdict that never came', () => {
    const open = found(
      saying(({ run }) => {
        delete run?.completedAt;
      }),
    );
    expect(open).toContainEqual(expect.stringMatching(/^verdict: .*no verdict \d+ ms/));
  });

  it('a process that ended unexpectedly', () => {
    expect(
      found((record) =>
        record.note({ kind: 'lost', at: T0, name: 'operator-a', how: 'exited with status 1' }),
      ),
    ).toEqual([expect.stringMatching(/^processes: operator-a .*exited .*status 1$/)]);
  });
});

describe('find of figures', () => {
  it.for([
    ['ghosts', 'admitted', 19],
    ['ghosts', 'rejected', 1],
    ['ghosts', 'requests', 21],
    ['drift', 'requests', 31],
    ['drift', 'admitted', 29],
    ['drift', 'rejected', 3],
    ['drift', 'errors', 1],
    ['drift', 'timeouts', 1],
    ['drift', 'drift', 31],
  ] as const)('that the measure %s %s is not %i', ([name, measure, value]) => {
    expect(found(measuring(name, measure, value))).toContainEqual(
      expect.stringMatching(new RegExp(`figures of ${name}: ${measure} is said to be ${value}`)),
    );
  });

  it.for(['errors', 'timeouts'])('%s of a burst that no proxy saw', (measure) => {
    expect(found(measuring('ghosts', measure, 2))).toContainEqual(
      expect.stringMatching(/ghosts: errors and timeouts .*2/),
    );
  });

  it('Violated if the pods kept the limit, and Held if they did not', () => {
    const kept = found((record) => {
      for (const check of burstChecks(record).slice(10))
        Object.assign(check, { status: 429, allowed: false });
    });
    expect(kept).toContainEqual(expect.stringMatching(/Violated, .*admitted 10 of 10$/));
    const broken = found(saying((status) => void (scenario(status, 'ghosts').result = 'Held')));
    expect(broken).toContainEqual(expect.stringMatching(/Held, .*admitted 20 of 10$/));
  });

  it('a pause that is Confirmed and was none', () => {
    const none = found((record) =>
      without(record, ({ kind }) => kind === 'sent' || kind === 'done' || kind === 'write'),
    );
    expect(none).toEqual([expect.stringMatching(/ of drift: Confirmed, .*no pause/)]);
  });

  it('a pause that is said to have begun or ended at another time', () => {
    const at = (field: 'startedAt' | 'endedAt', after: number) =>
      found(
        saying((status) => {
          const { fault } = scenario(status, 'drift');
          if (fault) fault[field] = iso(after);
        }),
      );
    expect(at('startedAt', PAUSED - 100)).toContainEqual(expect.stringMatching(/startedAt is 101 ms before/));
    expect(at('startedAt', PAUSED + 900)).toContainEqual(expect.stringMatching(/startedAt is 898 ms after/));
    expect(at('endedAt', UNTIL - 500)).toContainEqual(expect.stringMatching(/endedAt is 501 ms before/));
    expect(at('endedAt', UNTIL + 800)).toContainEqual(
      expect.stringMatching(/endedAt is \d+ ms after writes/),
    );
    const atLatest = (after: number) =>
      found(
        saying((status) => {
          const drift = scenario(status, 'drift');
          if (drift.fault) drift.fault.endedAt = iso(after);
          drift.evidence = ['The connection of the held write was lost; a later write was accepted'];
        }),
      );
    expect(atLatest(UNTIL + 800)).not.toContainEqual(expect.stringMatching(/endedAt is/));
    expect(atLatest(UNTIL + 1_800)).toContainEqual(expect.stringMatching(/endedAt is \d+ ms after writes/));
  });
});

it('find a password in a log and in an object', () => {
  const { record } = seenWith(saying((status) => void (status.message = 'AUTH s3cret')));
  expect(secretsIn(record, { 'operator-a': 'all is well' }, ['s3cret'])).toMatchObject([
    { message: expect.stringMatching(/password .*in objects$/) },
  ]);
  expect(secretsIn(record, { 'operator-a': 'login s3cret' }, ['s3cret'])).toHaveLength(2);
});
