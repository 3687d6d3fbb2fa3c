import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { found, namesOf } from '../../../../test/fixtures/subjects/ratelimiter/judged.ts';
import { OutageUnderTest } from '../../../../test/fixtures/subjects/ratelimiter/outage-under-test.ts';
import type { InvariantReading } from '../../../engine/observed.ts';
import type { CallerKind, CallerRequest, RequestOutcome } from '../history/events.ts';
import { BEHAVIOURS, type Behaviour } from './behaviour.ts';
import { seenInvariant } from './outage-formula.ts';

const pods = ['a', 'b'];
const limit = { algorithm: 'FixedWindow', requests: 4, windowMs: 60_000, start: 'FirstRequest' } as const;
const times = { startedAt: 10_000, endedAt: 15_000, until: 15_000 };
const FINISHED = 17_000;

/** A formula needs no words. */
const inWords = (reading: Reading): InvariantReading => ({
  ...reading,
  watchedUntil: FINISHED,
  shortfalls: [],
  evidence: [],
});

type Parts = Pick<CallerRequest, 'caller' | 'outcome'> & Partial<CallerRequest>;

/** So many requests to each pod, 100 ms apart. */
function sentToEach({ outcome, ...rest }: Parts, count: number, from: number): CallerRequest[] {
  return pods.flatMap((pod) =>
    Array.from({ length: count }, (_, i) => {
      const sentAt = from + i * 100;
      const endedAt = sentAt + (outcome === 'Timeout' ? 1000 : 20);
      return { pod, outcome, sentAt, endedAt, ...rest };
    }),
  );
}

/** A limiter in order before the fault; what callers got in it and after it is given. */
function recordOf({
  within = 'Admitted',
  beyond = 'Rejected',
  accept = ['Enforces'],
  beyondAfter = ['Rejected'],
  withinAfter = 'Admitted',
  crossed = true,
}: {
  within?: RequestOutcome;
  beyond?: RequestOutcome;
  accept?: readonly Behaviour[];
  beyondAfter?: readonly RequestOutcome[];
  withinAfter?: RequestOutcome;
  /** Whether a caller that crossed its limit in the pause was rejected by every pod. */
  crossed?: boolean;
} = {}): OutageUnderTest {
  const record = new OutageUnderTest({ pods, limit, accept });
  const requests = [
    ...sentToEach({ caller: 'Over', outcome: 'Admitted' }, 2, 0),
    ...sentToEach({ caller: 'Over', outcome: 'Rejected' }, 2, 1000),
    ...sentToEach({ caller: 'Under', outcome: 'Admitted' }, 5, 2000),
    ...sentToEach({ caller: 'Under', outcome: within }, 10, 10_100),
    ...sentToEach({ caller: 'Over', outcome: beyond }, 10, 10_100),
    ...(crossed ? sentToEach({ caller: 'Crossing', key: 'x', outcome: 'Rejected' }, 2, 10_300) : []),
    ...beyondAfter.flatMap((outcome, i) => sentToEach({ caller: 'Over', outcome }, 1, 15_500 + i * 100)),
    ...sentToEach({ caller: 'Under', outcome: withinAfter }, 5, 15_500),
  ];
  for (const request of requests) {
    record.add(request);
    // The end of the pause answers whoever waits for it.
    if (request.caller === 'Over' && request.outcome === 'Timeout') {
      record.addLate(request, { outcome: 'Rejected', at: 15_005 });
    }
  }
  return record;
}

type Reading = ReturnType<OutageUnderTest['reading']>;
const read = (record: OutageUnderTest): Reading => record.reading(times, FINISHED);
const valueOf = (reading: Pick<Reading, 'measures'>, name: string): number | undefined =>
  reading.measures.find((measure) => measure.name === name)?.value;

