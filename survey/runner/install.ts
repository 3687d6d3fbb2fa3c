/** Installs the program of a limiter by the lock file of its package manager, once a machine, outside the clone. */

import { createHash } from 'node:crypto';
import { cp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findInPath, platform, type StepOptions } from '@chaosdemo/testbed';
import { root } from '../../src/local/root.ts';
import { ensureFolder } from '../../tools/binaries/cache.ts';
import { withGo } from '../../tools/binaries/go.ts';
import { formatElapsed, withHeartbeat } from '../../tools/binaries/progress.ts';
import { output } from '../../tools/run.ts';
import type { Ecosystem, SurveyedLimiter } from './limiter.ts';
import { ensureJava, findPython } from './runtimes.ts';

const limiters = fileURLToPath(new URL('../limiters', import.meta.url));

/** What makes `folder` out of the program of a limiter. */
type Install = (limiter: SurveyedLimiter, folder: string, options: StepOptions) => Promise<void>;

/** What an earlier try by hand may have left there; no part of the program. */
const leftovers = new Set(['node_modules', 'target', '__pycache__', 'dist']);

const installs: Readonly<Record<Ecosystem, Install>> = {
  npm: async ({ name }, folder, options) => {
    await copyProgram(name, folder);
    const npm = await commandOfNpm(options.env);
    await run(
      npm,
      ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      folder,
      options,
    );
  },
  pip: async ({ name }, folder, options) => {
    await copyProgram(name, folder);
    const venv = join(folder, 'venv');
    await run([await findPython(options.env)], ['-m', 'venv', venv], folder, options);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:'];
    const lock = ['--require-hashes', '--requirement', 'requirements.txt'];
    await run([join(venv, 'bin', 'python')], [...pip, ...lock], folder, options);
  },
  go: async ({ name, goPackage = '.' }, folder, options) => {
    const module = {
      name,
      folder: join(root, 'survey', 'limiters', name, 'app'),
      packages: [goPackage],
      output: 'server',
    };
    await withGo(options, async (go) => await go.build(module, folder));
  },
  maven: async ({ name }, folder, options) => {
    const { env } = await ensureJava(options);
    const source = join(folder, 'source');
    await copyProgram(name, source);
    await run(['mvn'], ['--batch-mode', '--quiet', 'package'], source, { ...options, env });
    await rename(join(source, 'target', 'app.jar'), join(folder, 'app.jar'));
    await rm(source, { recursive: true });
  },
};

/** The folder of the installed program: at once when it is there, else after half a minute to a few. */
export async function install(limiter: SurveyedLimiter, options: StepOptions): Promise<string> {
  const { name, ecosystem } = limiter;
  const key = `survey/${name}-${await digestOf(programOf(name))}-${platform}`;
  return await ensureFolder(key, options, async (partial) => {
    const start = performance.now();
    await withHeartbeat(
      options.progress,
      () => `installing ${name} with ${ecosystem}`,
      () => installs[ecosystem](limiter, partial, options),
    );
    options.progress(`installed ${name} in ${formatElapsed(performance.now() - start)}`);
  });
}

/** The folder with the program of a limiter, as it is in this repository. */
export function programOf(name: string): string {
  return join(limiters, name, 'app');
}

/** The same npm that runs this, where one does; it may not be the one in PATH. */
async function commandOfNpm(env: NodeJS.ProcessEnv = process.env): Promise<string[]> {
  const own = env['npm_execpath'];
  return own?.endsWith('.js') ? [process.execPath, own] : [(await findInPath('npm', env)) ?? 'npm'];
}

async function copyProgram(name: string, folder: string): Promise<void> {
  const isOurs = (path: string): boolean => !leftovers.has(path.split('/').at(-1) ?? '');
  await cp(programOf(name), folder, { recursive: true, filter: isOurs });
}

async function run(
  [command = '', ...first]: readonly string[],
  args: readonly string[],
  cwd: string,
  { env, signal }: StepOptions,
): Promise<void> {
  await output(command, [...first, ...args], { cwd, signal, ...(env ? { env } : {}) });
}

/** Twelve hexadecimal digits over names and contents of all that the program is made of. */
async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) {
    const path = file.slice(folder.length);
    if (path.split('/').some((part) => leftovers.has(part))) continue;
    hash.update(`${path}\0`).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 12);
}
