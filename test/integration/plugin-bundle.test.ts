/** What `npm run build` makes of the plugin: one file that needs no other, and a package for npm. */
import { spawnSync } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;
let built: string;

/** Runs a command with this Node first on PATH; returns what it wrote. */
function run(command: string, args: readonly string[]): string {
  const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter);
  const { status, stderr, stdout } = spawnSync(command, args, {
    cwd: folder,
    env: { ...process.env, PATH, KUBECONFIG: join(folder, 'none') },
  });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${String(stderr)}`);
  return String(stdout);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chaosdemo-bundle-'));
  built = join(folder, 'built');
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build-plugin.mjs', `--outdir=${built}`], {
    cwd: root,
  });
  if (status !== 0) throw new Error(`the build ended with ${status}: ${String(stderr)}`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('is one file that runs anywhere, and says its version and its commands', async () => {
  const alone = join(folder, 'kubectl-chaosdemo');
  await copyFile(join(built, 'kubectl-chaosdemo.mjs'), alone);
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  expect(run(alone, ['--version'])).toBe(`${version}\n`);
  expect(run(alone, ['run', '--help'])).toContain('--filename');
});

it('is a package for npm without dependencies', async () => {
  const manifest = JSON.parse(await readFile(join(built, 'package.json'), 'utf8')) as object;
  expect(manifest).not.toHaveProperty('dependencies');
  run('npm', [
    'install',
    '--global',
    '--offline',
    '--no-audit',
    `--prefix=${join(folder, 'installed')}`,
    built,
  ]);
  const bin = join(folder, 'installed', 'bin', 'kubectl-chaosdemo');
  expect(run(bin, ['--help'])).toContain('doctor');
});