describe('the invariant of a store outage', () => {
  it('is broken by what is not accepted, from the first caller that got it', () => {
    const reading = read(recordOf({ within: 'Timeout', beyond: 'Timeout' }));
    expect(reading).toMatchObject({
      summary: 'Hangs',
      brokenAt: 11_100,
      detectedAt: FINISHED,
      shortfalls: [],
    });
    const names = ['notAdmitted', 'underLimit', 'overAdmission', 'timeToRecovery'];
    expect(names.map((name) => valueOf(reading, name))).toEqual([20, 20, 0, 520]);
  });

  it('is broken by more than the limit, and leads with how much more', () => {
    const reading = read(recordOf({ beyond: 'Admitted', beyondAfter: ['Rejected'] }));
    expect(reading).toMatchObject({ summary: 'FailsOpen, 24 > 4', detectedAt: FINISHED });
    expect(reading.measures[0]).toEqual({ name: 'overAdmission', value: 20, unit: 'requests' });
    const accepted = read(recordOf({ beyond: 'Admitted', accept: ['FailsOpen'], beyondAfter: ['Rejected'] }));
    expect(accepted.measures[0]).toMatchObject({ name: 'overAdmission' });
    expect(accepted.detectedAt).toBeUndefined();
  });

  it.each<[string, RequestOutcome, readonly Behaviour[]]>([
    ['FailsClosed', 'Rejected', ['Enforces', 'FailsClosed']],
    ['Hangs', 'Timeout', ['Hangs', 'Mixed']],
    // Redis lost no counts.
    ['FailsClosed', 'Rejected', ['FailsClosed', 'Forgets']],
  ])('is broken by more than the limit though %s is accepted', (word, within, accept) => {
    const over = { within, beyond: 'Admitted', beyondAfter: ['Rejected'] } as const;
    expect(read(recordOf({ ...over, accept }))).toMatchObject({
      summary: `${word}, 24 > 4`,
      brokenAt: 10_120,
      shortfalls: [],
    });
    const accepted = read(recordOf({ ...over, accept: [...accept, 'FailsOpen'] }));
    expect(accepted.detectedAt).toBeUndefined();
  });

  it('an outage keeps the invariant exactly if its behaviour and excess are accepted', () => {
    const outcome = fc.constantFrom<RequestOutcome>('Admitted', 'Rejected', 'Error', 'Timeout');
    const accept = fc.subarray([...BEHAVIOURS], { minLength: 1 });
    fc.assert(
      fc.property(outcome, outcome, accept, (within, beyond, accepted) => {
        const record = recordOf({ within, beyond, accept: accepted, beyondAfter: ['Rejected'] });
        const reading = read(record);
        const [word, excess] = [reading.summary.split(',')[0], valueOf(reading, 'overAdmission') ?? 0];
        const kept =
          accepted.some((each) => each === word) && (excess === 0 || accepted.includes('FailsOpen'));
        expect(reading.shortfalls).toEqual([]);
        expect(reading.detectedAt === undefined).toBe(kept);
        expect(reading.brokenAt === undefined).toBe(kept);
        if (!kept) expect(reading.brokenAt).toBeGreaterThanOrEqual(times.startedAt);
        // What a diagnosis is given says the same.
        const { broken, formula, values } = seenInvariant(inWords(reading), accepted, reading.excess);
        const valueIn = (name: string): number => values.find((value) => value.name === name)?.value ?? 0;
        const served = valueIn('others-admitted') >= 0.9 * valueIn('others-sent');
        const isOver = valueIn('sum(requests-admitted) - bound') > 0;
        expect(broken).toBe(!kept);
        if (kept && formula.includes('others-admitted >= 0.9')) expect(served).toBe(true);
        if (formula.includes('- admitted <= 0') && isOver) expect(broken).toBe(true);
      }),
    );
  });

  it('is broken by more than the limit, whatever else is not proven', () => {
    const record = recordOf({ beyond: 'Admitted', beyondAfter: ['Rejected'] });
    const doubtful = { ...times, endedAt: 12_000, doubtfulFrom: 11_000 };
    const reading = record.reading(doubtful, FINISHED);
    expect(reading).toMatchObject({ provenAlone: true, brokenAt: 10_120, detectedAt: FINISHED });
    expect(reading.shortfalls).toHaveLength(2);
  });

  it('is broken before the fault by more than the limit, though FailsOpen is accepted', () => {
    const record = recordOf({ beyond: 'Admitted', accept: ['FailsOpen'] });
    for (const request of sentToEach({ caller: 'Over', outcome: 'Admitted' }, 1, 3000)) record.add(request);
    const reading = read(record);
    expect(reading).toMatchObject({ provenAlone: true, brokenAt: 3020, detectedAt: FINISHED });
    expect(found(reading.evidence, 'OverLimitBefore')).toMatchObject({ over: { admitted: 6, bound: 4 } });
  });

  it('is broken in the fault if that may have begun before its start was known', () => {
    const record = new OutageUnderTest({ pods, limit, accept: ['FailsOpen'] });
    for (const request of sentToEach({ caller: 'Over', outcome: 'Admitted' }, 3, 2800)) record.add(request);
    const reading = record.reading({ ...times, plannedAt: 2900 }, FINISHED);
    expect(reading.provenAlone).toBeUndefined();
  });

  it('is not judged before the last callers have their answers', () => {
    const reading = recordOf({ within: 'Rejected' }).reading(times);
    expect(reading).toMatchObject({ complete: false });
    expect(reading.detectedAt).toBeUndefined();
  });

  it.each([
    ['the end was not seen', { startedAt: 10_000, until: 15_000 }],
    ['the pause ended early', { ...times, endedAt: 12_000 }],
    ['what felt it was underCounted', { ...times, doubtfulFrom: 12_000 }],
  ])('is not proven either way if %s', (_, seen) => {
    const reading = recordOf({ within: 'Rejected' }).reading(seen, FINISHED);
    expect(reading.shortfalls).not.toEqual([]);
    expect(reading.detectedAt).toBeUndefined();
  });
});

