/** What is found of a store outage, in codes and figures: of a limiter of which it is known what it does. */
import { EARLY_MS } from '@chaosdemo/redis-faults/events';
import { describe, expect, it } from 'vitest';
import { found, namesOf } from '../../../../test/fixtures/subjects/ratelimiter/judged.ts';
import {
  type Answer,
  type Asked,
  codesIn,
  decided,
  faultFrom,
  inFault,
  judgeOf,
  type SimulatedOutage,
  simulatedOutage,
} from '../../../../test/fixtures/subjects/ratelimiter/simulated-outage.ts';
import type { CallerRequest, EventOf, HistoryEvent } from '../../history/events.ts';

type Change = (event: HistoryEvent) => HistoryEvent[];
type Given = Partial<SimulatedOutage>;

const FROM = faultFrom();
const TO = FROM + 10_000;
const enforcing = inFault(({ take }) => decided(take()));
const closed = inFault(() => ({ outcome: 'Error', cause: 'ServerError', status: 500 }));
const open = inFault(() => 'Admitted');

function judged(given: Given = {}, change?: Change) {
  const { accept = ['Enforces'], ...storeOutage } = (given.storeOutage ?? {}) as { accept?: string[] };
  const outage = { limiter: enforcing, ...given, storeOutage: { accept, ...storeOutage } };
  const judge = judgeOf(simulatedOutage(outage), change);
  const reading = judge.reading();
  if (!reading) throw new TypeError('there is no reading');
  return { reading, ...codesIn(judge) };
}

const podsOf = (codes: ReturnType<typeof judged>['evidence']) =>
  codes.filter(({ code }) => code === 'PodBehaviour') as unknown as {
    readonly pod: string;
    readonly behaviour: string;
    readonly within: Record<string, number>;
  }[];
const behavioursOf = (...of: Parameters<typeof podsOf>) => podsOf(...of).map(({ behaviour }) => behaviour);
/** How many callers of each kind were tested. */
function testedIn(codes: ReturnType<typeof judged>['evidence']): Record<string, number> {
  const { sent } = found(codes, 'Tested') as unknown as { readonly sent: { of: string; callers: number }[] };
  return Object.fromEntries(sent.map(({ callers, of }) => [of, callers]));
}
/** The same share of requests in every run. */
const oneIn = (n: number, { at, key, pod }: Asked): boolean =>
  (key.length + pod + Math.round(at / 7)) % n === 0;

