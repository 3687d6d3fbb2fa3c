/** The contents of the site, as README.md lists them: the pages by purpose, and the head of its home page. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A page: its title, and the path of its Markdown from the root of the site. */
interface Page {
  readonly text: string;
  readonly link: string;
}

export interface Group {
  readonly text: string;
  readonly items: readonly Page[];
}

/** Pages by purpose: the list under "Documentation" of README.md, then research and the project. */
export function contentsOf(root: string): Group[] {
  const [, list = ''] = readme(root).split('## Documentation\n');
  const page = (file: string): Page => ({ text: titleOf(join(root, file)), link: `/${file}` });
  const groups = [...list.matchAll(/^- ([\w-]+):(.*(?:\n {2}.*)*)/gm)].map(([, text = '', links = '']) => ({
    text,
    items: [...links.matchAll(/\]\(([^)]+\.md)\)/g)].map(([, file = '']) => page(file)),
  }));
  const files = (pattern: string): string[] => globSync(pattern, { cwd: root }).sort();
  return [
    ...groups,
    { text: 'Research', items: files('docs/research/*.md').map(page) },
    {
      text: 'Project',
      items: files('*.md')
        .filter((file) => file !== 'README.md')
        .map(page),
    },
  ];
}

/** The question and the answer with which README.md begins, and its doors: rows of its first table, with their first link. */
export function heroOf(root: string) {
  const [text = ''] = readme(root).split('\n## ');
  const [, question = '', answer = ''] = /^\*\*(.+)\*\*\n\n([^]+?)\n\n/m.exec(text) ?? [];
  const doors = [...text.matchAll(/^\| (\S[^|]*?) +\| [^|]*?\]\((\S+?)\)/gm)];
  return {
    name: titleOf(join(root, 'README.md')),
    text: question,
    tagline: answer.replaceAll(/\s+/g, ' ').replaceAll(/\[(.*?)\]\(.*?\)/g, '$1'),
    actions: doors.map(([, text = '', link = ''], i) => ({
      text,
      link: `/${link}`,
      theme: i === 0 ? ('brand' as const) : ('alt' as const),
    })),
  };
}

const readme = (root: string): string => readFileSync(join(root, 'README.md'), 'utf8');

const titleOf = (file: string): string => /^# (.*)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
