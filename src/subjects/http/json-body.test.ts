import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from './json-body.ts';

const parsed = (text: string): unknown => parseJson(Buffer.from(text));
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('JSON in a body', () => {
  it('is what it holds, within the bounds', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(Buffer.byteLength(text) <= 4096);
        expect(parsed(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('is undefined if it is not JSON', () => {
    expect(['', '{', 'yes', '"\\'].map((text) => parsed(text))).toEqual(Array(4).fill(undefined));
  });

  it('may nest 32 deep, and as many brackets in strings as fit', () => {
    expect(parsed(nested(32))).toBeDefined();
    expect(parsed(nested(33))).toBeUndefined();
    const text = `\\" ${nested(100)}`;
    expect(parsed(JSON.stringify([text, text]))).toEqual([text, text]);
  });
});