describe('what callers get in the fault', () => {
  it('has one word if nine of ten owed requests have the same outcome', () => {
    expect(judged().reading.summary).toBe('Enforces');
    expect(judged({ limiter: closed }).reading.summary).toBe('FailsClosed');
    const few = inFault((asked) => (oneIn(25, asked) ? 'Error' : decided(asked.take())));
    expect(judged({ limiter: few }).reading.summary).toBe('Enforces');
    const many = inFault((asked) => (oneIn(3, asked) ? 'Error' : decided(asked.take())));
    expect(judged({ limiter: many }).reading.summary).toBe('Mixed');
  });

  it('is Mixed if pods differ, and is known of each', () => {
    const limiter = inFault(({ pod, take }) => (pod === 0 ? 'Error' : decided(take())));
    const { evidence, reading } = judged({ limiter, storeOutage: { accept: ['Enforces', 'FailsClosed'] } });
    expect(reading).toMatchObject({ summary: 'Mixed', detectedAt: expect.any(Number) });
    expect(behavioursOf(evidence)).toEqual(['FailsClosed', 'Enforces', 'Enforces']);
  });

  it('is Mixed if callers over their limits wait, and others do not', () => {
    const limiter = inFault(({ take }) => (take() ? 'Admitted' : 'Timeout'));
    expect(judged({ limiter }).reading.summary).toBe('Mixed');
  });

  it('counts what its callers saw, and the statuses', () => {
    let failed = 0;
    const limiter = inFault(() => {
      failed += 1;
      return { outcome: 'Error', cause: 'ServerError', status: failed % 5 === 0 ? 503 : 500 };
    });
    const { evidence, measures, reading } = judged({ limiter });
    const within = podsOf(evidence).reduce((sum, pod) => sum + (pod.within['Error'] ?? 0), 0);
    expect(within).toBeGreaterThan(100);
    expect(measures['notAdmitted']).toBe(within);
    expect(measures['underLimit']).toBe(within);
    expect(measures['serverErrors']).toBeGreaterThan(0.7 * within);
    expect(found(evidence, 'Statuses')).toMatchObject({ statuses: [{ status: 500 }, { status: 503 }] });
    expect(reading.brokenAt).toBeGreaterThan(FROM);
  });

  it('is left open near the border of what is accepted', () => {
    // One of nine fails.
    let asked = 0;
    const limiter = inFault(({ take }) => {
      if (!take()) return 'Rejected';
      asked += 1;
      return asked % 9 === 0 ? 'Error' : 'Admitted';
    });
    const border = judged({ limiter });
    expect(namesOf(border.shortfalls)).toEqual(['NearBorderOfAccepted']);
    expect(border.reading.detectedAt).toBeUndefined();
    const both = judged({ limiter, storeOutage: { accept: ['Enforces', 'Mixed'] } });
    expect([both.shortfalls, both.reading.detectedAt]).toEqual([[], undefined]);
  });

  it('needs owed requests that were timed', () => {
    const limiter = inFault(({ take }) => ({ outcome: take() ? 'Admitted' : 'Rejected', tookMs: 1051 }));
    const { shortfalls } = judged({ limiter });
    expect(namesOf(shortfalls)).toEqual(expect.arrayContaining(['TooFewRequests', 'Untimed']));
  });

  it('shows that the limit holds only if every pod rejects callers that reach it', () => {
    const errs = inFault(({ pod, take }) => (take() ? 'Admitted' : pod === 2 ? 'Error' : 'Rejected'));
    const lenient = judged({ limiter: errs });
    expect(found(lenient.evidence, 'Reached')).toMatchObject({ isReached: false });
    expect(namesOf(lenient.shortfalls)).toContain('CrossingNotRejected');
    expect(found(judged().evidence, 'Reached')).toMatchObject({ isReached: true });
  });

  it('shows nothing if the limiter was not in order before', () => {
    const never: SimulatedOutage['limiter'] = () => 'Admitted';
    expect(namesOf(judged({ limiter: never }).shortfalls)).toContain('NotRejectedBefore');
    const early: SimulatedOutage['limiter'] = (asked) =>
      !asked.isControl && asked.at < 0 && asked.pod === 1 ? 'Error' : enforcing(asked);
    expect(namesOf(judged({ limiter: early }).shortfalls)).toEqual(
      expect.arrayContaining(['FailedBefore', 'NotRejectedBefore']),
    );
  });
});

describe('a pod that may be slow', () => {
  /** Some of the requests that need no limiter have no answer at the pod, from then on. */
  const slow =
    (from: number): SimulatedOutage['limiter'] =>
    (asked) => {
      if (!asked.isInFault || asked.pod !== 0) return enforcing(asked);
      if (asked.isControl)
        return asked.at >= from && Math.round(asked.at / 600) % 2 === 0 ? 'Timeout' : 'Admitted';
      return 'Timeout';
    };

  it('leaves it open whether its limiter hangs', () => {
    const { reading, shortfalls } = judged({ limiter: slow(0) });
    expect(reading.detectedAt).toBeUndefined();
    expect(found(shortfalls, 'ControlsUnanswered')).toMatchObject({ pods: [{ pod: 'api-0' }] });
  });

  it('is no excuse if callers had no answer first', () => {
    expect(judged({ limiter: slow(6000) }).reading.detectedAt).toBeDefined();
  });

  it('is no excuse if the path needs Redis itself', () => {
    const limiter: SimulatedOutage['limiter'] = (asked) => (asked.isInFault ? 'Timeout' : enforcing(asked));
    const { reading } = judged({ limiter });
    expect(reading).toMatchObject({ summary: 'Hangs', detectedAt: expect.any(Number) });
  });
});

