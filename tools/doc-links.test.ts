import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import MarkdownIt from 'markdown-it';
import { expect, it } from 'vitest';
import { anchorOf } from './site/anchor.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const markdown = new MarkdownIt({ html: true });
type Token = ReturnType<typeof markdown.parse>[number];

const parsed = new Map<string, Token[]>();
function read(page: string): Token[] {
  const tokens = parsed.get(page) ?? markdown.parse(readFileSync(join(root, page), 'utf8'), {});
  parsed.set(page, tokens);
  return tokens;
}
const pages = [
  '.',
  'docs',
  'docs/research',
  'survey',
  'corpus',
  'helm/chaosdemo-operator',
  'packages/kube-runtime',
  'packages/redis-faults',
].flatMap((folder) =>
  readdirSync(join(root, folder)).flatMap((name) => (name.endsWith('.md') ? [join(folder, name)] : [])),
);

/** Addresses that a page links to or shows, of Markdown and of HTML. */
function linksOf(tokens: readonly Token[]): string[] {
  return tokens.flatMap((token) => {
    const html = token.type.startsWith('html_')
      ? [...token.content.matchAll(/\b(?:href|src|srcset)="([^"]*)"/g)].map(([, address]) => address ?? '')
      : [];
    const own = [token.attrGet('href'), token.attrGet('src')].filter((link) => typeof link === 'string');
    return [...own, ...html, ...linksOf(token.children ?? [])];
  });
}

/** The anchors that GitHub gives the headings of a page. */
function anchorsOf(tokens: readonly Token[]): Set<string> {
  const anchors = new Set<string>();
  for (const [i, { type }] of tokens.entries()) {
    if (type !== 'heading_open') continue;
    const texts = (tokens[i + 1]?.children ?? []).filter((part) => /^(text|code_inline)$/.test(part.type));
    const anchor = anchorOf(texts.map(({ content }) => content).join(''));
    let number = 0;
    while (anchors.has(number === 0 ? anchor : `${anchor}-${number}`)) number++;
    anchors.add(number === 0 ? anchor : `${anchor}-${number}`);
  }
  return anchors;
}

/** Why a link leads nowhere; undefined: it does not. */
function brokenBy(page: string, link: string): string | undefined {
  const [path = '', anchor] = decodeURI(link).split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(root, target))) return 'no such file';
  if (anchor === undefined || statSync(join(root, target)).isDirectory()) return undefined;
  return anchorsOf(read(target)).has(anchor) ? undefined : 'no such heading';
}

it.each(pages)('%s links to files and headings that there are', (page) => {
  const links = linksOf(read(page)).filter((link) => !/^[a-z]+:/i.test(link));
  const broken = links.flatMap((link) => {
    const why = brokenBy(page, link);
    return why === undefined ? [] : [`${link}: ${why}`];
  });
  expect(broken).toEqual([]);
});

it.each(pages)('%s names test files that exist', (page) => {
  const named = readFileSync(join(root, page), 'utf8').matchAll(
    /`((?:src|packages|test|bench|tools)\/[^` ]+\.test\.ts)`/g,
  );
  expect([...named].map(([, file = '']) => file).filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

it('README.md lists every page of docs', () => {
  const listed = new Set(linksOf(read('README.md')).map((link) => link.split('#')[0]));
  expect(pages.filter((page) => /^docs\/[^/]+$/.test(page) && !listed.has(page))).toEqual([]);
});
