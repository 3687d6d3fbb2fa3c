import * as fc from 'fast-check';
// Not an entry point of ioredis, but what in the end reads what this scanner lets through.
import { Decoder } from 'ioredis/built/resp/decoder.js';
import { describe, expect, it } from 'vitest';
import { type RespBounds, RespError, type RespErrorCode, RespScanner } from './resp-scanner.ts';

const bounds: RespBounds = { bulkBytes: 64, frameBytes: 256, elements: 16, depth: 3, lineBytes: 32 };

type Reply = { line: string } | { error: string } | { integer: bigint } | { bulk: Buffer } | null | Reply[];

function encode(reply: Reply): Buffer {
  if (reply === null) return Buffer.from('$-1\r\n');
  if (Array.isArray(reply)) return Buffer.concat([Buffer.from(`*${reply.length}\r\n`), ...reply.map(encode)]);
  if ('line' in reply) return Buffer.from(`+${reply.line}\r\n`);
  if ('error' in reply) return Buffer.from(`-${reply.error}\r\n`);
  if ('integer' in reply) return Buffer.from(`:${reply.integer}\r\n`);
  return Buffer.concat([Buffer.from(`$${reply.bulk.length}\r\n`), reply.bulk, Buffer.from('\r\n')]);
}

const lines = fc.string({
  maxLength: 30,
  unit: fc.constantFrom('O', 'K', ' ', '+', '$', '*', '-', ':', '1'),
});
const scalars: fc.Arbitrary<Reply> = fc.oneof(
  fc.constant(null),
  lines.map((line) => ({ line })),
  lines.map((error) => ({ error })),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((integer) => ({ integer })),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => ({ bulk: Buffer.from(bytes) })),
);
const replies: fc.Arbitrary<Reply> = fc.oneof(
  { weight: 3, arbitrary: scalars },
  { weight: 1, arbitrary: fc.array(scalars, { maxLength: 5 }) },
  {
    weight: 1,
    arbitrary: fc.array(fc.array(fc.array(scalars, { maxLength: 2 }), { maxLength: 2 }), { maxLength: 2 }),
  },
);
/** For everything above. */
const roomy: RespBounds = { bulkBytes: 64, frameBytes: 4096, elements: 64, depth: 3, lineBytes: 32 };

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

const cuts = fc.array(fc.nat({ max: 64 }), { maxLength: 20 });

