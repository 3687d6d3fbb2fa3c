import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CommandKind, RequestScanner } from './requests.ts';

/** The kinds of commands that end in these chunks, and where each ends in all of them. */
function scan(chunks: readonly Buffer[], scanner = new RequestScanner()) {
  const found: { kind: CommandKind; end: number }[] = [];
  let before = 0;
  for (const chunk of chunks) {
    for (let at = scanner.next(chunk, 0); at !== undefined; at = scanner.next(chunk, at)) {
      found.push({ kind: scanner.kind, end: before + at });
    }
    before += chunk.length;
  }
  return { found, scanner };
}

function array(...parts: readonly Buffer[]): Buffer {
  const encoded = parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')]);
  return Buffer.concat([Buffer.from(`*${parts.length}\r\n`), ...encoded]);
}

/** Cuts bytes at these places. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
}

const binary = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const command = fc.oneof(
  fc.array(binary, { maxLength: 4 }).map((rest) => ({
    bytes: array(Buffer.from('evalsha'), ...rest),
    kind: 'Other' as const,
  })),
  fc.constantFrom(
    { bytes: Buffer.from('PING\r\n'), kind: 'Ping' as const },
    { bytes: array(Buffer.from('ping')), kind: 'Ping' as const },
    { bytes: Buffer.from('INCR a\n'), kind: 'Other' as const },
    { bytes: Buffer.from('\r\n'), kind: 'Nothing' as const },
    { bytes: Buffer.from('*0\r\n'), kind: 'Nothing' as const },
  ),
);

describe('the scanner of requests', () => {
  it('finds the end of every command, however its bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), fc.array(fc.nat(2000)), (commands, places) => {
        const bytes = Buffer.concat(commands.map((each) => each.bytes));
        let end = 0;
        const expected = commands.map(({ bytes: { length }, kind }) => ({ kind, end: (end += length) }));
        const { found, scanner } = scan(cut(bytes, places));
        expect(found).toEqual(expected);
        expect(scanner).toMatchObject({ isBetween: true, isBroken: false });
      }),
    );
  });

  it('survives any bytes, and ends commands only within them', () => {
    fc.assert(
      fc.property(fc.array(binary), (chunks) => {
        const length = Buffer.concat(chunks).length;
        const ends = scan(chunks).found.map(({ end }) => end);
        expect(ends).toEqual(ends.toSorted((a, b) => a - b));
        expect(ends.at(-1) ?? 0).toBeLessThanOrEqual(length);
      }),
    );
  });

  it.each([
    ['a handshake of TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00])],
    ['too many arguments', Buffer.from('*1048577\r\n')],
    ['an argument that is too long', Buffer.from('*1\r\n$536870913\r\n')],
    ['a number without digits', Buffer.from('*-\r\n')],
    ['a command after which messages come', array(Buffer.from('subscribe'), Buffer.from('a'))],
    ['the same as a line', Buffer.from('MONITOR\r\n')],
    [
      'a command after which replies stay out',
      array(Buffer.from('CLIENT'), Buffer.from('Reply'), Buffer.from('OFF')),
    ],
  ])('is broken by %s', (_, bytes) => {
    expect(scan([bytes]).scanner.isBroken).toBe(true);
  });
});
