/** Makes Markdown that is written for a Git host work on the site. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';

type Token = ReturnType<MarkdownRenderer['parse']>[number];

/** Elements that pages use. Anything else in angle brackets is text. */
const ELEMENTS = /^<(?:!--|\/?(?:p|picture|source|img|br|a)\b)/;

/**
 * Changes links and HTML of each page. `files` gets the paths, from `root`, of files that pages link to and that are
 * no pages. Throws for a link to a file that does not exist.
 */
export function forSite(md: MarkdownRenderer, root: string, files: Set<string>): void {
  const changeLink = (token: Token, page: string): void => {
    const [path = '', anchor] = (token.attrGet('href') ?? '').split('#');
    if (path === '' || /^[a-z]+:/i.test(path)) return;
    const target = join(dirname(page), decodeURI(path));
    if (!existsSync(target) || statSync(target).isDirectory()) {
      throw new Error(`${relative(root, page)} links to ${path}, which is not a file`);
    }
    if (!path.endsWith('.md')) files.add(relative(root, target));
    const home = path.replace(/README\.md$/, 'index.md');
    token.attrSet('href', anchor === undefined ? home : `${home}#${anchor}`);
  };
  const changeHtml = (token: Token): void => {
    if (!ELEMENTS.test(token.content)) token.content = md.utils.escapeHtml(token.content);
    // Only paths that begin with a dot are images of the site, which have to exist.
    token.content = token.content.replace(/\b(src|srcset)="(?![./]|[a-z]+:)/g, '$1="./');
  };
  const change = (tokens: readonly Token[], page: string): void => {
    for (const token of tokens) {
      if (token.type === 'link_open') changeLink(token, page);
      if (token.type.startsWith('html_')) changeHtml(token);
      change(token.children ?? [], page);
    }
  };
  md.core.ruler.push('for-site', ({ tokens, env }) => {
    const { path, realPath = path } = env as { path: string; realPath?: string };
    if (relative(root, realPath) === 'README.md') removeHero(tokens);
    change(tokens, realPath);
  });
}

/** The home page shows the title, the question and the answer above the text: see `heroOf`. */
function removeHero(tokens: Token[]): void {
  const [, , , , first] = tokens;
  const end = first?.children?.findIndex(({ type }) => type === 'strong_close') ?? -1;
  first?.children?.splice(0, end + 1);
  tokens.splice(6, 3);
  tokens.splice(0, 3);
}
