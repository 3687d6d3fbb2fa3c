/**
 * Keeps the password out of what is told of a Redis. A server can say back whatever it was sent, in an error, in the
 * name of a client or in INFO, and what it says goes into a status that more people may read than the Secret.
 *
 * A text that holds the password, or a good part of it, however it is written, is not mended but withheld.
 */

/** So many characters of a longer secret give it away. */
const PART = 8;
/** A shorter one is no secret, and would be found everywhere. */
const LEAST = 4;
/** So much of a text is looked through, and told; a server says no more in an error. */
const MOST_TEXT = 4096;

/** What a Redis begins its errors with, as far as it means something to us. */
const CODES =
  /^(?:ERR|NOPERM|NOAUTH|WRONGPASS|LOADING|READONLY|MISCONF|OOM|BUSY|MASTERDOWN|NOSCRIPT|UNKILLABLE|WRONGTYPE|DENIED)\b/;

const WITHHELD = 'what it said is not repeated, since it holds the password that it was sent';

/** Whether a text holds one of these secrets: as it is, in parts, backwards, spaced out, or as base64, hex or URL. */
export function holdsSecret(text: string, secrets: readonly (string | undefined)[]): boolean {
  const seen = text.slice(0, MOST_TEXT);
  const plain = bare(seen);
  return secrets.some((secret) => {
    if (secret === undefined || secret.length < LEAST) return false;
    if (seen.includes(secret)) return true;
    return writtenAs(secret).some((form) => sharesPart(plain, form));
  });
}

/** The text as far as it is looked through, or in its place that it is not repeated, with the code of the error where that is a known one. */
export function withoutSecrets(text: string, secrets: readonly (string | undefined)[]): string {
  if (!holdsSecret(text, secrets)) return text.slice(0, MOST_TEXT);
  const code = CODES.exec(text)?.[0];
  return code === undefined || holdsSecret(code, secrets) ? WITHHELD : `${code} (${WITHHELD})`;
}

/** Letters and digits alone: what is put in between hides nothing. */
function bare(text: string): string {
  return text.replace(/[^\p{L}\p{N}]/gu, '').toLowerCase();
}

function writtenAs(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  // As it reads in base64 wherever it stands in what was encoded; the ends depend on what is around it.
  const base64 = [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .slice(before === 0 ? 0 : before + 1, -3),
  );
  const reversed = secret.split('').toReversed().join('');
  const forms = [secret, reversed, encodeURIComponent(secret), bytes.toString('hex'), ...base64];
  return forms.map(bare).filter((form) => form.length >= LEAST);
}

/** Takes time by the sum of both lengths and not by their product: strangers choose them. */
function sharesPart(text: string, form: string): boolean {
  const length = Math.min(form.length, PART);
  const parts = new Set<string>();
  for (let at = 0; at + length <= text.length; at += 1) parts.add(text.slice(at, at + length));
  for (let at = 0; at + length <= form.length; at += 1) {
    if (parts.has(form.slice(at, at + length))) return true;
  }
  return false;
}
