import { describe, expect, it } from 'vitest';
import { RedisWireError } from './redis-error.ts';
import { asFields, asInteger, asText, asTime, requireOk } from './reply-types.ts';

/** Everything that ioredis can make of a reply of RESP2. */
const kinds = { null: null, list: [], nested: [['a']], text: 'text', number: 7, empty: '', object: {} };

/** The kinds that `read` takes; each other one it refuses with an error that names the command. */
function taken(read: (reply: unknown) => unknown): string[] {
  return Object.entries(kinds).flatMap(([kind, reply]) => {
    try {
      read(reply);
      return [kind];
    } catch (error) {
      expect(error).toBeInstanceOf(RedisWireError);
      expect(error).toMatchObject({ code: 'UNEXPECTED_REPLY' });
      expect(String(error)).toContain('the server replied to CMD with ');
      return [];
    }
  });
}

describe('the types of replies', () => {
  it('a reply of the expected type is accepted, else rejected with its command', () => {
    expect(taken((reply) => asText('CMD', reply))).toEqual(['text', 'empty']);
    expect(taken((reply) => asInteger('CMD', reply))).toEqual(['number']);
    expect(taken((reply) => asFields('CMD', reply))).toEqual(['list']);
    expect(taken((reply) => asTime('CMD', reply))).toEqual([]);
    expect(taken((reply) => requireOk('CMD', reply))).toEqual([]);
  });

  it('hold what was sent', () => {
    expect(asText('INFO', 'run_id:1')).toBe('run_id:1');
    expect(asInteger('DBSIZE', '-12')).toBe(-12);
    expect(asTime('TIME', ['1700000000', '123456'])).toBeCloseTo(1_700_000_000_123.456, 2);
    expect(asTime('TIME', [1_700_000_000, 5])).toBeCloseTo(1_700_000_000_000.005, 2);
    expect(() => requireOk('SET', 'OK')).not.toThrow();
    const expected = new Map([
      ['__proto__', '1'],
      ['a', '2'],
    ]);
    expect(asFields('HGETALL', ['__proto__', '1', 'a', '2'])).toEqual(expected);
  });

  it('refuse numbers that a number does not hold, and halves of fields', () => {
    for (const reply of ['9007199254740993', 2 ** 53, 1.5, Number.NaN, '1e3', '0x1', ' 1']) {
      expect(() => asInteger('CMD', reply)).toThrow(RedisWireError);
    }
    for (const reply of [['a'], ['a', 1], ['a', null], ['a', ['b']]]) {
      expect(() => asFields('CMD', reply)).toThrow(RedisWireError);
    }
    for (const reply of [['1'], ['1', 'x'], ['1', '2', '3'], [null, '1']]) {
      expect(() => asTime('CMD', reply)).toThrow(RedisWireError);
    }
  });
});