it.each([
  ['is proven', 16_000, undefined],
  ['is not proven if it may have ended before', 16_000, 15_500],
  ['is proven if it may have ended then', 16_000, 15_900],
  ['is proven if it has no effect after its end', undefined, 15_500],
] as const)('a fault with a later end %s', (what, lastsUntil, doubtfulFrom) => {
  const record = recordOf({ within: 'Rejected', accept: ['FailsClosed'] });
  record.lastsMs = (lastsUntil ?? times.until) - times.until;
  const { shortfalls } = record.reading({ ...times, ...(doubtfulFrom && { doubtfulFrom }) }, FINISHED);
  expect(shortfalls).toHaveLength(what.startsWith('is not') ? 1 : 0);
});

describe('a request that its caller gave up', () => {
  const hanging = (late: RequestOutcome | undefined, accept: readonly Behaviour[] = ['Hangs']): Reading => {
    const record = recordOf({ within: 'Timeout', accept });
    for (const request of sentToEach({ caller: 'Crossing', outcome: 'Timeout', key: 'c0' }, 8, 10_100)) {
      record.add(request);
      if (late && late !== 'Timeout') record.addLate(request, { outcome: late, at: request.sentAt + 3000 });
    }
    return read(record);
  };

  it('counts as admitted if the limiter admitted it late', () => {
    const reading = hanging('Admitted');
    expect(reading).toMatchObject({ summary: 'Hangs, 16 > 4', detectedAt: FINISHED });
    expect(valueOf(reading, 'overAdmission')).toBe(12);
    expect(found(reading.evidence, 'AdmittedLate')).toMatchObject({ requests: 16 });
  });

  it('counts as nothing if it was rejected late', () => {
    expect(hanging('Rejected')).toMatchObject({ summary: 'Hangs', shortfalls: [] });
  });

  it('leaves it open whether the limit was kept if nobody knows its outcome', () => {
    const reading = hanging(undefined);
    expect(reading.detectedAt).toBeUndefined();
    expect(reading.shortfalls).toEqual([{ code: 'OutcomesUnknown', requests: 16 }]);
    const over = reading.measures.find(({ name }) => name === 'overAdmission');
    expect(over).toMatchObject({ value: 0, atLeast: true });
    expect(hanging(undefined, ['Hangs', 'FailsOpen']).shortfalls).toEqual([]);
  });
});

