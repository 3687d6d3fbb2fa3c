/** Troubleshooting is found by the text of a message, so each message that it quotes is one that the code can show. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));

/** All code as one line, with a mark for each inserted value and joined literals. */
const code = globSync('{src,packages}/**/*.{ts,tsx}', { cwd: root })
  .filter((path) => !path.includes('.test.'))
  .map((path) => readFileSync(root + path, 'utf8'))
  .join(' ')
  .replace(/\s+/g, ' ')
  .replace(/\$\{[^}]*\}/g, '\0')
  .replace(/[`'] \+ [`']/g, '');

/** Figures, names of pods and paths: values that the code inserts. */
const VALUES = /…|<[^>]*>|\.\.\.|\d+(?:ms|s|m)?\b|\b[a-z]+-\d+\b|GET \/\S*|[A-Z]{3,}/;

/** Quotes of at least three words that are no command. */
function messagesQuotedIn(page: string): string[] {
  const prose = readFileSync(root + page, 'utf8').replace(/```.*?```/gs, '');
  return [...prose.matchAll(/`([a-z][^`]*)`/g)]
    .map(([, text = '']) => text.replace(/\s+/g, ' '))
    .filter((text) => text.split(' ').length > 2 && !/^(kubectl|npm|redis-cli|helm|node) /.test(text));
}

it('troubleshooting quotes messages as the code has them', () => {
  const quotes = messagesQuotedIn('docs/troubleshooting.md');
  expect(quotes.length).toBeGreaterThan(30);
  const unknown = quotes.filter((quote) =>
    quote
      .split(VALUES)
      .map((part) => part.replace(/^[\s:,;]+|[\s:,;]+$/g, ''))
      .some((part) => part.includes(' ') && !code.includes(part)),
  );
  expect(unknown).toEqual([]);
});
