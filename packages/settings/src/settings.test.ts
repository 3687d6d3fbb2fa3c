import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { helpText, type Program, readSettings, UsageError } from './settings.ts';
import { boolean, duration, integer, text } from './values.ts';

const settings = {
  tls: { ...boolean, env: 'TLS', help: 'Speak TLS', fallback: 'false' },
  timeoutMs: { ...duration('1s', '1m', '10s'), env: 'TIMEOUT', help: 'How long to wait' },
  retries: { ...integer(0, 9), help: 'How often to try again', fallback: '3' },
  password: {
    ...text('', 'the password', z.string().max(3)),
    env: 'PASSWORD',
    isSecret: true,
    help: 'Environment only',
  },
} as const;

const program: Program<typeof settings> = { about: 'Waits.', settings };

const read = (args: string[], env = {}) => readSettings(program, args, env);

describe('readSettings', () => {
  it('takes the default, over it the environment, over that the flag', () => {
    expect(read([])).toEqual({ tls: false, retries: 3 });
    expect(read([], { TLS: 'true', TIMEOUT: '1m', PASSWORD: 'x' })).toEqual({
      tls: true,
      timeoutMs: 60_000,
      retries: 3,
      password: 'x',
    });
    expect(read(['--tls=false', '--timeout', '2s'], { TLS: 'true', TIMEOUT: '' })).toMatchObject({
      tls: false,
      timeoutMs: 2_000,
    });
  });

  it('lists all that is wrong', () => {
    const wrong = (): unknown =>
      read(['--tls', 'yes', '--retries=0', '--timeout=5s', '--what'], { TLS: 'no' });
    expect(wrong).toThrow(UsageError);
    expect(wrong).toThrow(
      /:\n {2}- "yes" belongs .*--flag=value\n {2}- --what is not known: .*--help .*\n.*--help\.$/,
    );
  });

  it('repeats no secret, which only the environment may hold', () => {
    const wrong = (): unknown => read(['--password', 'hunter2'], { PASSWORD: 'hunter3' });
    expect(wrong).toThrow('--password is not known');
    expect(wrong).toThrow('PASSWORD cannot be used');
    expect(wrong).not.toThrow(/hunter/);
  });
});

it('helpText lists every setting with its variable and its default', () => {
  expect(helpText(program)).toBe(`Waits.

A flag overrides its environment variable, shown in brackets.

  --tls[=true|false]
      Speak TLS
      [TLS, default false]
  --timeout <duration>
      How long to wait
      [TIMEOUT]
  --retries <number>
      How often to try again
      [default 3]
  PASSWORD
      Environment only
  --help
      Print this and end
`);
});
