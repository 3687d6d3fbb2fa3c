/**
 * Keeps the password out of messages: a server can repeat what it was sent, and a status has more readers than the
 * Secret. Pure.
 */
import { truncate } from '../text.ts';

/** A shorter password is no secret, and would match everywhere. */
const LEAST = 4;
const WITHHELD = 'its text is withheld, since it holds the password that it was sent';

export function holdsPassword(text: string, password: string | undefined): boolean {
  return password !== undefined && password.length >= LEAST && text.includes(password);
}

/** The text, or a note that it is not repeated, with the code of the error. */
export function withoutPassword(text: string, password: string | undefined): string {
  if (!holdsPassword(text, password)) return text;
  const code = /^[A-Z]{2,}\b/.exec(text)?.[0];
  return code === undefined || holdsPassword(code, password) ? WITHHELD : `${code} (${WITHHELD})`;
}

/**
 * A text of the server, safe to repeat, cut to `most` characters. Redacted first: part of a password would not be
 * recognised.
 */
export function tellable(text: string, most: number, password: string | undefined): string {
  const whole = withoutPassword(text, password);
  return whole === text ? truncate(text, most) : whole;
}