describe('a caller that uses its limit up after the pause', () => {
  const account = (inFault: number, after: number): OutageUnderTest => {
    const record = recordOf();
    const of = { caller: 'Account', key: 'a0', pod: 'a' } as const;
    const add = (outcome: RequestOutcome, count: number, from: number): void => {
      for (let i = 0; i < count; i += 1) {
        const sentAt = from + 100 * i;
        record.add({ ...of, outcome, sentAt, endedAt: sentAt + 20 });
      }
    };
    add('Admitted', inFault, 12_000);
    add('Admitted', after, 16_000);
    add('Rejected', 4, 16_600);
    return record;
  };

  it('exceeds it by requests that were admitted in the pause and not counted', () => {
    const record = account(3, 4);
    const reading = read(record);
    expect(reading).toMatchObject({ summary: 'Enforces, 7 > 4', provenAlone: true, brokenAt: 16_120 });
    expect(seenInvariant(inWords(reading), ['Enforces'], reading.excess).broken).toBe(true);
    expect(reading.excess).toEqual({ beyond: 0, crossing: 3 });
  });

  it('does not exceed it by the rest of its limit', () => {
    expect(read(account(3, 1)).detectedAt).toBeUndefined();
  });

  it('shows nothing if its requests in the pause are not known', () => {
    expect(read(account(0, 5)).detectedAt).toBeUndefined();
  });
});

describe('a caller that crosses its limit in the pause', () => {
  /** At each pod so many are admitted before any other is rejected. */
  const crossing = (
    caller: CallerKind,
    { before = 0, admitted, rejected }: { before?: number; admitted: number; rejected: number },
  ) => {
    const record = recordOf({ crossed: false });
    const add = (requests: readonly CallerRequest[]): void => {
      for (const request of requests) record.add(request);
    };
    if (before > 0) add(sentToEach({ caller, key: 'k', outcome: 'Admitted' }, before, 1500));
    add(sentToEach({ caller, key: 'k', outcome: 'Admitted' }, admitted, 10_200));
    add(sentToEach({ caller, key: 'k', outcome: 'Rejected' }, rejected, 10_200 + admitted * 100));
    return record;
  };

  it('is named if every pod then rejects it', () => {
    const { detectedAt, evidence, summary } = read(crossing('New', { admitted: 2, rejected: 3 }));
    expect([summary, detectedAt]).toEqual(['Enforces', undefined]);
    expect(found(evidence, 'Reached')).toEqual({ code: 'Reached', reached: new Set(['New']) });
    const none = read(crossing('New', { admitted: 2, rejected: 0 }));
    expect(namesOf(none.shortfalls)).toEqual(['CrossingNotRejected']);
  });

  it('breaks the invariant by what it is admitted beyond its limit', () => {
    const record = crossing('New', { admitted: 4, rejected: 2 });
    const reading = read(record);
    expect(reading).toMatchObject({ summary: 'FailsOpen, 8 > 4', detectedAt: FINISHED, brokenAt: 10_420 });
    expect(valueOf(reading, 'overAdmission')).toBe(4);
    const { values } = seenInvariant(inWords(reading), ['Enforces'], reading.excess);
    expect(values.slice(2).map(({ value }) => value)).toEqual([0, 4]);
  });

  it('breaks it by what it had before the pause and got in it', () => {
    const reading = read(crossing('Crossing', { before: 2, admitted: 2, rejected: 4 }));
    expect(reading).toMatchObject({ summary: 'FailsOpen, 8 > 4', detectedAt: FINISHED });
  });

  it('is held to its own limit, and not to that of all such callers together', () => {
    const record = recordOf({ crossed: false });
    for (const key of ['c0', 'c1', 'c2']) {
      for (const request of sentToEach({ caller: 'Crossing', key, outcome: 'Admitted' }, 2, 10_200)) {
        record.add(request);
      }
    }
    for (const request of sentToEach({ caller: 'Crossing', key: 'c0', outcome: 'Rejected' }, 1, 10_500)) {
      record.add(request);
    }
    const reading = read(record);
    expect(valueOf(reading, 'overAdmission')).toBe(0);
    // Of the three, one sent more than its limit; the other was over its limit before.
    expect(reading.evidence?.[0]).toMatchObject({ callers: 2, excludedAbove: 78 });
  });
});

