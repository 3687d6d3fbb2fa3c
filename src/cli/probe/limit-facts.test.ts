import { describe, expect, it } from 'vitest';
import { isWindowOpen, limitFrom, type Shown } from './limit-facts.ts';
import type { ProbeOptions } from './options.ts';

function facts(shown: Partial<Shown>, options: Partial<ProbeOptions> = {}) {
  const complete: Shown = { requests: 20, source: 'measured', quota: {}, ...shown };
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
    ['two returns', { measured: { windowSeconds: 7 } }, {}, '7s', 'measured'],
    [
      'two returns rather than a reset',
      { quota: { resetSeconds: 17 }, measured: { windowSeconds: 60 } },
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
    const shown: Shown = { requests: 20, source: 'measured', quota: { policies } };
    const [limit] = limitFrom(shown, {}).findings;
    expect(limit?.because).toMatch(/^20 requests, .*100 in 10s$/);
  });

  it.each<[string, Partial<Shown>, Partial<ProbeOptions>, string, object]>([
    ['is left to the run', {}, {}, 'not known', {}],
    [
      'is a measured bucket',
      { measured: { bucketSeconds: 60 } },
      {},
      'measured',
      { algorithm: 'TokenBucket' },
    ],
    ['is as given', {}, { algorithm: 'SlidingWindow' }, 'given', { algorithm: 'SlidingWindow' }],
    [
      'is a bucket if its steps are given',
      {},
      { refill: '1s' },
      'given',
      { algorithm: 'TokenBucket', refillEvery: '1s' },
    ],
    [
      'is as given, not as a bucket',
      { measured: { bucketSeconds: 60 } },
      { algorithm: 'FixedWindow' },
      'given',
      { algorithm: 'FixedWindow' },
    ],
    ['starts as given', {}, { windowStart: 'Clock' }, 'given', { windowStart: 'Clock' }],
  ])('the algorithm of an API %s', (_, shown, options, source, counting) => {
    const { requests: _r, sources, window: _w, ...found } = facts(shown, options);
    expect([sources['algorithm'], found]).toEqual([source, counting]);
  });
});

it.each([
  ['no header shows one', {}, {}, true],
  ['a reset may be the rest of it', {}, { resetSeconds: 17 }, true],
  ['a reset is longer than is measured', {}, { resetSeconds: 840 }, false],
  ['a policy has it', {}, { windowSeconds: 30 }, false],
  ['it is given', { window: '30s' }, {}, false],
])('whether a window is measured if %s', (_, given, quota, isOpen) => {
  expect(isWindowOpen(given, quota)).toBe(isOpen);
});
