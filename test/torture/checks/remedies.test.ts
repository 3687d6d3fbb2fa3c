/** The checks on remedies: they find nothing in a correct one, and find each violation. */
import { describe, expect, it } from 'vitest';
import type { ChaosDemoStatus } from '../../../src/api/index.ts';
import type { CheckSeen, LimitSeen } from '../record.ts';
import type { Step } from '../step.ts';
import { checkLane } from './index.ts';
import {
  ANNOUNCED,
  REMEDY,
  REMOVED,
  REPORTED,
  remediationOf,
  SENT,
  seenRemedied,
} from './remedied.fixture.ts';
import { BURST_KEY, DRIFT_KEY, T0 } from './sample.fixture.ts';
import type { Seen } from './seen.ts';

/** What the checks find after this change. */
const found = (change: (seen: Seen) => void): string[] =>
  checkLane(seenRemedied(change)).map(({ check, message }) => `${check}: ${message}`);

/** The limit that the remedy set. */
const defineOf = ({ record }: Seen): LimitSeen => {
  const define = record.of('limit').findLast(({ what }) => what === 'define');
  if (!define) throw new Error('there is no limit');
  return define;
};

/** One more, so long after T0. */
const another =
  (at: number, changes: Partial<LimitSeen> = {}) =>
  (seen: Seen) => {
    const times = { at: T0 + at, passedAt: T0 + at, nodeAt: T0 + at + 2, answeredAt: T0 + at + 3 };
    seen.record.note({ ...defineOf(seen), ...times, ...changes });
  };

const measuring = ({ record }: Seen): CheckSeen[] =>
  record.of('check').filter(({ at, key }) => key === DRIFT_KEY && at > T0 + SENT);

/** Replaces what every version from the report on says. */
const saying =
  (change: (status: ChaosDemoStatus) => void) =>
  ({ record }: Seen): void => {
    for (const { at, object } of record.of('version')) {
      if (at >= T0 + REPORTED && object.status) change(object.status);
    }
  };

const step =
  (at: number, action: Step['action'], whom: string) =>
  ({ record }: Seen) =>
    void record.note({
      kind: 'step',
      at: T0 + at,
      endedAt: T0 + at + 10,
      whom,
      step: { lane: 0, when: { afterMs: 0 }, action, forMs: 0 },
    });

it('the checks find nothing wrong with a reset that went well', () => {
  expect(found(() => {})).toEqual([]);
});

