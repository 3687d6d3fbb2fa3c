import { describe, expect, it } from 'vitest';
import { limitFrom, type Shown } from './limit-facts.ts';
import type { ProbeOptions } from './options.ts';

/** 17 s after the begin of a minute. */
const AT = 1_800_000_017_000;

function facts(shown: Partial<Shown>, options: Partial<ProbeOptions> = {}) {
  const complete: Shown = { requests: 20, source: 'measured', quota: {}, firstAt: AT, ...shown };
  const { findings, limit } = limitFrom(complete, options);
  return { ...limit, ...Object.fromEntries(findings.map(({ source, what }) => [what, source])) };
}

const fixed = { algorithm: 'not known', windowStart: 'Unknown' };

describe('the limit of an API', () => {
  it.each<[string, Partial<Shown>, object]>([
    ['no header', {}, { window: 'guess' }],
    ['a policy', { quota: { windowSeconds: 30, resetSeconds: 30 } }, { window: 'found' }],
    ['nothing for a minute', { returned: { what: 'nothing', afterSeconds: 62 } }, { window: 'not known' }],
    [
      'all requests again',
      { returned: { what: 'several requests', afterSeconds: 5.1 } },
      { window: 'guess' },
    ],
    [
      'all requests again, and nothing after such a window',
      {
        returned: { what: 'several requests', afterSeconds: 14 },
        spread: { requests: 20, first: 15, admitted: 0, phase: 0.2 },
      },
      { window: 'not known' },
    ],
    [
      'all requests again, and a whole window',
      {
        returned: { what: 'several requests', afterSeconds: 5.1 },
        spread: { requests: 20, first: 15, admitted: 20, phase: 0.2 },
      },
      { window: 'measured' },
    ],
  ])('has a source for its window, with %s', (_, shown, expected) => {
    expect(facts(shown)).toMatchObject({ ...expected, limit: 'measured' });
  });

  it.each<[string, Partial<Shown>, Partial<ProbeOptions>, object]>([
    ['is not known without a header', {}, {}, fixed],
    ['is a guess with a limit of one', { requests: 1 }, {}, { ...fixed, algorithm: 'guess' }],
    [
      'is by the clock if a new caller has the rest of a minute',
      { quota: { windowSeconds: 60, resetSeconds: 43 } },
      {},
      { algorithm: 'guess', windowStart: 'Clock' },
    ],
    [
      'is a log if a window later only the first part is returned',
      { spread: { requests: 20, first: 15, admitted: 15, phase: 0.2 } },
      {},
      { algorithm: 'measured', windowStart: undefined },
    ],
    [
      'is fixed if a window later all are returned',
      { spread: { requests: 20, first: 15, admitted: 20, phase: 0.2 } },
      {},
      { algorithm: 'measured', windowStart: 'Unknown' },
    ],
    [
      'is a bucket if one request is returned',
      { returned: { what: 'one request', afterSeconds: 3 } },
      {},
      { algorithm: 'measured', windowStart: undefined },
    ],
    [
      'is by the clock if all are returned with a new minute',
      { returned: { what: 'a new minute', afterSeconds: 13 } },
      {},
      { algorithm: 'guess', windowStart: 'Clock' },
    ],
    ['is as given', {}, { algorithm: 'SlidingWindow' }, { algorithm: 'given', windowStart: undefined }],
    ['starts as given', {}, { windowStart: 'Clock' }, { algorithm: 'given', windowStart: 'Clock' }],
  ])('%s', (_, shown, options, { algorithm, windowStart }: { algorithm?: string; windowStart?: string }) => {
    expect(facts(shown, options).algorithm).toBe(algorithm);
    expect(facts(shown, options).windowStart).toBe(windowStart);
  });
});