describe('what callers get after the pause', () => {
  it('breaks the invariant if they are not admitted again by the end of the watch', () => {
    const reading = read(recordOf({ within: 'Rejected', accept: ['FailsClosed'], withinAfter: 'Rejected' }));
    expect(reading).toMatchObject({
      summary: 'FailsClosed; no recovery in 800ms',
      detectedAt: FINISHED,
      brokenAt: times.endedAt,
    });
    expect(reading.measures[0]).toMatchObject({
      name: 'timeToRecovery',
      value: 900,
      atLeast: true,
      bound: 800,
    });
  });

  it('breaks it by more than the limit, if that is not accepted', () => {
    const after = ['Admitted', 'Admitted', 'Rejected'] as const;
    const closed = read(recordOf({ within: 'Rejected', accept: ['FailsClosed'], beyondAfter: after }));
    expect(closed).toMatchObject({
      summary: 'FailsClosed, 8 > 4',
      detectedAt: FINISHED,
      brokenAt: 15_520,
    });
    const open = read(recordOf({ beyond: 'Admitted', accept: ['FailsOpen'], beyondAfter: after }));
    expect(open.detectedAt).toBeUndefined();
    expect(valueOf(open, 'timeToRecovery')).toBe(720);
  });

  it('a caller over its limit, admitted to the end, breaks even an accepted FailsOpen', () => {
    const beyondAfter: RequestOutcome[] = ['Rejected', ...Array<'Admitted'>(4).fill('Admitted')];
    const reading = read(recordOf({ beyond: 'Admitted', accept: ['FailsOpen'], beyondAfter }));
    expect(reading).toMatchObject({ detectedAt: FINISHED, brokenAt: times.endedAt });
    expect(reading.summary).toBe('FailsOpen; no recovery in 800ms');
  });

  it('is complete once it is known whether the limit is returned', () => {
    const record = recordOf();
    expect(record.reading(times, FINISHED).complete).toBe(false);
    record.returned = ['Admitted', 'Admitted', 'Admitted'];
    const returned = record.reading(times, FINISHED);
    expect(returned).toMatchObject({ complete: true, shortfalls: [] });
    expect(returned.detectedAt).toBeUndefined();
    record.returned = 'long window';
    const long = record.reading(times, FINISHED);
    expect(found(long.evidence, 'ReturnNotChecked')).toMatchObject({ why: 'long window' });
    expect(long.detectedAt).toBeUndefined();
  });

  it('is left open if nobody knows whether the limit is returned', () => {
    const record = recordOf();
    record.returned = ['Admitted', 'Timeout', 'Error'];
    const reading = record.reading(times, FINISHED);
    expect(reading.detectedAt).toBeUndefined();
    expect(reading.shortfalls).toEqual([{ code: 'ReturnUnclear', callers: 3, unclear: 2 }]);
  });

  it('breaks it if callers do not get their limit back', () => {
    const record = recordOf();
    record.returned = ['Rejected', 'Admitted', 'Rejected'];
    const reading = record.reading(times, 80_000);
    expect(reading).toMatchObject({
      summary: 'Enforces; limit not returned',
      detectedAt: 80_000,
      brokenAt: times.endedAt,
      complete: true,
    });
    expect(reading.measures[0]).toEqual({ name: 'lockedOut', value: 2, bound: 0, unit: 'callers' });
  });
});

