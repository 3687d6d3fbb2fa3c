/** How many tokens a text may take, without the tokenizer of the model that reads it. */

/** Words; single digits and other signs, each a token of its own; everything else by its bytes. */
const PIECES = /[A-Za-z]+|[^A-Za-z\s]|\s{2,}|\n/gu;

/** Letters of a word that one token holds at least, on average. */
const LETTERS_A_TOKEN = 4;

/**
 * Tokens of a text, rather too many than too few: tokenizers of small models give each digit and each sign one of
 * its own, and none of the usual ones makes more of a text than this. Held against a real one in a test.
 */
export function estimateTokens(text: string): number {
  let tokens = 0;
  for (const [piece] of text.matchAll(PIECES)) {
    const first = piece.codePointAt(0) ?? 0;
    if (/[A-Za-z]/.test(piece)) tokens += Math.ceil(piece.length / LETTERS_A_TOKEN);
    // A sign of another script may take a token for each of its bytes.
    else tokens += first < 0x80 ? 1 : Buffer.byteLength(piece);
  }
  return tokens;
}
