import { expect, it } from 'vitest';
import { estimateTokens } from './tokens.ts';

it.each([
  ['', 0],
  ['replica', 2],
  ['150:9748', 8],
  ['a b', 2],
  ['a\n  b', 3],
  ['\u4e2d', 3],
  ['{"a":[]}', 8],
])('an estimate of tokens takes %j for %i', (text, tokens) => {
  expect(estimateTokens(text)).toBe(tokens);
});
