/**
 * The header in which many limiters report a caller's remaining quota. The limiter's owner controls it, so its
 * value is a claim, and an ambiguous value is not used. Pure.
 */

/** Longer than any such header; also bounds the work. */
const MOST_CHARACTERS = 1024;
/** Up to this many digits, more than any limit has, are exact as a number. */
const DIGITS = /^[0-9]{1,15}$/;
const QUOTE = '"';
const ESCAPE = '\\';

/**
 * The remaining quota in the value of such a header; undefined: none can be read. Supported are
 *
 * - an integer: `X-RateLimit-Remaining: 15`;
 * - the combined field of the first drafts of the IETF: `RateLimit: limit=20, remaining=15, reset=40`;
 * - that of the later ones, for one policy: `RateLimit: "default";r=15;t=40`.
 *
 * A field of several policies cannot be used: it does not show which of them the caller reaches first.
 */
export function remainingIn(value: string): number | undefined {
  if (value.length > MOST_CHARACTERS) return undefined;
  if (DIGITS.test(value)) return Number(value);
  const members = splitAt(value, ',')?.map((member) => splitAt(member, ';') ?? []);
  if (!members) return undefined;
  const entries = members.map(([first = '']) => pairOf(first));
  const named = entries.filter(({ name }) => name === 'remaining');
  // A dictionary has a pair at each position, a list of policies at none.
  if (named.length > 0) {
    const isDictionary = entries.every(({ value: each }) => each !== undefined);
    return named.length === 1 && isDictionary ? numberOf(named[0]?.value) : undefined;
  }
  const [policy, ...others] = members;
  if (!policy || others.length > 0 || entries[0]?.value !== undefined) return undefined;
  const left = policy
    .slice(1)
    .map(pairOf)
    .filter(({ name }) => name === 'r');
  return left.length === 1 ? numberOf(left[0]?.value) : undefined;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && DIGITS.test(text) ? Number(text) : undefined;
}

/** `name=value`; without a value if it is not a pair. */
function pairOf(text: string): { readonly name: string; readonly value?: string } {
  const at = text.startsWith(QUOTE) ? -1 : text.indexOf('=');
  return at === -1 ? { name: text } : { name: text.slice(0, at).trim(), value: text.slice(at + 1).trim() };
}

/** The parts between separators outside of quotes, trimmed; undefined if a quote is never closed. */
function splitAt(text: string, separator: ',' | ';'): string[] | undefined {
  const parts: string[] = [];
  let [from, quoted] = [0, false];
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i];
    if (quoted && character === ESCAPE) i += 1;
    else if (character === QUOTE) quoted = !quoted;
    else if (character === separator && !quoted) {
      parts.push(text.slice(from, i).trim());
      from = i + 1;
    }
  }
  parts.push(text.slice(from).trim());
  return quoted ? undefined : parts;
}