describe('a share near the border between two words', () => {
  /** Of 40 callers under their limit so many are rejected, and the others admitted. */
  const rejected = (count: number, accept: readonly Behaviour[]): Reading => {
    const record = recordOf({ within: 'Rejected', accept });
    let left = count - 20;
    const more = sentToEach({ caller: 'Under', outcome: 'Admitted' }, 10, 11_200);
    for (const request of more.sort((a, b) => a.sentAt - b.sentAt)) {
      left -= 1;
      record.add(left >= 0 ? { ...request, outcome: 'Rejected' } : request);
    }
    return read(record);
  };

  it('is Inconclusive if just one of the two is accepted', () => {
    const reading = rejected(35, ['FailsClosed']);
    expect(reading.detectedAt).toBeUndefined();
    const near = { code: 'NearBorderOfAccepted', of: 40 };
    expect(reading.shortfalls).toMatchObject([
      { ...near, behaviour: 'Mixed', other: 'FailsClosed', count: 35 },
    ]);
    expect(rejected(37, ['FailsClosed']).shortfalls).toMatchObject([{ ...near, other: 'Mixed', count: 37 }]);
  });

  it('decides nothing if both are accepted, or none', () => {
    expect(rejected(35, ['FailsClosed', 'Mixed'])).toMatchObject({ shortfalls: [] });
    expect(rejected(35, ['Enforces'])).toMatchObject({ detectedAt: FINISHED, shortfalls: [] });
  });

  it('is left behind by a share that is clear', () => {
    expect(rejected(40, ['FailsClosed'])).toMatchObject({ summary: 'FailsClosed', shortfalls: [] });
    expect(rejected(28, ['FailsClosed'])).toMatchObject({ summary: 'Mixed', detectedAt: FINISHED });
  });
});

describe('a path that needs no limiter', () => {
  /** Of each pod, or of the one that is named, so many have no answer from a moment on, and so many have one. */
  const withControls = (timeouts: number, answered: number, from = 10_100, pod?: string) => {
    const record = recordOf({ within: 'Timeout', beyond: 'Timeout' });
    for (const outcome of ['Timeout', 'Admitted'] as const) {
      const count = outcome === 'Timeout' ? timeouts : answered;
      const at = outcome === 'Timeout' ? from : from + timeouts * 100;
      for (const request of sentToEach({ caller: 'Control', outcome }, count, at)) {
        const isOther = pod !== undefined && request.pod !== pod;
        record.add(isOther ? { ...request, outcome: 'Admitted' } : request);
      }
    }
    return read(record);
  };

  it('leaves it open whether a pod or its limiter is slow, if it is slow too', () => {
    const reading = withControls(10, 5);
    expect(reading.detectedAt).toBeUndefined();
    const slow = pods.map((pod) => ({ pod, unanswered: 10, of: 15 }));
    expect(reading.shortfalls).toEqual([{ code: 'ControlsUnanswered', pods: slow }]);
  });

  it('shows that the limiter hangs, if it is answered', () => {
    expect(withControls(0, 15)).toMatchObject({ summary: 'Hangs', detectedAt: FINISHED, shortfalls: [] });
  });

  it('shows nothing if it is never answered in the pause: it needs Redis itself', () => {
    expect(withControls(15, 0)).toMatchObject({ summary: 'Hangs', detectedAt: FINISHED, shortfalls: [] });
  });

  it('is no excuse if callers had no answer first: the limiter took up what it needs', () => {
    expect(withControls(10, 5, 10_700)).toMatchObject({ detectedAt: FINISHED, shortfalls: [] });
  });

  it('is no excuse for the other pods', () => {
    expect(withControls(10, 5, 10_100, 'a')).toMatchObject({ detectedAt: FINISHED, shortfalls: [] });
  });
});

describe('an answer that the operator read late', () => {
  it('is neither in time nor missing, and too many of them are a shortfall', () => {
    const record = recordOf({ within: 'Admitted', accept: ['Enforces'] });
    for (const request of sentToEach({ caller: 'Under', outcome: 'Admitted' }, 10, 12_000)) {
      record.add({ ...request, endedAt: 15_400 });
    }
    const reading = read(record);
    expect(reading.detectedAt).toBeUndefined();
    expect(reading.shortfalls).toEqual(pods.map((pod) => ({ code: 'Untimed', pod, untimed: 10, of: 20 })));
    expect(valueOf(reading, 'latencyDuring')).toBe(20);
  });

  it('is left out if it is one of many', () => {
    const record = recordOf();
    record.add({ pod: 'a', caller: 'Under', outcome: 'Admitted', sentAt: 12_000, endedAt: 15_400 });
    expect(read(record)).toMatchObject({ summary: 'Enforces', shortfalls: [] });
  });
});

