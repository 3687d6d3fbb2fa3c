import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitKey, parseCounts, parseLimit, windowKey } from './store.ts';

describe('the layout of keys', () => {
  it('is what observers and ACLs rely on', () => {
    expect(limitKey('a:b')).toBe('rl:limit:a:b');
    expect(windowKey('a:b', 'f00-3')).toBe('rl:win:a:b:f00-3');
  });
});

describe('parseCounts', () => {
  it('reads counts by node and leaves out what is none', () => {
    expect([...parseCounts({ a: '3', b: '0', c: '-1', d: '1e9', e: '' })]).toEqual([
      ['a', 3],
      ['b', 0],
    ]);
  });
});

describe('parseLimit', () => {
  const HASH = { limit: '10', windowMs: '60000', startsAt: '1700000000000', generation: 'f00' };

  it('reads a definition, the mark of a deleted one, and nothing', () => {
    expect(parseLimit('k', HASH)).toEqual({
      key: 'k',
      limit: 10,
      windowMs: 60_000,
      startsAt: 1_700_000_000_000,
      generation: 'f00',
    });
    expect(parseLimit('k', { deletedAt: '1' })).toBe('deleted');
    expect(parseLimit('k', {})).toBe('absent');
  });

  it('takes a definition that lacks a field, or has a window of no length, for none', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(HASH)),
        fc.constantFrom('', 'x', undefined),
        (field, value) => {
          const hash: Record<string, string> = { ...HASH };
          if (value === undefined) delete hash[field];
          else hash[field] = value;
          const wrong = field !== 'generation' || value !== 'x';
          expect(typeof parseLimit('k', hash)).toBe(wrong ? 'string' : 'object');
        },
      ),
    );
    expect(parseLimit('k', { ...HASH, windowMs: '0' })).toBe('absent');
  });
});
