import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FOLDER, fileHash, MANIFEST, REMAKE, readManifest } from './manifest.ts';
import { asPictured, type Shown, versions } from './shown.ts';

/** The most bytes of a picture: a reader of the README loads all pictures. */
const MOST = { svg: 60 * 1024, webp: 250 * 1024 } as const;
const root = fileURLToPath(new URL('../../', import.meta.url));
const manifest = await readManifest();
const files = Object.keys(manifest.files);

/** What a page of the documentation shows, as paths from the root. */
function picturesIn(page: string): string[] {
  const folder = page.includes('/') ? 'docs/' : '';
  return [
    ...readFileSync(`${root}${page}`, 'utf8').matchAll(/(?:src|srcset)="([^"]+)"|!\[[^\]]*\]\(([^)]+)\)/g),
  ].map(([, tag, link]) => `${folder}${tag ?? link}`);
}

const shown = new Set(
  [
    'README.md',
    ...readdirSync(`${root}docs`).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
  ].flatMap(picturesIn),
);

// A failure shows its name, and so what to do.
describe(`the pictures in docs/pictures (${REMAKE})`, () => {
  it.each(['view', 'pages'] satisfies Shown[])('show the %s as they are now', (what) => {
    expect(versions()[what]).toBe(manifest.shown[what]);
  });

  it('are those that were made together, as they were made', () => {
    expect(readdirSync(FOLDER).toSorted()).toEqual([MANIFEST, ...files].toSorted());
    const hashes = files.map((file) => [file, fileHash(readFileSync(`${FOLDER}${file}`))]);
    expect(Object.fromEntries(hashes)).toEqual(manifest.files);
  });

  it('stand all in the documentation, which shows no others', () => {
    expect(files.filter((file) => !shown.has(`docs/pictures/${file}`))).toEqual([]);
    expect([...shown].filter((path) => !files.includes(path.replace('docs/pictures/', '')))).toEqual([]);
  });

  it.each(files)('%s is small, and an SVG says what is on it', (file) => {
    const content = readFileSync(`${FOLDER}${file}`);
    const kind = file.endsWith('.svg') ? 'svg' : 'webp';
    expect(content.length).toBeLessThan(MOST[kind]);
    expect(content.length).toBeGreaterThan(1024);
    if (kind === 'svg') {
      const text = content.toString();
      expect(text).toMatch(/<title id="title">[^<]+<\/title>\n<desc id="about">[^<]+<\/desc>/);
      expect(text).not.toMatch(/<(script|image|use|foreignObject)\b|\s(href|on\w+)=|url\(|@import/i);
    }
  });
});

it('a rule for another width or for paper, and a script, make no other picture', () => {
  const rule = (condition: string) => `@media ${condition}{a{b:c}d{e:f}}`;
  const seen = ['(prefers-color-scheme:dark)', '(max-width:900px)', '(min-width:640px)'].map(rule).join('');
  const unseen = ['(max-width:640px)', '(min-width:1280px)', 'print'].map(rule).join('');
  expect(asPictured(`x{y:z}${seen}${unseen}<script>1</script>`)).toBe(`x{y:z}${seen}`);
});
