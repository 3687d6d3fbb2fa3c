import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { terminalLine, terminalLines } from './terminal-text.ts';
import { printable } from './text.ts';

const ESC = '\u001b';

/** Text by which an attacker would act on a terminal or on a CI log. */
const hostile = fc.oneof(
  fc.constantFrom(
    `${ESC}[2J`,
    `${ESC}]0;title\u0007`,
    '\u009b31m',
    '\r',
    '\n',
    '\r\n',
    '\t',
    '\u2028',
    '\u0085',
    '::error::',
    '::add-mask::',
    '##[error]',
    '###[group]',
    '##vso[task.setvariable]',
    'section_start:1:x\r\u001b[0K',
    ':',
    '#',
    ' ',
    '\u202e',
    '\u2066',
    '\u200b',
    '\ufeff',
    '\u{e0041}',
    '😀'.slice(0, 1),
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const text = fc.array(hostile, { maxLength: 30 }).map((parts) => parts.join(''));
const long = fc.tuple(text, fc.integer({ min: 1, max: 400 })).map(([part, times]) => part.repeat(times));

/** Characters that a terminal acts on, or that change how others are shown. */
const ACTIVE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/** As the agents of GitHub and Azure look for commands in a line. */
const COMMAND = /^\s*::|##/;

describe('a line for a terminal', () => {
  it.each([
    ['an escape', `a${ESC}[31mb`, 'a\ufffd[31mb'],
    ['a line end', 'Failed\n::error::no', 'Failed ::error::no'],
    ['a command of GitHub', '::error::no', ': :error::no'],
    ['one behind spaces', '  ::error::no', '  : :error::no'],
    ['an older one, anywhere in the line', 'a ##[error]no', 'a # #[error]no'],
    ['one of Azure', 'a ##vso[task.complete]', 'a # #vso[task.complete]'],
    ['a mark that turns the direction', 'a\u202eb', 'a\ufffdb'],
  ])('loses what %s does', (_, given, shown) => {
    expect(terminalLine(given)).toBe(shown);
  });

  it('keeps what people write, and the address of a node', () => {
    const line = '   Grüße, 世界 👩‍🚀  — [fe80::1]:8080 # 1';
    expect(terminalLine(line)).toBe(line);
  });

  it('a terminal line is printable, bounded and idempotent, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(text, long), (given) => {
        const line = terminalLine(given);
        expect(line).not.toMatch(ACTIVE);
        expect(line).not.toMatch(COMMAND);
        expect(line.length).toBeLessThanOrEqual(2000);
        expect(terminalLine(line)).toBe(line);
      }),
      { numRuns: 2000 },
    );
  });

  it('stays one of several', () => {
    expect(terminalLines('a\n::error::b\nc\u0007')).toBe('a\n: :error::b\nc\ufffd');
  });
});

it('status text is one printable line, never longer, and idempotent', () => {
  fc.assert(
    fc.property(fc.oneof(text, long), (given) => {
      const line = printable(given);
      expect(line).not.toMatch(ACTIVE);
      expect(line.length).toBeLessThanOrEqual(given.length);
      expect(printable(line)).toBe(line);
    }),
    { numRuns: 2000 },
  );
});
