import * as fc from 'fast-check';
// Not an entry point of ioredis, but what in the end reads what the gate lets through.
import { Decoder } from 'ioredis/built/resp/decoder.js';
import { describe, expect, it } from 'vitest';
import { RedisWireError } from './redis-error.ts';
import { ReplyGate } from './reply-gate.ts';

const BYTES = 256;

/** Bytes that are often nearly RESP. */
const nearly = fc
  .array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom('+', '-', ':', '$', '*', '_', '>', '1', '0', '3', '-1', '\r', '\n'),
      },
      {
        weight: 8,
        arbitrary: fc.constantFrom('\r\n', '*1\r\n', '*-1\r\n', '*0\r\n', '$3\r\nabc\r\n', '$0\r\n\r\n'),
      },
      {
        weight: 8,
        arbitrary: fc.constantFrom('$-1\r\n', ':7\r\n', ':-7\r\n', ':+7\r\n', '+OK\r\n', '-ERR no\r\n'),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom('$-2\r\n', '$+3\r\nabc\r\n', '$03\r\nabc\r\n', '+a\rb\r\n', '#t\r\n'),
      },
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.from(parts.join('')));

function* partsOf(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

/** What a gate that expects many replies lets through of these bytes, and why it ended. */
function passed(bytes: Buffer, sizes: readonly number[] = []): { through: string; error?: string } {
  const gate = new ReplyGate();
  for (let i = 0; i < 1000; i += 1) gate.expect(BYTES);
  let through = '';
  try {
    for (const part of partsOf(bytes, sizes)) through += gate.take(part).toString('latin1');
    return { through };
  } catch (error) {
    if (error instanceof RedisWireError) return { through, error: error.message };
    throw error;
  }
}

describe('the gate of replies', () => {
  it('lets whole replies through, however they are cut', () => {
    const sent = '+OK\r\n$3\r\na\r\n\r\n*2\r\n:1\r\n*1\r\n$-1\r\n-ERR no\r\n';
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 12 }), { maxLength: 20 }), (sizes) => {
        expect(passed(Buffer.from(`${sent}$9\r\nincomp`), sizes)).toEqual({ through: sent });
      }),
    );
  });

  it('lets nothing through that the parser of ioredis reads in another way', () => {
    fc.assert(
      fc.property(nearly, fc.array(fc.nat({ max: 12 }), { maxLength: 20 }), (bytes, sizes) => {
        let read = 0;
        const count = (): void => {
          read += 1;
        };
        const onPush = (): void => expect.fail('a push of RESP3');
        const decoder = new Decoder({
          getTypeMapping: () => ({}),
          onReply: count,
          onErrorReply: count,
          onPush,
        });
        decoder.write(Buffer.from(passed(bytes, sizes).through));
        // The parser stands at the beginning of a reply, too.
        const before = read;
        decoder.write(Buffer.from('+OK\r\n'));
        expect(read).toBe(before + 1);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['a type of RESP3', '>1\r\n', 'what is no reply of RESP2'],
    ['a web page', 'HTTP/1.1 400 Bad Request\r\n', 'what is no reply of RESP2'],
    ['a stray line end', '+OK\nx\r\n', 'what is no reply of RESP2'],
    ['an endless line', `+${'a'.repeat(5000)}`, 'a line of more than 4096 bytes'],
    ['a number that is none', ':1.5\r\n', 'what is no reply of RESP2'],
    ['a negative length', '$-2\r\n', 'what is no reply of RESP2'],
    ['a string without its end', '$1\r\nabc', 'a string without its end'],
    ['a large string', '$256\r\n', 'a reply of more than 256 bytes'],
    ['many strings', `*40\r\n${'$4\r\nabcd\r\n'.repeat(40)}`, 'a reply of more than 256 bytes'],
    ['many elements', '*513\r\n', 'more than 512 elements'],
    ['many elements together', '*300\r\n'.repeat(2), 'more than 512 elements'],
    ['deep nesting', '*1\r\n'.repeat(65), 'a reply of more than 256 bytes'],
  ])('takes no %s', (_, bytes, sent) => {
    expect(passed(Buffer.from(bytes)).error).toContain(`it sent ${sent}`);
  });

  it('takes no reply without a command, and repeats a refusal of the connection', () => {
    const gate = new ReplyGate();
    gate.expect(BYTES);
    expect(() => gate.take(Buffer.from('+OK\r\n$-1\r\n'))).toThrow('more replies than');
    expect(() => new ReplyGate().take(Buffer.from('-ERR max number of clients\r\n'))).toThrow(
      'ERR max number of clients',
    );
  });
});