describe('find of remedies', () => {
  it('a second one after the first was set', () => {
    expect(found(another(SENT + 60, { node: 1 }))).toContainEqual(
      expect.stringMatching(/second .*1-drift-1\/remedy 57 ms/),
    );
  });

  it('a remedy after an unanswered one is wrong, unless the connection was lost', () => {
    const unanswered = (node: number, explain: (seen: Seen) => void = () => {}) =>
      found((seen) => {
        another(SENT - 5, { node })(seen);
        explain(seen);
        const first = seen.record.of('limit').find(({ at }) => at === T0 + SENT - 5);
        for (const field of ['answeredAt', 'nodeAt', 'status', 'windowId'] as const) delete first?.[field];
      });
    const link = (what: 'cut' | 'hold', node: number) =>
      step(SENT - 4, { to: 'node-link', node, what }, `link to node ${node} of lane 0`);
    const node = (what: 'kill' | 'freeze') => step(SENT - 4, { to: 'node', node: 1, what }, 'node 1');
    expect(unanswered(0, link('cut', 0))).toEqual([
      expect.stringMatching(/ 2 limits .*1 nodes .*1-drift-1\/remedy/),
    ]);
    for (const explain of [undefined, link('hold', 1), link('cut', 0), node('freeze')]) {
      expect(unanswered(1, explain)).toEqual([expect.stringMatching(/1-drift-1\/remedy .*node 0, .*node 1/)]);
    }
    const lost = ({ record }: Seen) => {
      const first = record.of('limit').find(({ at }) => at === T0 + SENT - 5);
      if (first) first.brokenOff = true;
    };
    for (const explain of [link('cut', 1), node('kill'), lost]) expect(unanswered(1, explain)).toEqual([]);
  });

  it('one that was not announced', () => {
    const early = found(another(8500, { key: BURST_KEY }));
    expect(early).toContainEqual(expect.stringMatching(/-ghosts, .*no remedy .*announced/));
    const late = found(another(SENT + 60, { key: BURST_KEY }));
    expect(late).toContainEqual(expect.stringMatching(/-ghosts, .*no remedy .*announced/));
    const before = found(another(ANNOUNCED - 100));
    expect(before).toContainEqual(expect.stringMatching(/-drift, .*no remedy .*announced/));
  });

  it('one that the spec does not allow', () => {
    const off = seenRemedied();
    const { resets: _, ...plan } = off.plan;
    expect(checkLane({ ...off, plan }).map(({ message }) => message)).toContainEqual(
      expect.stringMatching(new RegExp(`^${REMEDY} .*allows none$`)),
    );
  });

  it('one on a key of another object, and on another key of its object', () => {
    const other = found(another(SENT + 60, { key: 'demo-other' }));
    expect(other).toContainEqual(expect.stringMatching(/demo-other, .*no key .*run-1/));
    const own = found(another(SENT + 60, { key: 'demo-chaos-key-12345678-1--control-x' }));
    expect(own).toContainEqual(expect.stringMatching(/--control-x after .*none/));
  });

  it('a reset whose limit or window is not that of the spec is wrong', () => {
    const setting = (changes: Partial<LimitSeen>) =>
      found((seen) => void Object.assign(defineOf(seen), changes));
    expect(setting({ limit: 5000 })).toContainEqual(expect.stringMatching(/5000 .* a reset sets 10$/));
    expect(setting({ windowSec: 6000 })).toContainEqual(expect.stringMatching(/in 6000 s/));
  });

  it('a key that is not set up as the spec says', () => {
    const wide = found(({ record }) => {
      const [first] = record.of('limit');
      Object.assign(first ?? {}, { limit: 11 });
    });
    expect(wide).toContainEqual(expect.stringMatching(/limit of 11 .*spec .*10 in 60 s/));
  });

  it('a remedy sent after the end of its announcer, and no other process, is wrong', () => {
    const kill = { to: 'operator', which: 'leader', what: 'kill' } as const;
    const late = (whom: string) =>
      found((seen) => {
        step(ANNOUNCED + 1, kill, whom)(seen);
        const define = defineOf(seen);
        Object.assign(define, {
          at: define.at + 200,
          passedAt: define.at + 200,
          answeredAt: define.at + 201,
        });
      }).filter((message) => /had ended/.test(message));
    expect(late('operator-a')).toEqual([expect.stringMatching(/after operator-a,/)]);
    expect(late('operator-b')).toEqual([]);
  });

  it('one that is sent after its reported end, and after its deadline', () => {
    const ended = found(another(REPORTED + 120, { node: 1 }));
    expect(ended).toContainEqual(expect.stringMatching(/after the status .*1-drift-1/));
    const given = found(another(ANNOUNCED + 15_200, { node: 1 }));
    expect(given).toContainEqual(expect.stringMatching(/ 200 ms after 1-drift-1\/remedy/));
  });

  it('one that is measured twice, or before it was set', () => {
    const twice = found((seen) => {
      for (const check of measuring(seen)) seen.record.note({ ...check, at: check.at + 50 });
    });
    expect(twice).toContainEqual(expect.stringMatching(/6 requests .*1-drift-1\/remedy, and 3/));
    const early = found((seen) => {
      const [check] = measuring(seen);
      Object.assign(check ?? {}, { at: T0 + SENT - 10 });
    });
    expect(early).toContainEqual(expect.stringMatching(/-drift was checked .*before/));
  });

  it('a limit that a node sets when all was removed', () => {
    const left = found((seen) => void Object.assign(defineOf(seen), { nodeAt: T0 + REMOVED + 200 }));
    expect(left).toContainEqual(expect.stringMatching(/node 0 set .*-drift .*nothing/));
    const never = found(({ record }) => {
      const kept = record.entries.filter((entry) => entry.kind !== 'limit' || entry.what !== 'remove');
      record.entries.splice(0, Infinity, ...kept);
    });
    expect(never).toContainEqual(expect.stringMatching(/node 0 set .*-drift .*nothing/));
  });
});

describe('find in reports of remedies', () => {
  it('one that is said to be sent and was not, and the other way round', () => {
    const unsent = found((seen) => {
      const define = defineOf(seen);
      seen.record.entries.splice(seen.record.entries.indexOf(define), 1);
    });
    expect(unsent).toContainEqual(expect.stringMatching(/drift: Applied, and no node/));
    const denied = found(saying((status) => void (remediationOf(status).state = 'NotApplied')));
    expect(denied).toContainEqual(expect.stringMatching(/NotApplied, and 1 limits were sent/));
  });

  it('a state of another action than a reset is wrong', () => {
    const action = found(
      saying(({ diagnoses = [] }) => void Object.assign(diagnoses[0] ?? {}, { action: 'change-limit' })),
    );
    expect(action).toContainEqual(expect.stringMatching(/change-limit, .* reset-counter/));
  });

  it('a remedy that never ends, is never reported, or was not announced is wrong', () => {
    const open = found(saying((status) => void (remediationOf(status).state = 'Applying')));
    expect(open).toContainEqual(expect.stringMatching(/drift: .*run has ended/));
    const silent = found(saying((status) => void delete status.diagnoses));
    expect(silent).toContainEqual(expect.stringMatching(/1-drift-1\/remedy was .*never reported/));
    const unannounced = found(({ record }) => {
      for (const { object } of record.of('version')) delete object.status?.diagnoses?.[0]?.remediation?.until;
    });
    expect(unannounced).toContainEqual(expect.stringMatching(/drift: Applied, and no remedy/));
    const skipped = found(({ record }) => {
      const kept = record.entries.filter(({ at, kind }) => kind !== 'version' || at !== T0 + ANNOUNCED + 5);
      record.entries.splice(0, Infinity, ...kept);
    });
    expect(skipped).toContainEqual(expect.stringMatching(/Applied .*1-drift-1\/remedy, .*no version/));
  });

  it('a report that changes later', () => {
    const back = found(({ record }) => {
      const last = record.of('version').at(-1)?.object.status;
      if (last) remediationOf(last).message = 'Replaced.';
    });
    expect(back).toContainEqual(expect.stringMatching(/report of 1-drift-1\/remedy .*Replaced/));
  });
});
