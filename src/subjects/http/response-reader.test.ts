import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryOf } from '../../../test/fixtures/subjects/http/memory.ts';
import type { HttpAnswer } from './answer.ts';
import { RequestError } from './failure.ts';
import { BODY_BYTES, HEAD_BYTES, ResponseReader } from './response-reader.ts';

interface Read {
  readonly status?: number;
  readonly body?: string;
  readonly error?: string;
}

function shown(answer: HttpAnswer): Read {
  const { status, body } = answer;
  return { status, body: body.toString('latin1') };
}

/**
 * What is read of the pieces, each of which is overwritten afterwards as a reader of sockets does. Nothing may be pushed
 * after the answer, so bytes in a later piece are surplus without a reader.
 */
function readAll(pieces: readonly Uint8Array[], { method = 'GET', ends = true } = {}): Read | undefined {
  const reader = new ResponseReader(method);
  let answer: HttpAnswer | undefined;
  try {
    for (const piece of pieces) {
      if (answer && piece.length > 0) return { error: SURPLUS };
      if (answer) continue;
      const memory = Uint8Array.from(piece);
      answer = reader.push(memory);
      memory.fill(0);
    }
    if (ends && !answer) answer = reader.end();
    return answer && shown(answer);
  } catch (error) {
    // Anything else is a mistake of the reader.
    if (!(error instanceof RequestError)) throw error;
    return { error: error.message };
  }
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const read = (text: string, options?: Parameters<typeof readAll>[1]): Read | undefined =>
  readAll([bytes(text)], options);
const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;

const BAD_STATUS_LINE = 'the response does not begin with a status line of HTTP/1';
const BAD_HEADER = 'a header line is malformed';
const BAD_LENGTH = 'the content-length is not one number, or has a transfer-encoding with it';
const UNSUPPORTED_ENCODING = 'the transfer-encoding is not the one of HTTP/1.1, chunked';
const BAD_CHUNK = 'a chunk of the body is malformed';
const UNASKED_UPGRADE = 'the server switches to another protocol';
const CLOSED_EARLY = 'the connection was closed before the response was complete';
const SURPLUS = 'bytes follow the response';
const RESPONSE_TOO_LARGE = 'the response is longer than 49152 bytes';
const HEAD_TOO_LARGE = `the head is longer than ${HEAD_BYTES} bytes`;
const BODY_TOO_LARGE = `the body is longer than ${BODY_BYTES} bytes`;

describe('an answer', () => {
  it('has the body of its chunks, whatever extensions and trailers they carry', () => {
    const text = `${OK}Transfer-Encoding: Chunked\r\n\r\n3;a=b\r\nhel\r\n00000002\r\nlo\r\n0\r\nDigest: x\r\n\r\n`;
    expect(read(text)).toMatchObject({ body: 'hello' });
  });

  it.each(['HTTP/1.1 204 No Content\r\n', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n'])(
    'has no body if its status has none: %j',
    (head) => {
      expect(read(`${head}\r\n`, { ends: false })).toMatchObject({ body: '' });
    },
  );
});

describe('an answer that is wrong', () => {
  it.each([
    ['no HTTP', 'SSH-2.0-OpenSSH\r\n', BAD_STATUS_LINE],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n', BAD_STATUS_LINE],
    ['a bare LF', 'HTTP/1.1 200 OK\n\n', CLOSED_EARLY],
    ['a bare CR', `${OK}a: b\rc: d\r\n\r\n`, BAD_HEADER],
    ['a continued line', `${OK}a: b\r\n c\r\n\r\n`, BAD_HEADER],
    ['a space before the colon', `${OK}a : b\r\n\r\n`, BAD_HEADER],
    ['a control character', `${OK}a: \x1b[31m\r\n\r\n`, BAD_HEADER],
    ['two lengths', `${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nab`, BAD_LENGTH],
    ['a length beyond all numbers', `${OK}content-length: 9999999999999999\r\n\r\n`, BAD_LENGTH],
    ['a length and chunks', `${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n`, BAD_LENGTH],
    ['gzip', `${OK}transfer-encoding: gzip, chunked\r\n\r\n`, UNSUPPORTED_ENCODING],
    [
      'chunked twice',
      `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`,
      UNSUPPORTED_ENCODING,
    ],
    ['chunks of HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', UNSUPPORTED_ENCODING],
    ['a size that is none', `${CHUNKED}xyz\r\n`, BAD_CHUNK],
    ['a size of nine digits', `${CHUNKED}000000001\r\na\r\n`, BAD_CHUNK],
    ['a chunk longer than its size', `${CHUNKED}1\r\nab\r\n`, BAD_CHUNK],
    ['an endless extension', `${CHUNKED}1;${'a'.repeat(200)}`, BAD_CHUNK],
    ['a switch to another protocol', 'HTTP/1.1 101 Switching\r\n\r\n', UNASKED_UPGRADE],
    ['an end within the head', 'HTTP/1.1 200 OK\r\na: b', CLOSED_EARLY],
    ['an end within the body', `${OK}content-length: 5\r\n\r\nhell`, CLOSED_EARLY],
    ['an end before anything', '', CLOSED_EARLY],
    ['a second answer', `${OK}content-length: 0\r\n\r\n${OK}content-length: 0\r\n\r\n`, SURPLUS],
    ['a body where none may be', 'HTTP/1.1 204 No Content\r\n\r\nx', SURPLUS],
  ])('%s', (_, text, error) => {
    expect(read(text)).toEqual({ error });
  });

  it.each([
    ['endless headers', `${OK}${'a:b\r\n'.repeat(HEAD_BYTES / 5)}`, HEAD_TOO_LARGE],
    ['65 headers', `${OK}${'a:b\r\n'.repeat(65)}\r\n`, 'the response has more than 64 headers'],
    [
      'endless informational answers',
      'HTTP/1.1 100\r\n\r\n'.repeat(5),
      'more than 4 informational responses came before the one that counts',
    ],
    ['a length beyond the bound', `${OK}content-length: ${BODY_BYTES + 1}\r\n\r\n`, BODY_TOO_LARGE],
    ['a chunk beyond the bound', `${CHUNKED}4001\r\n`, BODY_TOO_LARGE],
    [
      'chunks that are together beyond the bound',
      `${CHUNKED}${`1000\r\n${'a'.repeat(4096)}\r\n`.repeat(4)}1\r\n`,
      BODY_TOO_LARGE,
    ],
    ['an endless body', `${OK}\r\n${'a'.repeat(BODY_BYTES + 1)}`, BODY_TOO_LARGE],
    ['endless trailers', `${CHUNKED}0\r\n${'a:b\r\n'.repeat(10_000)}`, RESPONSE_TOO_LARGE],
    ['small chunks without end', `${CHUNKED}${'1\r\na\r\n'.repeat(10_000)}`, RESPONSE_TOO_LARGE],
  ])('%s, as soon as it is beyond the bound', (_, text, error) => {
    expect(read(text, { ends: false })).toEqual({ error });
  });
});

/** Pieces of answers, right and wrong, so that a random sequence comes far. */
const fragment = fc.constantFrom(
  OK,
  'HTTP/1.1 100\r\n\r\n',
  'HTTP/1.0 429 Too Many\r\n',
  'content-length: 3\r\n',
  'transfer-encoding: chunked\r\n',
  'connection: close\r\n',
  'x: y\r\n',
  '\r\n',
  '\n',
  '\r',
  ' ',
  '3\r\n',
  'abc',
  '0\r\n',
  '20\r\n',
);
const anything = fc.oneof(
  fc.array(fragment, { maxLength: 16 }).map((parts) => bytes(parts.join(''))),
  fc.uint8Array({ maxLength: 300 }),
  fc
    .tuple(fc.array(fragment, { maxLength: 8 }), fc.uint8Array({ maxLength: 40 }))
    .map(([parts, tail]) => Buffer.concat([bytes(parts.join('')), tail])),
);

function cut(all: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((at) => at % (all.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => all.subarray(from, places[i] ?? all.length));
}

describe('whatever a server sends', () => {
  it('an answer is read alike in any pieces, and only coded errors are thrown', () => {
    fc.assert(
      fc.property(anything, fc.array(fc.nat(400), { maxLength: 12 }), fc.boolean(), (all, cuts, ends) => {
        const options = { ends };
        const whole = readAll([all], options);
        expect(readAll(cut(all, cuts), options)).toEqual(whole);
        expect(
          readAll(
            Array.from(all, (byte) => Uint8Array.of(byte)),
            options,
          ),
        ).toEqual(whole);
      }),
      { numRuns: 3000 },
    );
  });

  it('is read back when it is an answer, by length or in chunks of any sizes', () => {
    const body = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(
        body,
        fc.array(fc.nat(200), { maxLength: 8 }),
        fc.boolean(),
        fc.integer({ min: 200, max: 599 }),
        (sent, cuts, chunked, status) => {
          fc.pre(status !== 204 && status !== 304);
          const framed = chunked
            ? [
                bytes('transfer-encoding: chunked\r\n\r\n'),
                ...cut(sent, cuts)
                  .filter(({ length }) => length > 0)
                  .flatMap((part) => [bytes(`${part.length.toString(16)}\r\n`), part, bytes('\r\n')]),
                bytes('0\r\n\r\n'),
              ]
            : [bytes(`content-length: ${sent.length}\r\n\r\n`), sent];
          const answer = readAll([bytes(`HTTP/1.1 ${status} x\r\n`), ...framed], { ends: false });
          expect(answer).toMatchObject({ status, body: Buffer.from(sent).toString('latin1') });
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('an answer that comes in parts', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n';

  it('an answer in parts takes memory until it ends; a small or whole one takes none', () => {
    const memory = memoryOf(1_000_000);
    const whole = new ResponseReader('GET', memory);
    expect(whole.push(Buffer.from(HEAD + 'x'.repeat(10_000)))?.body).toHaveLength(10_000);
    const small = new ResponseReader('GET', memory);
    small.push(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 200\r\n\r\nx'));
    expect(memory.taken).toBe(0);

    const reader = new ResponseReader('GET', memory);
    reader.push(Buffer.from(HEAD + 'x'.repeat(5000)));
    expect(memory.taken).toBeGreaterThan(4000);
    expect(reader.push(Buffer.from('x'.repeat(5000)))?.body).toHaveLength(10_000);
    reader.close();
    reader.close();
    expect(memory.taken).toBe(0);
  });

  it.each([
    ['body', `${HEAD}${'x'.repeat(2000)}`],
    ['body of unknown length', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(2000)}`],
    ['chunk', `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfff\r\n${'x'.repeat(2000)}`],
    ['line', `HTTP/1.1 200 OK\r\na: ${'x'.repeat(2000)}`],
    ['head', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(400)}`],
  ])('is given up where there is no memory for its %s', (_, text) => {
    const memory = memoryOf(2000);
    const reader = new ResponseReader('GET', memory);
    expect(() => reader.push(Buffer.from(text))).toThrow(
      expect.objectContaining({ failure: expect.objectContaining({ code: 'NO_ROOM' }) }),
    );
    reader.close();
    expect(memory.taken).toBe(0);
  });
});
