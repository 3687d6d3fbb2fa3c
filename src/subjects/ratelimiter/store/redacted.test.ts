import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { holdsSecret, withoutSecrets } from './redacted.ts';

const PASSWORD = 'Tr0ub4dor&3-horse';

describe('a text of a Redis that was sent a password', () => {
  it.each([
    ['as it is', `ERR no such user ${PASSWORD}`],
    ['in another case', PASSWORD.toUpperCase()],
    ['spaced out', PASSWORD.split('').join(' ')],
    ['cut in two by something else', `${PASSWORD.slice(0, 9)}\n<br>${PASSWORD.slice(9)}`],
    ['but for its end', PASSWORD.slice(0, -4)],
    ['but for its beginning', PASSWORD.slice(5)],
    ['backwards', PASSWORD.split('').toReversed().join('')],
    ['in base64', Buffer.from(PASSWORD).toString('base64')],
    ['in base64 behind the user', Buffer.from(`operator:${PASSWORD}`).toString('base64')],
    ['in base64url behind another user', Buffer.from(`op:${PASSWORD}\n`).toString('base64url')],
    ['in hex', Buffer.from(PASSWORD).toString('hex')],
    ['as a URL has it', encodeURIComponent(PASSWORD)],
    ['as JSON has it', JSON.stringify({ auth: ['default', PASSWORD] })],
  ])('holds it %s', (_, text) => {
    expect(holdsSecret(text, [PASSWORD])).toBe(true);
    expect(withoutSecrets(text, [PASSWORD])).not.toMatch(/Tr0|horse|esroh/i);
  });

  it('keeps the code of its error, where that is a known one', () => {
    expect(withoutSecrets(`WRONGPASS ${PASSWORD}`, [PASSWORD])).toBe(
      'WRONGPASS (what it said is not repeated, since it holds the password that it was sent)',
    );
    expect(withoutSecrets(`HORSE ${PASSWORD}`, [PASSWORD])).toMatch(/^what it said is not repeated/);
    expect(withoutSecrets('NOAUTH noauth', ['noauth'])).toMatch(/^what it said is not repeated/);
  });

  it.each([
    'WRONGPASS invalid username-password pair or user is disabled.',
    'NOPERM User chaosdemo has no permissions to run the "client|list" command',
    'connect ECONNREFUSED 10.0.0.7:6379',
    '',
  ])('is told as it is where it does not: %s', (text) => {
    expect(withoutSecrets(text, [PASSWORD, undefined])).toBe(text);
    expect(withoutSecrets(text, [''])).toBe(text);
  });

  it('costs little more for a long text or password than for a short one', () => {
    const password = randomBytes(512).toString('hex');
    // Nothing eight characters long stands in both.
    const text = Array.from({ length: 500_000 }, (_, i) => `й${i}`).join('');
    /** Of the quickest of ten: what the machine does besides makes others slower. */
    const costOf = (seen: string, secret: string): number =>
      Math.min(
        ...Array.from({ length: 10 }, () => {
          const start = performance.now();
          expect(holdsSecret(seen, [secret])).toBe(false);
          return performance.now() - start;
        }),
      );
    const least = costOf(text.slice(0, 5000), password.slice(0, 64));
    // Strangers choose both lengths, which are 16 and 600 times as much here: their product must not count.
    expect(costOf(text, password) / least).toBeLessThan(100);
  });
});
