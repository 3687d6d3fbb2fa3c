import { expect, it } from 'vitest';
import { holdsPassword, withoutPassword } from './redacted.ts';

const PASSWORD = 'Tr0ub4dor&3-horse';
const WITHHELD = 'its text is withheld, since it holds the password that it was sent';

it('withholds a text with the password, except the code of its error', () => {
  expect(holdsPassword(`ERR no such user ${PASSWORD}`, PASSWORD)).toBe(true);
  expect(withoutPassword(`no such user ${PASSWORD}`, PASSWORD)).toBe(WITHHELD);
  expect(withoutPassword(`WRONGPASS ${PASSWORD}`, PASSWORD)).toBe(`WRONGPASS (${WITHHELD})`);
  expect(withoutPassword('NOAUTH', 'NOAUTH')).toBe(WITHHELD);
});

it('keeps a text without it, and with one too short to be a secret', () => {
  const said = 'WRONGPASS invalid username-password pair or user is disabled.';
  for (const password of [PASSWORD, undefined, '', 'is']) expect(withoutPassword(said, password)).toBe(said);
});