function* chunksOf(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

/** What comes of these bytes: how many frames and whether one is open, or the code of the error. */
function verdictOn(bytes: Buffer, sizes: readonly number[] = [], within = bounds): string {
  const scanner = new RespScanner(within);
  let frames = 0;
  try {
    for (const chunk of chunksOf(bytes, sizes)) frames += scanner.scan(chunk);
  } catch (error) {
    if (error instanceof RespError) return error.code;
    throw error;
  }
  return `${frames}${scanner.inFrame ? ' and a part' : ''}`;
}

describe('RespScanner', () => {
  it('counts any replies, however they are cut, and tells where they end', () => {
    fc.assert(
      fc.property(fc.array(replies, { maxLength: 6 }), cuts, (sent, sizes) => {
        const encoded = sent.map(encode);
        const bytes = Buffer.concat(encoded);
        const scanner = new RespScanner(roomy);
        const ends = new Set(encoded.map((_, index) => Buffer.concat(encoded.slice(0, index + 1)).length));
        let frames = 0;
        let at = 0;
        for (const chunk of chunksOf(bytes, sizes)) {
          const complete = scanner.scan(chunk);
          expect(scanner.end > 0).toBe(complete > 0);
          if (complete > 0) expect(ends).toContain(at + scanner.end);
          frames += complete;
          at += chunk.length;
        }
        expect(frames).toBe(sent.length);
        expect(scanner.inFrame).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('says the same of any bytes, however they are cut', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          nearly,
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        ),
        cuts,
        (bytes, sizes) => {
          expect(verdictOn(bytes, sizes)).toBe(verdictOn(bytes));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('lets nothing through that the parser of ioredis reads in another way', () => {
    fc.assert(
      fc.property(nearly, (bytes) => {
        const scanner = new RespScanner(bounds);
        let frames = 0;
        try {
          frames = scanner.scan(bytes);
        } catch {
          return;
        }
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
        decoder.write(bytes.subarray(0, scanner.end));
        expect(read).toBe(frames);
        // The parser stands at the beginning of a reply, too.
        decoder.write(Buffer.from('+OK\r\n'));
        expect(read).toBe(frames + 1);
      }),
      { numRuns: 2000 },
    );
  });

  it.each<[RespErrorCode, string]>([
    ['UNKNOWN_TYPE', '>1\r\n'],
    ['UNKNOWN_TYPE', '_\r\n'],
    ['UNKNOWN_TYPE', '*1\r\n%1\r\n'],
    ['UNKNOWN_TYPE', 'HTTP/1.1 400 Bad Request\r\n'],
    ['UNKNOWN_TYPE', '\r\n'],
    ['BAD_LINE', '+OK\rx'],
    ['BAD_LINE', '+OK\n'],
    ['BAD_LINE', ':1\rx'],
    ['BAD_LINE', '$1\r\nabc'],
    ['BAD_LINE', '$0\r\nx'],
    ['BAD_LINE', '$1\r\na\rx'],
    ['BAD_NUMBER', ':\r\n'],
    ['BAD_NUMBER', ':-\r\n'],
    ['BAD_NUMBER', ':--1\r\n'],
    ['BAD_NUMBER', ':1.5\r\n'],
    ['BAD_NUMBER', ':12345678901234567890\r\n'],
    ['BAD_NUMBER', '$\r\n'],
    ['BAD_NUMBER', '$-2\r\n'],
    ['BAD_NUMBER', '$-0\r\n'],
    ['BAD_NUMBER', '$-11\r\n'],
    ['BAD_NUMBER', '$+3\r\n'],
    ['BAD_NUMBER', '*1x\r\n'],
    ['BULK_TOO_LARGE', '$65'],
    ['TOO_MANY_ELEMENTS', '*17'],
    ['TOO_MANY_ELEMENTS', '*2\r\n*8\r\n'.repeat(2)],
    ['TOO_MANY_ELEMENTS', '*16000000\r\n'.repeat(12)],
    ['TOO_DEEP', '*1\r\n'.repeat(4)],
    ['LINE_TOO_LONG', `+${'a'.repeat(33)}`],
    ['LINE_TOO_LONG', `-${'a'.repeat(33)}`],
    ['FRAME_TOO_LARGE', `*4\r\n${`$64\r\n${'a'.repeat(64)}\r\n`.repeat(3)}$64\r\n`],
    ['FRAME_TOO_LARGE', `*16\r\n${`+${'a'.repeat(16)}\r\n`.repeat(16)}`],
  ])('refuses with %s %j', (code, bytes) => {
    expect(verdictOn(Buffer.from(bytes))).toBe(code);
  });

  it('takes what is exactly as large as a bound', () => {
    for (const bytes of [
      `$64\r\n${'a'.repeat(64)}\r\n`,
      `*16\r\n${':1\r\n'.repeat(16)}`,
      `${'*1\r\n'.repeat(3)}$-1\r\n`,
      `+${'a'.repeat(32)}\r\n`,
      `*4\r\n${`$64\r\n${'a'.repeat(64)}\r\n`.repeat(3)}$32\r\n${'a'.repeat(32)}\r\n`,
    ]) {
      expect(verdictOn(Buffer.from(bytes))).toBe('1');
    }
  });

  it('counts the bounds of a reply anew for the next one', () => {
    expect(verdictOn(Buffer.from(`*16\r\n${':1\r\n'.repeat(16)}`.repeat(50)))).toBe('50');
  });

  it('goes on refusing once it has refused', () => {
    const scanner = new RespScanner(bounds);
    expect(() => scanner.scan(Buffer.from('?'))).toThrow(RespError);
    expect(() => scanner.scan(Buffer.from('+OK\r\n'))).toThrow(/0x3f/);
  });

  it('repeats nothing of what it refuses', () => {
    const scanner = new RespScanner(bounds);
    expect(() => scanner.scan(Buffer.from('\u001b[31msecret'))).toThrow(
      /^byte 0x1b where a type of RESP2 belongs$/,
    );
  });
});
