/** The operator as its image runs it: the bundle, with the environment that the Dockerfile sets. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
/** A build takes a second; a busy machine may take longer. */
const BUILD_MS = 120_000;

/** A program and the environment it is started with. */
export interface Program {
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Bundles the programs as the image does, into `outdir` (default: where `npm run build`
 * puts them), and returns the operator. @throws when the build fails, with what it said
 */
export async function buildOperator(signal: AbortSignal, outdir = 'dist/image'): Promise<Program> {
  const args = [join(root, 'scripts/build.mjs'), `--outdir=${outdir}`];
  await promisify(execFile)(process.execPath, args, { signal, timeout: BUILD_MS });
  const env = imageEnvironment(await readFile(join(root, 'Dockerfile'), 'utf8'));
  return { file: join(root, outdir, 'operator.mjs'), env: { ...process.env, ...env } };
}

/**
 * What ENV sets in the last stage of a Dockerfile, as far as values have no spaces. Pure.
 * @throws when it sets nothing: the file is written in a way that is not read here
 */
export function imageEnvironment(dockerfile: string): Record<string, string> {
  const lines = dockerfile.split('\n');
  const lastStage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')) + 1);
  const set = lastStage
    .filter((line) => line.startsWith('ENV '))
    .flatMap((line) => [...line.matchAll(/(\w+)=(\S+)/g)])
    .map(([, name = '', value = '']): [string, string] => [name, value]);
  if (set.length === 0) throw new Error('the last stage of the Dockerfile has no line "ENV name=value"');
  return Object.fromEntries(set);
}
