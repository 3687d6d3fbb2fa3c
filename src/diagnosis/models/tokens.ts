/** Estimates the tokens of a text, without the model's tokenizer. */

/** Words; runs of ASCII digits and signs, each counted as a token; other signs, by their bytes; white space. */
const PIECES = /[A-Za-z]+|[^A-Za-z\s\u{80}-\u{10ffff}]+|[^\s\0-\x7f]|\s{2,}|\n/gu;

/** Minimum letters of a word per token, on average. */
const LETTERS_A_TOKEN = 4;

/**
 * An upper estimate of the tokens of a text: tokenizers of small models give each digit and each sign its own token,
 * and none of the usual ones exceeds this. A test compares it with a real one. Evidence is estimated two dozen times
 * until it fits, and blocks everything else, so signs are matched in runs.
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
