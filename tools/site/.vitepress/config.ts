/** The site of the documentation. Its pages are the Markdown files of this repository, at the same paths. */
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { anchorOf } from '../anchor.ts';
import { contentsOf, heroOf } from '../contents.ts';
import { forSite } from '../markdown.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const hero = heroOf(root);
const contents = contentsOf(root);
const files = new Set<string>();

export default defineConfig({
  srcDir: root,
  srcExclude: ['!(docs|survey|helm|packages|test)/**/*.md'],
  rewrites: (page) => page.replace(/README\.md$/, 'index.md'),
  outDir: join(root, 'dist/site'),
  cacheDir: join(root, 'node_modules/.cache/site'),
  // Of a project page; --base names another.
  base: '/chaosdemo-operator/',
  lang: 'en-US',
  title: hero.name,
  description: hero.tagline,
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      {
        text: 'Documentation',
        items: contents.flatMap(({ text, items: [first] }) => (first ? { text, link: first.link } : [])),
      },
    ],
    sidebar: contents.map(({ text, items }) => ({ text, items: [...items] })),
  },
  markdown: {
    anchor: { slugify: anchorOf },
    config: (md) => forSite(md, root, files),
  },
  transformPageData(page) {
    if (page.relativePath !== 'index.md') return;
    page.title = hero.name;
    page.frontmatter = { layout: 'home', hero, titleTemplate: false };
  },
  async buildEnd({ outDir }) {
    for (const file of files) {
      await mkdir(dirname(join(outDir, file)), { recursive: true });
      await copyFile(join(root, file), join(outDir, file));
    }
  },
});
