import * as fc from 'fast-check';
import markdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import { recordedRun, withTextsOf } from '../../../test/fixtures/cli/report/report.ts';
import { hostile } from '../../../test/fixtures/cli/view/hostile-text.ts';
import { reportMarkdown } from './markdown.ts';
import { type Report, reportOf } from './report.ts';

/** Reads HTML, links and tables, as forges do. */
const reader = markdownIt({ html: true, linkify: true });
// No forge takes a name without a scheme or www for an address.
reader.linkify.set({ fuzzyLink: false }).add('//', null);
const markdown = (text?: string): string => {
  const source = text === undefined ? recordedRun() : withTextsOf(recordedRun(), text);
  return reportMarkdown(reportOf(source) as Report);
};
/** Types of all that is in it, in order, and its text. */
const read = (source: string) => {
  const tokens = reader.parse(source, {}).flatMap((token) => [token, ...(token.children ?? [])]);
  const inline = tokens.filter(({ children }) => !children);
  const text = inline
    .filter(({ type }) => type === 'text' || type === 'text_special')
    .map(({ content }) => content);
  return {
    types: tokens.map(({ type }) => type).filter((type) => !type.startsWith('text')),
    text: text.join(''),
  };
};

const pieces = fc.constantFrom(
  '<img src=x>',
  '<!--',
  '[a](http://x.y)',
  '![](//x.y)',
  'https://evil.example/',
  'www.evil.example',
  '@octocat',
  'a@b.cd',
  '#12',
  'GH-12',
  '!34',
  '`',
  '**',
  '__',
  '~~',
  '| a |',
  '\n\n# h',
  '- ',
  '1. ',
  '&lt;b&gt;',
  '&#60;b&#62;',
  '\\',
  '$x$',
  '[x]: y',
);
const text = fc
  .array(fc.oneof(pieces, hostile), { minLength: 1, maxLength: 6 })
  .map((parts) => `x${parts.join('')}`);

describe('Markdown for a pull request', () => {
  it('shows an accepted weakness before the gate that passes, and not in green', () => {
    const { demo } = recordedRun();
    const scenarios = (demo.status?.scenarios ?? []).map((one) => ({
      ...one,
      expect: 'Held' as const,
      result: 'Held' as const,
      summary: 'FailsOpen, 30 of 10 in 1.2 s',
    }));
    const made = reportMarkdown(
      reportOf({ demo: { ...demo, status: { ...demo.status, scenarios } } }) as Report,
    );
    expect(made).toMatch(/^### ❌ counter-drift: FailsOpen, 30 of 10 admitted/);
    expect(made).toContain('| 🔴 FailsOpen | 30 of 10 admitted in 1.2 s | Held |');
    expect(made).not.toMatch(/✅|🟢|Nothing: /u);
  });

  it('a Markdown report contains only its own markup, and links nothing from texts', () => {
    const { types } = read(markdown('x'));
    fc.assert(
      fc.property(text, (hostileText) => {
        const made = markdown(hostileText);
        const seen = read(made);
        expect(seen.types).toEqual(types);
        expect(seen.text).not.toMatch(/[@#!]\w|https?:\/\/|www\.\w|GH-\d/i);
        expect(made).not.toMatch(/[^\P{Cc}\n]|##\[/u);
      }),
      { numRuns: 60 },
    );
  });
});
