/** Libraries of rate limiters: how the dependencies of a project name them, and the setting that changes the outcome. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import libraries from './libraries.json' with { type: 'json' };

/**
 * A rate limiter of the survey. `dependency`: part of the name by which its package manager knows it. `setting` changes
 * the outcome of a stall; `window` is the setting for 15 s. Its texts are Markdown.
 */
export type Library = (typeof libraries)[number];

export const LIBRARIES: readonly Library[] = libraries;

/** Package managers list the dependencies of a project in these. */
const FILES = ['package.json', 'requirements.txt', 'pyproject.toml', 'go.mod', 'pom.xml', 'build.gradle'];
/** Only the beginning of a file is searched. */
const MOST_BYTES = 256 * 1024;

/** The libraries that the dependency files in a folder name anywhere. */
export async function librariesIn(folder: string): Promise<readonly Library[]> {
  const all = canonical((await Promise.all(FILES.map((file) => startOf(join(folder, file))))).join('\n'));
  return LIBRARIES.filter(({ dependency }) => all.includes(canonical(dependency)));
}

/** '' without such a file. */
async function startOf(path: string): Promise<string> {
  return await text(createReadStream(path, { end: MOST_BYTES - 1 })).catch(() => '');
}

/** In Python, Flask_Limiter and flask-limiter are the same. */
function canonical(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** The settings of these libraries, as sentences. */
export function settingsText(found: readonly Library[]): string {
  if (found.length === 0) return 'The settings of common libraries are in docs/configure.md.';
  const each = found.map(({ name, outcome, setting }) => `Setting for ${name}: ${setting} (${outcome}).`);
  return `${each.join(' ').replaceAll('`', '')} docs/configure.md has more.`;
}
