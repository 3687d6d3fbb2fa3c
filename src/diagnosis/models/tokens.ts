/** How many tokens a text may take, without the tokenizer of the model that reads it. */

/** Words; digits and other signs of ASCII, each a token of its own; other signs by their bytes; white space. */
const PIECES = /[A-Za-z]+|[^A-Za-z\s\u{80}-\u{10ffff}]+|[^\s\0-\x7f]|\s{2,}|\n/gu;

/** Letters of a word that one token holds at least, on average. */
const LETTERS_A_TOKEN = 4;

/**
 * Tokens of a text, rather too many than too few: tokenizers of small models give each digit and each sign one of
 * its own, and none of the usual ones makes more of a text than this. Held against a real one in a test. Evidence is
 * estimated two dozen times until it fits, and all else waits meanwhile, so signs are taken by the run.
 */
export function estimateTokens(text: string): number {
  let tokens = 0;
  for (const [piece] of text.matchAll(PIECES)) {
    const first = piece.charCodeAt(0);
    if (first >= 0x80) tokens += Buffer.byteLength(piece);
    else if (/[A-Za-z]/.test(piece)) tokens += Math.ceil(piece.length / LETTERS_A_TOKEN);
    else tokens += /\s/.test(piece) ? 1 : piece.length;
  }
  return tokens;
}
