import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InvariantReading } from '../../../../demo/observed.ts';
import type { CallerRequest, Got } from '../../interfaces/caller-request.ts';
import { BEHAVIOURS, type Behaviour } from './behaviour.ts';
import { OutageRecord } from './outage-record.ts';
import { seenInvariant } from './seen-invariant.ts';

const nodes = ['a', 'b'];
const limit = { algorithm: 'FixedWindow', requests: 4, windowMs: 60_000, start: 'FirstRequest' } as const;
const times = { startedAt: 10_000, endedAt: 15_000, until: 15_000 };

function recordOf(
  within: Got,
  beyond: Got,
  accept: readonly Behaviour[] = ['Holds'],
  beyondAfter: readonly Got[] = [],
): OutageRecord {
  const record = new OutageRecord({ nodes, limit, callerTimeoutMs: 1000, firstSentAt: 0 }, accept);
  const add = (caller: CallerRequest['caller'], got: Got, count: number, from: number): void => {
    for (const node of nodes) {
      for (let i = 0; i < count; i += 1) {
        const sentAt = from + i * 100;
        record.add({ node, caller, got, sentAt, endedAt: sentAt + (got === 'Unanswered' ? 1000 : 20) });
      }
    }
  };
  add('Beyond', 'Admitted', 2, 0);
  add('Beyond', 'Denied', 2, 1000);
  add('Within', 'Admitted', 5, 2000);
  add('Within', within, 10, 10_100);
  add('Beyond', beyond, 10, 10_100);
  if (within === 'Unanswered') {
    // The end of the pause answers these.
    for (const node of nodes) {
      record.add({ node, caller: 'Within', got: 'Admitted', sentAt: 14_300, endedAt: 15_000 });
    }
  }
  add('Within', 'Admitted', 5, 15_500);
  for (const [i, got] of beyondAfter.entries()) add('Beyond', got, 1, 15_500 + i * 100);
  return record;
}

const measureOf = (reading: InvariantReading, name: string): number | undefined =>
  reading.measures.find((measure) => measure.name === name)?.value;

