import { describe, expect, it } from 'vitest';
import { applying, type Code } from './checker.ts';
import { price } from './price.ts';
import { type Seen, seenFold } from './seen.ts';

const START = 10_000;
const END = 14_000;
const MB = 1e6;

interface Given {
  readonly times?: Partial<Seen['times']>;
  /** Megabytes of each pod, at the same times. */
  readonly pods?: Readonly<Record<string, readonly number[]>>;
  readonly bounds?: NonNullable<Seen['setup']['plan']['price']>;
}

/** With so many connections open and megabytes in use, one look each half a second from 1 s before the fault on. */
function judged(open: readonly number[], given: Given = {}) {
  const { bounds, pods = {}, times = { startedAt: START, endedAt: END } } = given;
  const at = (i: number): number => START - 1000 + 500 * i;
  const setup = { pods: ['api-0', 'api-1'], plan: { lingerMs: 0, failsOver: false, price: bounds } };
  let seen: Seen = { ...seenFold.init(setup), times: { until: END, ...times } };
  for (const [i, count] of open.entries()) {
    const taken = { open: count, bytes: MB * count, made: count };
    seen = seenFold.step(seen, { kind: 'probe', state: 'Connections', at: at(i), ...taken });
  }
  for (const [pod, all] of Object.entries(pods)) {
    for (const [i, count] of all.entries()) {
      const measured = { [pod]: { at: at(i), bytes: MB * count } };
      seen = seenFold.step(seen, { kind: 'memory', at: END + 9000, pods: measured });
    }
  }
  return { seen, finding: price.finding(seen) };
}

const found = (...of: Parameters<typeof judged>): Code[] => applying<Code>(judged(...of).finding.evidence);
const shown = (codes: readonly Code[]): unknown => codes.find(({ code }) => code === 'Price');
const growing = (codes: readonly Code[]): Code[] => codes.filter(({ code }) => code === 'Grows');
const ofRedis = { who: 'Redis', grows: false };

describe('the price of a fault', () => {
  it('compares the most in it with the most before', () => {
    expect(found([3, 4, 9, 5])).toEqual([
      {
        code: 'Price',
        shown: [
          { ...ofRedis, of: 'connections', before: 4, during: 9, times: 2.25 },
          { ...ofRedis, of: 'memory', before: 4 * MB, during: 9 * MB, times: 2.25 },
        ],
      },
    ]);
  });

  it('leaves out what comes long after it', () => {
    const times = { startedAt: START, endedAt: START + 1 };
    const during = expect.arrayContaining([expect.objectContaining({ of: 'connections', during: 4 })]);
    expect(shown(found([3, 3, 4, 4], { times }))).toMatchObject({ shown: during });
    expect(shown(found([3, 3, 4, 4, 4, 99], { times }))).toMatchObject({ shown: during });
  });

  it.each([
    ['that grow in both halves of it', [4, 4, 6, 8, 10, 12, 14, 16, 18, 20], true],
    ['that are made at its start', [4, 4, 20, 20, 20, 20, 20, 20, 20, 20], false],
    ['that do not reach three times as many', [4, 4, 5, 6, 7, 8, 9, 10, 11, 11], false],
  ])('names connections and memory %s', (_, open, grows) => {
    const named = ['connections', 'memory'].map((of) => ({ code: 'Grows', of, who: ['Redis'] }));
    expect(growing(found(open))).toEqual(grows ? named : []);
  });

  it('shows the pod whose memory grew most, and names each that grows', () => {
    const pods = { 'api-0': [50, 50, 80, 160], 'api-1': [50, 50, 90, 200], other: [1, 1, 50, 90] };
    const codes = found([4, 4, 4, 4], { pods });
    expect(shown(codes)).toMatchObject({
      shown: [
        { of: 'memory', who: 'api-1', before: 50 * MB, during: 200 * MB, times: 4 },
        { who: 'Redis' },
        { who: 'Redis' },
      ],
    });
    expect(growing(codes)).toEqual([{ code: 'Grows', of: 'memory', who: ['api-1', 'api-0'] }]);
  });

  it('counts requests that had no response and were not given up', () => {
    const { seen } = judged([4, 4, 4]);
    const sent = (sentAt: number, endedAt: number): void =>
      void seen.requests.push({ pod: 'api-0', caller: 'Drawn', sentAt, endedAt, outcome: 'Timeout' });
    sent(START - 20, START - 10);
    sent(START - 10, START - 5);
    for (const late of [0, 10, 20]) sent(START + late, START + 100);
    sent(START + 100, START + 200);
    expect(shown(applying<Code>(price.finding(seen).evidence))).toMatchObject({
      shown: [{ of: 'open requests', before: 1, during: 3, times: 3 }, {}, {}],
    });
  });

  it('is violated over its bound, which the measure has first', () => {
    const pods = { 'api-0': [50, 50, 60, 60], 'api-1': [50, 50, 120, 110] };
    const of = (memory: number) => judged([4, 4, 8, 8], { pods, bounds: { connections: 3, memory } }).finding;
    const measures = { memory: 240, connections: 200 };
    expect(of(2.4)).toMatchObject({ isBroken: false, measures, bounds: { memory: 240, connections: 300 } });
    expect(Object.keys(of(2.4).measures)).toEqual(['memory', 'connections']);
    expect(of(2.3)).toMatchObject({
      isBroken: true,
      brokenAt: START,
      summary: { code: 'OverPrice', of: 'memory', value: 240, bound: 230 },
      measures,
    });
  });

  it('is incomplete if a figure with a bound is not known', () => {
    const missing = (...of: Parameters<typeof judged>): Code[] =>
      applying<Code>(judged(...of).finding.missing);
    const pods = { 'api-0': [50, 50, 60] };
    const bounds = { connections: 3, memory: 2 };
    expect(missing([4, 4, 4], { pods, bounds })).toMatchObject([
      { code: 'PriceUnknown', of: 'memory', unknown: ['api-1'] },
    ]);
    expect(missing([4, 4], { bounds })).toMatchObject([{ unknown: ['Redis'] }, {}]);
    expect(missing([4, 4])).toEqual([]);
  });

  it('is unknown without a look before or in it', () => {
    expect(found([])).toEqual([]);
    expect(found([4, 4])).toEqual([]);
    expect(found([4, 4, 4], { times: {} })).toEqual([]);
  });
});
