import { describe, expect, it } from 'vitest';
import { limitFrom, type Shown } from './limit-facts.ts';
import type { ProbeOptions } from './options.ts';

/** 17 s after the begin of a minute. */
const AT = 1_800_000_017_000;

function facts(shown: Partial<Shown>, options: Partial<ProbeOptions> = {}) {
  const complete: Shown = { requests: 20, source: 'measured', quota: {}, firstAt: AT, ...shown };
  const { findings, limit } = limitFrom(complete, options);
  const sources = Object.fromEntries(findings.map(({ source, what }) => [what, source]));
  return { ...limit, sources };
}

describe('the limit of an API', () => {
  it.each<[string, Partial<Shown>, Partial<ProbeOptions>, string, string]>([
    ['the option', { quota: { windowSeconds: 30 } }, { window: '5s' }, '5s', 'given'],
    ['the policy', { quota: { windowSeconds: 30, resetSeconds: 3 } }, {}, '30s', 'found'],
    ['no policy of a day', { quota: { windowSeconds: 86_400 } }, {}, '60s', 'not known'],
    ['the reset, rounded up', { quota: { resetSeconds: 57.5 } }, {}, '60s', 'guess'],
    ['the reset, with a second more', { quota: { resetSeconds: 61 } }, {}, '60s', 'guess'],
    ['two returns', { measured: { window: { seconds: 7, start: 'Clock' } } }, {}, '7s', 'measured'],
    [
      'two returns rather than a reset',
      { quota: { resetSeconds: 17 }, measured: { window: { seconds: 60, start: 'Clock' } } },
      {},
      '60s',
      'measured',
    ],
    ['one request of a bucket', { measured: { bucketSeconds: 61 } }, {}, '60s', 'measured'],
    ['one request that came at an unusual time', { measured: { bucketSeconds: 62 } }, {}, '60s', 'guess'],
    ['nothing', { measured: {} }, {}, '60s', 'not known'],
  ])('has its window by %s', (_, shown, options, window, source) => {
    expect(facts(shown, options)).toMatchObject({ window, sources: { window: source } });
  });

  it('names the limits that headers report next to the one that is tested', () => {
    const policies = [20, 100].map((q) => ({ q, w: q / 10 }));
    const shown: Shown = { requests: 20, source: 'measured', quota: { policies }, firstAt: AT };
    const [limit] = limitFrom(shown, {}).findings;
    expect(limit?.because).toMatch(/^20 requests, .*100 in 10s$/);
  });

  const fixed = ['FixedWindow', 'Unknown'] as const;
  const minute = (resetSeconds: number) => ({ quota: { windowSeconds: 60, resetSeconds } });
  it.each<[string, Partial<Shown>, Partial<ProbeOptions>, string, string?, string?]>([
    ['is not known without a header', {}, {}, 'not known', ...fixed],
    ['is a guess with a limit of one', { requests: 1 }, {}, 'guess', ...fixed],
    ['is a measured bucket', { measured: { bucketSeconds: 60 } }, {}, 'measured', 'TokenBucket'],
    [
      'is by the clock if a new caller has the rest of a minute',
      minute(43),
      {},
      'guess',
      'FixedWindow',
      'Clock',
    ],
    ['is not by the clock with a whole minute', minute(60), {}, 'not known', 'FixedWindow', 'FirstRequest'],
    [
      'has an unknown start at the end of a minute',
      { ...minute(60), firstAt: AT - 18_000 },
      {},
      'not known',
      ...fixed,
    ],
    ...(
      [
        ['is by the clock if others have the same left', 43, 'Clock'],
        ['has an unknown start if another caller has its own', 20, 'Unknown'],
        ['has an unknown start if another caller has a whole window', 60, 'Unknown'],
      ] as const
    ).map(
      ([name, resetSeconds, start]): [
        string,
        Partial<Shown>,
        Partial<ProbeOptions>,
        string,
        string,
        string,
      ] => {
        const quota = { windowSeconds: 60, resetSeconds: 43 };
        const others = [quota, { ...quota, resetSeconds }].map((each) => ({ quota: each, firstAt: AT }));
        return [name, { quota, others }, {}, start === 'Clock' ? 'guess' : 'not known', 'FixedWindow', start];
      },
    ),
    ...(['FirstRequest', 'Clock', 'Unknown'] as const).map(
      (start): [string, Partial<Shown>, Partial<ProbeOptions>, string, string, string] => [
        `has the measured start ${start}`,
        { measured: { window: { seconds: 60, start } } },
        {},
        start === 'Clock' ? 'measured' : 'not known',
        'FixedWindow',
        start,
      ],
    ),
    ['is as given', {}, { algorithm: 'SlidingWindow' }, 'given', 'SlidingWindow'],
    ['is a bucket if its steps are given', {}, { refill: '1s' }, 'given', 'TokenBucket'],
    [
      'is as given, not as a bucket',
      { measured: { bucketSeconds: 60 } },
      { algorithm: 'FixedWindow' },
      'given',
      ...fixed,
    ],
    ['starts as given', {}, { windowStart: 'Clock' }, 'given', 'FixedWindow', 'Clock'],
  ])('%s', (_, shown, options, source, algorithm, windowStart) => {
    const found = facts(shown, options);
    expect([found.sources['algorithm'], found.algorithm, found.windowStart]).toEqual([
      source,
      algorithm,
      windowStart,
    ]);
  });
});
