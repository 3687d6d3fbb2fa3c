import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplyScanner } from './replies.ts';

const line = fc.constantFrom(
  '+OK\r\n',
  '-ERR a $5 *2\r\n',
  ':-12\r\n',
  '_\r\n',
  '#t\r\n',
  ',1.5\r\n',
  '(123\r\n',
);
const bulk = fc
  .tuple(fc.constantFrom('$', '=', '!'), fc.string({ maxLength: 30 }))
  .map(([type, text]) => `${type}${Buffer.byteLength(text)}\r\n${text}\r\n`);
const nothing = fc.constantFrom('$-1\r\n', '*-1\r\n', '*0\r\n', '%0\r\n', '$0\r\n\r\n');

/** A reply of RESP2 or RESP3, nested. */
const { reply } = fc.letrec<{ reply: string; list: string; map: string; described: string }>((tie) => ({
  reply: fc.oneof({ maxDepth: 4 }, line, bulk, nothing, tie('list'), tie('map'), tie('described')),
  list: fc
    .tuple(fc.constantFrom('*', '~'), fc.array(tie('reply'), { maxLength: 4 }))
    .map(([type, items]) => `${type}${items.length}\r\n${items.join('')}`),
  map: fc
    .array(fc.tuple(tie('reply'), tie('reply')), { maxLength: 3 })
    .map((pairs) => `%${pairs.length}\r\n${pairs.flat().join('')}`),
  described: fc.tuple(tie('reply'), tie('reply'), tie('reply')).map(([a, b, c]) => `|1\r\n${a}${b}${c}`),
}));
const push = fc
  .array(line, { minLength: 1, maxLength: 3 })
  .map((items) => `>${items.length}\r\n${items.join('')}`);

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
}

describe('the scanner of replies', () => {
  it('counts replies and no pushed messages, however their bytes are cut', () => {
    const either = fc.oneof(
      reply.map((text) => ({ text, counts: 1 })),
      push.map((text) => ({ text, counts: 0 })),
    );
    fc.assert(
      fc.property(fc.array(either, { maxLength: 10 }), fc.array(fc.nat(3000)), (parts, places) => {
        const scanner = new ReplyScanner();
        const chunks = cut(Buffer.from(parts.map(({ text }) => text).join('')), places);
        const counted = chunks.reduce((sum, chunk) => sum + scanner.count(chunk), 0);
        expect(counted).toBe(parts.filter(({ counts }) => counts === 1).length);
        expect(scanner.isBroken).toBe(false);
      }),
    );
  });

  it.each(['HTTP/1.1 400\r\n', '*99999999999\r\n', '$-2\r\n', '$x\r\n', '*?\r\n'])(
    'is broken by %j',
    (text) => {
      const scanner = new ReplyScanner();
      scanner.count(Buffer.from(text));
      expect(scanner.isBroken).toBe(true);
    },
  );
});