describe('more than the limit', () => {
  it('is what the limiter really admitted over it to the caller with the most', () => {
    const admitted = new Map<string, number>();
    const limiter: SimulatedOutage['limiter'] = (asked) => {
      const answer = open(asked);
      if (answer === 'Admitted' && !asked.isControl && asked.at < 30_000)
        admitted.set(asked.key, (admitted.get(asked.key) ?? 0) + 1);
      return answer;
    };
    const { measures, reading } = judged({ limiter });
    expect(measures['overAdmission']).toBe(Math.max(...admitted.values()) - 10);
    expect(reading).toMatchObject({ detectedAt: expect.any(Number), provenAlone: true });
    expect(reading.brokenAt).toBeGreaterThan(FROM);
  });

  it('is of the pods that admitted it', () => {
    const limiter = inFault(({ pod, take }) => (pod === 2 ? 'Admitted' : decided(take())));
    const { evidence, reading } = judged({ limiter });
    expect(behavioursOf(evidence)).toEqual(['Enforces', 'Enforces', 'FailsOpen']);
    expect(reading.summary).toMatch(/^FailsOpen, \d+ of 10 in /);
  });

  it('is accepted with FailsOpen, but not before the fault', () => {
    const storeOutage = { accept: ['FailsOpen'] };
    expect(judged({ limiter: open, storeOutage }).reading.detectedAt).toBeUndefined();
    const early: SimulatedOutage['limiter'] = (asked) =>
      asked.at < -1000 && asked.at > -3000 ? 'Admitted' : open(asked);
    const { reading } = judged({ limiter: early, storeOutage });
    expect(reading).toMatchObject({ whenDetected: { measures: { overAdmission: expect.any(Number) } } });
    expect(reading.brokenAt).toBeLessThan(FROM);
  });

  it('counts if it was admitted after the caller had given up', () => {
    const late = (outcome: 'Admitted' | 'Rejected') =>
      inFault(() => ({ outcome: 'Timeout', late: { outcome, afterMs: 4000 } }));
    const accept = { accept: ['Hangs'] };
    const admitted = judged({ limiter: late('Admitted'), storeOutage: accept });
    expect(admitted.measures['overAdmission']).toBeGreaterThan(10);
    expect(admitted.reading.detectedAt).toBeDefined();
    const rejected = judged({ limiter: late('Rejected'), storeOutage: accept });
    expect([rejected.measures['overAdmission'], rejected.shortfalls]).toEqual([0, []]);
    const unknown = judged({ limiter: inFault(() => 'Timeout'), storeOutage: accept });
    expect(namesOf(unknown.shortfalls)).toEqual(['OutcomesUnknown']);
  });

  it('says how many callers were tested, and from which seed', () => {
    const { evidence } = judged({ seed: 7 });
    expect(found(evidence, 'DrawnFrom')).toMatchObject({ seed: 7 });
    expect(found(evidence, 'NotAdmittedOver')).toMatchObject({ unknown: 0 });
  });

  it('counts a caller as tested if its admissions alone would have been a violation', () => {
    const history = simulatedOutage({ limiter: enforcing, seed: 7 });
    const { evidence } = codesIn(judgeOf(history));
    const isIn = ({ sentAt }: CallerRequest): boolean => sentAt >= FROM && sentAt < TO;
    const endedAt = history.last('traffic-ended')?.at ?? 0;
    const isAfter = ({ sentAt }: CallerRequest): boolean => sentAt >= TO && sentAt < endedAt;
    const counts: Record<string, number> = {};
    for (const [key, own] of Map.groupBy(history.requests, (request) => request.key)) {
      const isSilent = !own.some(isIn);
      const used = own.filter((one) => one.outcome === 'Admitted' && one.endedAt <= FROM).length;
      const leaks: Change = (event) =>
        event.kind === 'request' && event.key === key && (isSilent ? isAfter(event) : isIn(event))
          ? [{ ...event, outcome: 'Admitted' }]
          : [event];
      if (codesIn(judgeOf(history, leaks)).measures['overAdmission'] === 0) continue;
      const kind = isSilent ? (used > 0 ? 'Back' : '-') : used === 0 ? 'New' : used < 10 ? 'Part' : 'All';
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    const { '-': _, ...tested } = counts;
    expect(testedIn(evidence)).toEqual({ ...tested, Later: expect.any(Number), Whole: 6 });
    expect(Object.keys(tested)).toHaveLength(4);
  });

  it('names the kinds of callers that were not tested', () => {
    const leave: Change = (event) =>
      'sentAt' in event && event.sentAt > FROM && event.sentAt < TO ? [] : [event];
    const { evidence } = codesIn(judgeOf(simulatedOutage({ limiter: enforcing }), leave));
    expect(testedIn(evidence)).toMatchObject({ New: 0, Part: 0, All: 0 });
    const accepted = judged({ limiter: open, storeOutage: { accept: ['FailsOpen'] } });
    expect(testedIn(accepted.evidence)).toEqual({ Later: expect.any(Number), Whole: expect.any(Number) });
  });
});

describe('after the fault', () => {
  const after =
    (answer: (asked: Asked) => Answer): SimulatedOutage['limiter'] =>
    (asked) =>
      asked.isControl || asked.at < 10_000 ? closed(asked) : answer(asked);
  const accept = { accept: ['FailsClosed'], settle: '3s' };
  const recovery = (answer: (asked: Asked) => Answer) =>
    judged({ limiter: after(answer), storeOutage: accept });

  it('callers are treated as before once every pod does, and that has a time', () => {
    const { measures, reading } = recovery(({ at, take }) => (at < 11_500 ? 'Error' : decided(take())));
    expect(measures['timeToRecovery']).toBeGreaterThan(1500);
    expect(measures['timeToRecovery']).toBeLessThan(2000);
    expect(reading.detectedAt).toBeUndefined();
  });

  it('what was admitted and not counted until then is no failure to recover', () => {
    const limiter: SimulatedOutage['limiter'] = (asked) =>
      asked.isControl || (asked.at > 0 && asked.at < 11_000) ? 'Admitted' : decided(asked.take());
    const { measures, reading } = judged({ limiter, storeOutage: { accept: ['FailsOpen'] } });
    expect(reading.detectedAt).toBeUndefined();
    expect(measures['timeToRecovery']).toBeGreaterThan(1000);
    expect(measures['timeToRecovery']).toBeLessThan(1700);
  });

  it.each<[string, (asked: Asked) => Answer, string]>([
    ['rejects what it owes', () => 'Rejected', 'fails'],
    ['fails', () => 'Error', 'fails'],
    ['accepts no connection', () => ({ outcome: 'Error', cause: 'Unreachable' }), 'gone'],
    ['admits callers over their limits', () => 'Admitted', 'admits'],
    ['errs for callers over their limits', ({ take }) => (take() ? 'Admitted' : 'Error'), 'errs'],
  ])('is not recovered from if one pod %s to the end', (_, answer, lapse) => {
    const { evidence, reading } = recovery((asked) =>
      asked.pod === 1 ? answer(asked) : decided(asked.take()),
    );
    expect(found(evidence, 'NotRecovered')).toMatchObject({ lapses: new Map([['api-1', lapse]]) });
    expect(reading).toMatchObject({ detectedAt: expect.any(Number), brokenAt: TO });
  });

  it('is left open if a few failed at the end', () => {
    const few = recovery((asked) =>
      asked.at > 13_600 && asked.at < 20_000 && oneIn(9, asked) ? 'Error' : decided(asked.take()),
    );
    expect(namesOf(few.shortfalls)).toEqual(['FailedToTheEnd']);
  });

  it('is not recovered from if one owed request is rejected in time to see it', () => {
    let rejected = 0;
    const { evidence, reading } = recovery(({ at, pod, take }) => {
      const isAdmitted = take();
      if (!isAdmitted || pod !== 2 || at < 14_000 || rejected > 0) return decided(isAdmitted);
      rejected += 1;
      return 'Rejected';
    });
    expect(found(evidence, 'NotRecovered')).toMatchObject({ lapses: new Map([['api-2', 'rejects']]) });
    expect(reading).toMatchObject({ summary: 'FailsClosed; no recovery in 3s', brokenAt: TO });
  });

  it('is no matter of windows that ended: those are limits that did not return', () => {
    // Its keys never expire, and windows of 24 s end while callers wait.
    const used = new Map<string, number>();
    const limiter: SimulatedOutage['limiter'] = ({ isControl, key }) => {
      if (isControl) return 'Admitted';
      used.set(key, (used.get(key) ?? 0) + 1);
      return decided((used.get(key) ?? 0) <= 10);
    };
    const { reading } = judged({ limit: { window: '24s', windowStart: 'Clock' }, limiter });
    expect(reading.summary).toBe('Enforces; limit not returned');
  });

  it('limits have to return, once it is known that they were owed', () => {
    const answered = (outcome: Answer) =>
      recovery(({ at, take }) => (at > 75_900 ? outcome : decided(take())));
    const returned = (given?: Given) => found(judged(given).evidence, 'Returned');
    expect(returned()).toMatchObject({ callers: expect.any(Number), whole: 6, most: 10 });
    expect(returned({ limit: { requests: 100 } })).toMatchObject({ whole: 0, most: 3 });
    expect(returned({ limit: { algorithm: 'TokenBucket' } })).toMatchObject({ whole: 0 });
    const kept = answered('Rejected');
    expect(kept.measures['lockedOut']).toBeGreaterThan(10);
    expect(found(kept.evidence, 'NotReturned')).toMatchObject({ got: { Admitted: 0 } });
    expect(kept.reading).toMatchObject({ summary: 'FailsClosed; limit not returned', brokenAt: TO });
    expect(namesOf(answered('Error').shortfalls)).toEqual(['ReturnUnclear']);
  });

  it.each([
    ['take too long to return', { limit: { window: '10m' } }],
    ['are not to be checked', { storeOutage: { limitReturn: 'Skip' } }],
  ])('limits that %s are not awaited', (_, given) => {
    const { evidence, reading } = judged(given);
    expect(found(evidence, 'ReturnNotChecked')).toMatchObject({ why: 'too long' });
    expect(reading).toMatchObject({ complete: true, shortfalls: [] });
  });
});

describe('requests that are counted later', () => {
  it('are those that a limit lacks when its caller is rejected', () => {
    const queued: (() => void)[] = [];
    const limiter: SimulatedOutage['limiter'] = (asked) => {
      if (!asked.isControl && asked.isInFault) {
        queued.push(() => void asked.take());
        return 'Error';
      }
      for (const count of queued.splice(0)) count();
      return enforcing(asked);
    };
    const accept = { accept: ['FailsClosed'] };
    expect(judged({ limiter, storeOutage: accept }).measures['overCounted']).toBeGreaterThan(10);
    expect(judged({ limiter: closed, storeOutage: accept }).measures['overCounted']).toBe(0);
  });
});

describe('pods that change', () => {
  const moved: Change = (event) => [event.kind === 'traffic-ended' ? { ...event, moved: ['api-0'] } : event];
  const atOne = (answer: Answer) => inFault(({ pod, take }) => (pod === 0 ? answer : decided(take())));

  it('break nothing by what their callers did not get, and leave a proof open', () => {
    const { reading, shortfalls } = judged({ limiter: atOne('Error') }, moved);
    expect(reading).toMatchObject({ summary: 'Enforces' });
    expect(found(shortfalls, 'PodsGone')).toMatchObject({ pods: ['api-0'] });
  });

  it('break the invariant by what they admitted over the limit', () => {
    expect(judged({ limiter: atOne('Admitted') }, moved).reading.detectedAt).toBeDefined();
  });

  it('leave nothing to judge if none is left', () => {
    const all: Change = (event) => [
      event.kind === 'traffic-ended' ? { ...event, moved: ['api-0', 'api-1', 'api-2'] } : event,
    ];
    expect(namesOf(judged({}, all).shortfalls)).toContain('NoPodLeft');
  });

  it('are named if they were restarted', () => {
    const restarted: Change = (event) =>
      event.kind === 'traffic-ended' ? [{ kind: 'restarted', at: TO, pods: ['api-0'] }, event] : [event];
    expect(found(judged({}, restarted).evidence, 'PodsRestarted')).toMatchObject({ pods: ['api-0'] });
  });
});

describe('the price of the fault', () => {
  const price = { accept: ['FailsClosed'], price: { memory: 2 } };
  /** Each of the first so many pods takes 50 MB before the fault, and so much in it. */
  const taking =
    (pods: number, inFault: number): Change =>
    (event) => {
      if (event.kind !== 'fault' || event.step !== 'Planned') return [event];
      const looks = [-1000, 1000].map((after): HistoryEvent[] => {
        const [at, bytes] = [FROM + after, (after < 0 ? 50 : inFault) * 1e6];
        const each = Array.from({ length: pods }, (_, i) => [`api-${i}`, { at, bytes }] as const);
        const usage = { open: 4, bytes: 1e6, made: 0 };
        return [
          { kind: 'probe', state: 'Connections', at, ...usage },
          { kind: 'memory', at, pods: Object.fromEntries(each) },
        ];
      });
      return [event, ...looks.flat()];
    };

  it('is reported, and violates nothing without a bound', () => {
    const given = { limiter: closed, storeOutage: { accept: ['FailsClosed'] } };
    const { evidence, reading } = judged(given, taking(3, 500));
    expect(reading).toMatchObject({ summary: 'FailsClosed', shortfalls: [] });
    expect(reading.detectedAt).toBeUndefined();
    expect(found(evidence, 'Price')).toMatchObject({ shown: [{ who: 'api-0', times: 10 }, {}, {}, {}] });
  });

  it('is Violated over its bound, at the start of the fault', () => {
    const { reading } = judged({ limiter: closed, storeOutage: price }, taking(3, 105));
    expect(reading).toMatchObject({ summary: 'FailsClosed; memory 210% > 200%', brokenAt: FROM });
    expect(Object.entries(reading.measures)[0]).toEqual(['memory', 210]);
    expect(reading).toMatchObject({ unit: '%', bounds: { memory: 200 } });
    const within = judged({ limiter: closed, storeOutage: price }, taking(3, 100)).reading;
    expect(within).toMatchObject({ summary: 'FailsClosed', shortfalls: [] });
  });

  it('is not known if a pod was not measured', () => {
    const { reading, shortfalls } = judged({ limiter: closed, storeOutage: price }, taking(2, 60));
    expect(reading.detectedAt).toBeUndefined();
    expect(shortfalls).toMatchObject([{ code: 'PriceUnknown', of: 'memory', unknown: ['api-2'] }]);
  });
});

describe('what is missing for a proof', () => {
  type Reported = EventOf<'fault'> & { step: 'Reported' };
  const reported =
    (change: (event: Reported) => Partial<Reported>): Change =>
    (event) => [event.kind === 'fault' && event.step === 'Reported' ? { ...event, ...change(event) } : event];
  const endedAt = (at: number): Change => reported(({ endedAt: known }) => (known ? { endedAt: at } : {}));
  const doubted: HistoryEvent = { kind: 'fault', step: 'Doubted', at: TO - 2000 };
  const after =
    (kind: HistoryEvent['kind'], more: HistoryEvent): Change =>
    (event) =>
      event.kind === kind ? [event, more] : [event];

  it.each<[string, Change, string[]]>([
    ['events were dropped', after('return', { kind: 'dropped', events: 3 }), ['EventsDropped']],
    ['requests were left out', after('return', { kind: 'left-out', requests: 3 }), ['LeftOut']],
    ['the fault was not proven', reported(() => ({ proof: 'Inconclusive' })), ['FaultUnproven']],
    ['it ended early', endedAt(TO - EARLY_MS - 1), ['EndedEarly']],
    ['that is within the tolerance', endedAt(TO - EARLY_MS), []],
    ['it may have ended', after('return', doubted), ['FaultDoubtful']],
  ])('if %s', (_, change, missing) => {
    const held = judged({}, change);
    expect(namesOf(held.shortfalls)).toEqual(missing);
    expect(held.reading.detectedAt).toBeUndefined();
    // It depends on nothing but requests, responses and the bound.
    const over = judged({ limiter: open }, change);
    expect(over.reading).toMatchObject({ detectedAt: expect.any(Number), provenAlone: true });
  });

  it('is all but over-admission if the start of the fault is not known', () => {
    const unseen: Change = (event) => {
      if (event.kind !== 'fault' || event.step !== 'Reported') return [event];
      const { endedAt: _, startedAt: __, ...rest } = event;
      return [{ ...rest, proof: 'Inconclusive' }];
    };
    const closing = judged({ limiter: closed }, unseen);
    expect(closing.reading).toMatchObject({ measures: {}, evidence: [], complete: true });
    expect(closing.reading.detectedAt).toBeUndefined();
    expect(judged({ limiter: open }, unseen).reading).toMatchObject({
      provenAlone: true,
      measures: { overAdmission: expect.any(Number) },
    });
    const accepted = judged({ limiter: open, storeOutage: { accept: ['FailsOpen'] } }, unseen);
    expect(accepted.reading.detectedAt).toBeUndefined();
  });

  it('is everything before all requests are answered', () => {
    const unfinished: Change = (event) =>
      ['traffic-ended', 'return', 'ended'].includes(event.kind) ? [] : [event];
    const { reading } = judged({ limiter: open }, unfinished);
    expect([reading.detectedAt, reading.complete]).toEqual([undefined, false]);
  });
});

describe('in the fault, before anything is judged', () => {
  const untilHalf: Change = (event) => {
    const at = 'endedAt' in event ? event.endedAt : 'at' in event ? event.at : undefined;
    return (at ?? FROM) > FROM + 5000 ? [] : [event];
  };
  /** What is shown halfway. */
  const soFar = (limiter: SimulatedOutage['limiter']) => judged({ limiter }, untilHalf).reading;

  it('shows what callers got so far', () => {
    const stalled = soFar(inFault(() => 'Timeout'));
    expect(stalled).toMatchObject({ measures: {}, summary: expect.stringMatching(/^(\d+) of \1 not/) });
    // Of four seconds, since callers wait for one.
    expect(Number.parseInt(stalled.summary, 10)).toBeGreaterThan(20);
    expect(soFar(enforcing).summary).toMatch(/^0 of \d+ not/);
    expect(soFar(open)).toMatchObject({ figure: expect.stringMatching(/ of 10 in /) });
  });
});

describe('a limiter whose Redis lost the counts', () => {
  const lost: Change = (event) =>
    event.kind === 'fault' && event.step === 'Reported' && event.endedAt === undefined
      ? [event, { kind: 'fault', step: 'CountsLost', at: FROM + 50, keys: 20, total: 100 }]
      : [event];
  const since =
    (answer: (asked: Asked) => Answer): SimulatedOutage['limiter'] =>
    (asked) =>
      asked.isControl || asked.at < 0 ? enforcing(asked) : answer(asked);
  const forgets = since(({ key, take }) => decided(take(`again ${key}`)));

  it('forgets if it admits the limit once more, and no more', () => {
    const { measures, reading } = judged({ limiter: forgets }, lost);
    expect(reading.summary).toMatch(/^Forgets, 20 of 10 /);
    expect(measures['overAdmission']).toBe(10);
    expect(reading.detectedAt).toBeDefined();
  });

  it('may do so if that is accepted, and not admit more', () => {
    const storeOutage = { fault: { type: 'DataLoss', duration: '10s' }, accept: ['Enforces', 'Forgets'] };
    expect(judged({ limiter: forgets, storeOutage }, lost).reading.detectedAt).toBeUndefined();
    const limiter = since(({ at }) => (at < 10_000 ? 'Admitted' : 'Rejected'));
    const more = judged({ limiter, storeOutage }, lost);
    expect(more.reading.summary).toMatch(/^FailsOpen/);
    expect(more.reading.detectedAt).toBeDefined();
  });

  it('has to reject a caller again', () => {
    const admitted = new Map<string, number>();
    const limiter = since(({ key }) => {
      admitted.set(key, (admitted.get(key) ?? 0) + 1);
      return (admitted.get(key) ?? 0) <= 10 ? 'Admitted' : 'Error';
    });
    expect(namesOf(judged({ limiter }, lost).shortfalls)).toContain('NotRejectedAgain');
  });
});

describe('one caller that makes all requests', () => {
  const one: Given = { identity: 'SourceAddress', limit: { requests: 60 } };

  it('holds if the limit is kept', () => {
    // The control is not part of this history.
    const { reading, shortfalls } = judged(one);
    expect(reading.summary).toBe('Enforces');
    expect(namesOf(shortfalls)).toEqual(['NotRejectedBefore']);
    expect(reading.detectedAt).toBeUndefined();
  });

  it('fails open if more gets through', () => {
    expect(judged({ ...one, limiter: open }).reading.summary).toMatch(/^FailsOpen, \d+ of 60 in /);
  });

  it.each([
    ['Timeout', 'Hangs'],
    ['Error', 'FailsClosed'],
  ] as const)('by its first requests: %s', (outcome, word) => {
    const { summary } = judged({ ...one, limiter: inFault(() => outcome) }).reading;
    expect(summary).toMatch(new RegExp(`^${word}`));
  });
});