describe('a pod that was deleted during the watch', () => {
  /** In the middle of the pause a pod stops answering. */
  const withGone = (within: RequestOutcome = 'Admitted'): OutageUnderTest => {
    const record = recordOf({ within });
    for (let sentAt = 12_000; sentAt < 13_000; sentAt += 100) {
      const times = { sentAt, endedAt: sentAt + 1 };
      record.add({ pod: 'b', caller: 'Under', outcome: 'Error', cause: 'Reset', ...times });
    }
    return record;
  };

  it('breaks nothing by what its callers did not get, and leaves a proof open', () => {
    const record = withGone();
    expect(read(record)).toMatchObject({ summary: 'Mixed', detectedAt: FINISHED });
    record.gone = ['b', 'another'];
    const reading = read(record);
    expect(reading).toMatchObject({
      summary: 'Enforces',
      shortfalls: [{ code: 'PodsGone', pods: ['b'] }],
    });
    expect(reading.detectedAt).toBeUndefined();
    expect(['notAdmitted', 'underLimit'].map((name) => valueOf(reading, name))).toEqual([0, 10]);
  });

  it('does not hide what the callers of another did not get', () => {
    const record = withGone('Rejected');
    record.gone = ['b'];
    expect(read(record)).toMatchObject({ summary: 'FailsClosed', detectedAt: FINISHED });
  });

  it('breaks the invariant by what it admitted beyond the limit', () => {
    const record = recordOf();
    for (let i = 0; i < 5; i += 1) {
      const sentAt = 12_000 + i;
      record.add({ pod: 'b', caller: 'Over', outcome: 'Admitted', sentAt, endedAt: sentAt + 1 });
    }
    record.gone = ['b'];
    expect(read(record)).toMatchObject({ summary: 'Enforces, 9 > 4', detectedAt: FINISHED });
  });

  it('leaves nothing to judge if none is left', () => {
    const record = withGone();
    record.gone = pods;
    const reading = read(record);
    expect(namesOf(reading.shortfalls)).toContain('NoPodLeft');
    expect(reading.detectedAt).toBeUndefined();
  });
});

describe('latency', () => {
  const names = ['latencyBefore', 'latencyDuring', 'latencyAfter'];

  it('is the median of the answers before, during and after the pause', () => {
    const reading = read(recordOf({ within: 'Rejected' }));
    expect(names.map((name) => valueOf(reading, name))).toEqual([20, 20, 20]);
  });

  it('of the pause holds no answer that the end of the pause gave', () => {
    const hung = { within: 'Timeout', beyond: 'Timeout', crossed: false } as const;
    const reading = read(recordOf(hung));
    expect(names.map((name) => valueOf(reading, name))).toEqual([20, undefined, 20]);
  });
});

describe('a pod that was restarted in the fault', () => {
  /** Pod b was not there for 5 of 15 requests of callers under their limit. */
  const restarted = (accept: readonly Behaviour[], after: readonly CallerRequest[] = []) => {
    const record = recordOf({ accept });
    const failed = sentToEach({ caller: 'Under', outcome: 'Error', cause: 'Unreachable' }, 5, 11_200);
    for (const request of [...failed, ...after]) if (request.pod === 'b') record.add(request);
    record.restarted = ['b'];
    return read(record);
  };

  it('is named, and what callers got there counts', () => {
    const reading = restarted(['Enforces']);
    expect(reading).toMatchObject({ summary: 'Mixed', detectedAt: FINISHED, shortfalls: [] });
    expect(found(reading.evidence, 'PodsRestarted')).toMatchObject({ pods: ['b'] });
    expect(restarted(['Mixed']).detectedAt).toBeUndefined();
  });

  it('is named if it does not recover, since it was started in the fault', () => {
    const reading = restarted(
      ['Mixed', 'FailsOpen'],
      sentToEach({ caller: 'Over', outcome: 'Admitted' }, 20, 15_600),
    );
    expect(reading).toMatchObject({ summary: 'Mixed; no recovery in 800ms', detectedAt: FINISHED });
    expect(found(reading.evidence, 'NotRecovered')).toMatchObject({ restarted: new Set(['b']) });
  });
});