describe('the invariant of a store outage', () => {
  it('is broken by what is not accepted, from the first caller that got it', () => {
    const reading = recordOf('Unanswered', 'Unanswered').reading(times, 17_000);
    expect(reading).toMatchObject({ summary: 'Hangs', brokenAt: 11_100, detectedAt: 17_000, shortfalls: [] });
    const names = ['notServed', 'withinLimit', 'overAdmission', 'wellAfter'];
    expect(names.map((name) => measureOf(reading, name))).toEqual([20, 20, 0, 520]);
  });

  it('tells of each node what its callers got, and nothing that did not come', () => {
    const { evidence } = recordOf('Failed', 'Denied').reading(times, 17_000);
    expect(evidence).toContain(
      'a FailsClosed: within the limit 0 admitted, 10 failed; beyond it 0 admitted, 10 denied; coming to it 0 admitted',
    );
    expect(evidence).toContain('After the pause callers within their limit got 10 admitted');
  });

  describe('where a caller comes to its limit in the pause', () => {
    /** At each node two are let through before any other is, as the limit of four has it, or more by each. */
    const reaching = (admittedByEach: number, denied: number) => {
      const record = recordOf('Admitted', 'Denied');
      for (const [n, node] of nodes.entries()) {
        for (let i = 0; i < admittedByEach + denied; i += 1) {
          const got = i < admittedByEach ? 'Admitted' : 'Denied';
          const sentAt = 10_200 + i * 100 + n;
          record.add({ node, caller: 'Reaching', got, sentAt, endedAt: sentAt + 20 });
        }
      }
      return record;
    };

    it('holds where every node then denies it, and says what it got', () => {
      const { detectedAt, evidence, summary } = reaching(2, 3).reading(times, 17_000);
      expect([summary, detectedAt]).toEqual(['Holds', undefined]);
      expect(evidence[0]).toMatch(/coming to it 2 admitted, 3 denied$/);
      expect(evidence).toContain(
        'A caller that came to its limit in the pause was then denied by every node',
      );
    });

    it('is broken by what that one is let through beyond it, though the one that had used its limit up is denied', () => {
      const record = reaching(4, 2);
      const reading = record.reading(times, 17_000);
      expect(reading).toMatchObject({ summary: 'FailsOpen, 8 > 4', detectedAt: 17_000, brokenAt: 10_420 });
      expect(measureOf(reading, 'overAdmission')).toBe(4);
      expect(reading.evidence).toContainEqual(
        expect.stringMatching(
          /^Beyond the limit, of a caller that came to it in the pause: 8 admitted within \d+ ms, where 4 are/,
        ),
      );
      const { formula, values } = seenInvariant(reading, ['Holds'], record.excess(times));
      expect(formula).toContain("a new caller's allowed - allowed <= 0");
      expect(values.slice(2)).toEqual([
        { name: 'sum(requests-allowed) - allowed', value: 0 },
        { name: "a new caller's allowed - allowed", value: 4 },
      ]);
    });

    it('does not tell what it gets where it was not denied by every node', () => {
      const line =
        'No caller was seen to be denied by every node as it came to its limit in the pause: what such a one gets is not told';
      expect(reaching(2, 0).reading(times, 17_000).evidence).toContain(line);
      expect(recordOf('Admitted', 'Denied').reading(times, 17_000).evidence).toContain(line);
      expect(recordOf('Admitted', 'Admitted').reading(times, 17_000).evidence).not.toContain(line);
    });
  });

  it('is broken by more than the limit, and says how much more', () => {
    const reading = recordOf('Admitted', 'Admitted').reading(times, 17_000);
    expect(reading).toMatchObject({ summary: 'FailsOpen, 24 > 4', detectedAt: 17_000 });
    // Said as what was broken.
    expect(reading.measures[0]).toEqual({ name: 'overAdmission', value: 20, unit: 'requests' });
    const accepted = recordOf('Admitted', 'Admitted', ['FailsOpen']).reading(times, 17_000);
    expect(accepted.measures[0]).toMatchObject({ name: 'notServed' });
  });

  it.each<[string, Got, readonly Behaviour[]]>([
    ['FailsClosed', 'Denied', ['Holds', 'FailsClosed']],
    ['Hangs', 'Unanswered', ['Hangs', 'Mixed']],
  ])(
    'is broken by more than the limit though %s is accepted, from the first beyond it',
    (word, within, accept) => {
      const reading = recordOf(within, 'Admitted', accept).reading(times, 17_000);
      expect(reading).toMatchObject({
        summary: `${word}, 24 > 4`,
        detectedAt: 17_000,
        brokenAt: 10_120,
        shortfalls: [],
      });
      expect(reading.evidence.join('\n')).toMatch(
        /24 admitted within 11020 ms, where 4 are the most; not accepted, since accept does not name FailsOpen/,
      );
      const accepted = recordOf(within, 'Admitted', [...accept, 'FailsOpen']).reading(times, 17_000);
      expect(accepted.detectedAt).toBeUndefined();
      expect(accepted.evidence.join()).not.toContain('not accepted');
    },
  );

  it('is kept just where what callers get is accepted, and no more than the limit unless FailsOpen is', () => {
    const got = fc.constantFrom<Got>('Admitted', 'Denied', 'Failed', 'Unanswered');
    const accept = fc.subarray([...BEHAVIOURS], { minLength: 1 });
    fc.assert(
      fc.property(got, got, accept, (within, beyond, accepted) => {
        const record = recordOf(within, beyond, accepted);
        const reading = record.reading(times, 17_000);
        const [word, excess] = [reading.summary.split(',')[0], measureOf(reading, 'overAdmission') ?? 0];
        const kept =
          accepted.some((each) => each === word) && (excess === 0 || accepted.includes('FailsOpen'));
        expect(reading.shortfalls).toEqual([]);
        expect(reading.detectedAt === undefined).toBe(kept);
        expect(reading.brokenAt === undefined).toBe(kept);
        if (!kept) expect(reading.brokenAt).toBeGreaterThanOrEqual(times.startedAt);
        // What a diagnosis is given says the same.
        const { broken, formula, values } = seenInvariant(reading, accepted, record.excess(times));
        const valueIn = (name: string): number => values.find((value) => value.name === name)?.value ?? 0;
        const served = valueIn('others-allowed') >= 0.9 * valueIn('others-sent');
        const isOver = valueIn('sum(requests-allowed) - allowed') > 0;
        expect(broken).toBe(!kept);
        if (kept && formula.includes('others-allowed >= 0.9')) expect(served).toBe(true);
        if (formula.includes('- allowed <= 0') && isOver) expect(broken).toBe(true);
      }),
    );
  });

  describe('where the limit is not kept right after the pause', () => {
    const after = ['Admitted', 'Admitted', 'Denied'] as const;

    it('is not said to be kept by what callers got in it', () => {
      const reading = recordOf('Denied', 'Denied', ['FailsClosed'], after).reading(times, 17_000);
      expect(reading.shortfalls).toEqual([
        'after the pause the caller beyond its limit was let through 4 times more than the limit allows: it is not kept then, or subject.rateLimiter.limit is another',
      ]);
      expect(reading.detectedAt).toBeUndefined();
      expect(measureOf(reading, 'overAdmission')).toBe(0);
      expect(reading.evidence).toContain(
        'After the pause callers within their limit got 10 admitted; the one beyond it got 4 admitted, 2 denied, 4 more than the limit allows',
      );
    });

    it('is broken all the same by what is not accepted', () => {
      const reading = recordOf('Denied', 'Denied', ['Holds'], after).reading(times, 17_000);
      expect(reading).toMatchObject({ detectedAt: 17_000, shortfalls: [] });
    });

    it('is kept where more than the limit is accepted', () => {
      const reading = recordOf('Admitted', 'Admitted', ['FailsOpen'], after).reading(times, 17_000);
      expect(reading.shortfalls).toEqual([]);
      expect(reading.detectedAt).toBeUndefined();
    });

    it('counts callers as served as before only once the one beyond it is denied', () => {
      const wellAfter = (got: readonly Got[]): number | undefined =>
        measureOf(recordOf('Admitted', 'Admitted', ['FailsOpen'], got).reading(times, 17_000), 'wellAfter');
      expect(wellAfter(['Denied', 'Denied', 'Denied'])).toBe(520);
      expect(wellAfter(after)).toBe(720);
      expect(wellAfter(['Denied', 'Admitted', 'Admitted'])).toBeUndefined();
    });
  });

  describe('where a node was deleted meanwhile', () => {
    /** From the midst of the pause on a node gives no answer any more. */
    const withGone = (accept: readonly Behaviour[], got: Got = 'Admitted') => {
      const record = recordOf(got, 'Denied', accept);
      for (let sentAt = 12_000; sentAt < 13_000; sentAt += 100) {
        record.add({
          node: 'b',
          caller: 'Within',
          got: 'Failed',
          sentAt,
          endedAt: sentAt + 1,
          unheard: true,
        });
      }
      return record;
    };

    it('is not broken by what its callers did not get, and not proven to hold either', () => {
      const record = withGone(['Holds']);
      expect(record.reading(times, 17_000)).toMatchObject({ summary: 'Mixed', detectedAt: 17_000 });
      record.setAside(['b', 'another']);
      const reading = record.reading(times, 17_000);
      expect(reading).toMatchObject({
        summary: 'Holds',
        shortfalls: [
          'b was deleted or made anew meanwhile, and what callers did not get there may be of that',
        ],
      });
      expect(reading.detectedAt).toBeUndefined();
      expect(['notServed', 'withinLimit'].map((name) => measureOf(reading, name))).toEqual([0, 10]);
      expect(reading.evidence).toContain(
        'b was deleted or made anew meanwhile: what else happened there is not told',
      );
    });

    it('is broken by what the callers of another did not get', () => {
      const record = withGone(['Holds'], 'Denied');
      record.setAside(['b']);
      expect(record.reading(times, 17_000)).toMatchObject({ summary: 'FailsClosed', detectedAt: 17_000 });
    });

    it('is broken by what that one let through beyond the limit', () => {
      const record = recordOf('Admitted', 'Denied');
      for (let i = 0; i < 5; i += 1) {
        const sentAt = 12_000 + i;
        record.add({ node: 'b', caller: 'Beyond', got: 'Admitted', sentAt, endedAt: sentAt + 1 });
      }
      record.setAside(['b']);
      const reading = record.reading(times, 17_000);
      expect(reading).toMatchObject({ summary: 'Holds, 9 > 4', detectedAt: 17_000 });
    });

    it('is not judged where none was left', () => {
      const record = withGone(['Holds']);
      record.setAside(nodes);
      const reading = record.reading(times, 17_000);
      expect(reading.shortfalls).toContain('no node was there to the end');
      expect(reading.detectedAt).toBeUndefined();
    });
  });

  it('is kept by what is accepted', () => {
    const reading = recordOf('Denied', 'Denied', ['Holds', 'FailsClosed']).reading(times, 17_000);
    expect(reading).toMatchObject({ summary: 'FailsClosed', shortfalls: [], complete: true });
    expect(reading.detectedAt).toBeUndefined();
  });

  it('tells how long answers took before, during and after the pause', () => {
    const reading = recordOf('Denied', 'Denied').reading(times, 17_000);
    const names = ['latencyBefore', 'latencyDuring', 'latencyAfter'];
    expect(names.map((name) => measureOf(reading, name))).toEqual([20, 20, 20]);
    expect(reading.evidence).toContain(
      'Answers took 20.0 ms (slowest 20 ms) before the pause, 20.0 ms (slowest 20 ms) during it, 20.0 ms (slowest 20 ms) after it',
    );
  });

  it('takes no answer that the end of the pause gave for one of the pause', () => {
    const reading = recordOf('Unanswered', 'Unanswered').reading(times, 17_000);
    expect(measureOf(reading, 'latencyDuring')).toBeUndefined();
    expect(measureOf(reading, 'latencyAfter')).toBe(20);
    expect(reading.evidence).toContain(
      'Answers took 20.0 ms (slowest 20 ms) before the pause, 20.0 ms (slowest 20 ms) after it; during it nobody was answered in time',
    );
  });

  it('says how many answers came in time where some did not', () => {
    const reading = recordOf('Unanswered', 'Denied').reading(times, 17_000);
    expect(reading.evidence.join()).toContain('20.0 ms (slowest 20 ms; 20 of 40 came in time) during it');
  });

  it('is not judged before the last callers have their answers', () => {
    expect(recordOf('Denied', 'Denied').reading(times, undefined)).toMatchObject({ complete: false });
    expect(recordOf('Denied', 'Denied').reading(times, undefined).detectedAt).toBeUndefined();
  });

  it.each([
    ['the end was not seen', { startedAt: 10_000, until: 15_000 }, 'the end of the fault was not seen'],
    ['the pause ended early', { ...times, endedAt: 12_000 }, '3000 ms before its time'],
    [
      'what felt it was lost',
      { ...times, doubtfulFrom: 12_000 },
      'whether Redis was still paused is not known',
    ],
  ])('proves nothing where %s', (_, seen, missing) => {
    const reading = recordOf('Denied', 'Denied').reading(seen, 17_000);
    expect(reading.shortfalls.join()).toContain(missing);
    expect(reading.detectedAt).toBeUndefined();
  });
});
