/** The npm package that `npm run build` makes, from its tarball in an empty folder. */
import { spawnSync } from 'node:child_process';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ChaosDemo } from '../../src/api/index.ts';
import { folderOfFile } from '../kit/folder.ts';
import { withoutRealTime } from '../kit/pace.ts';

const MOST_BYTES = 10 * 1024 * 1024;

const root = fileURLToPath(new URL('../../', import.meta.url));
const api = fileURLToPath(new URL('../fixtures/local/api-with-limit.ts', import.meta.url));
const folder = folderOfFile();
let tarball: string;

/** Runs a command with this Node first on PATH; returns what it wrote. */
function run(command: string, args: readonly string[]): string {
  const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter);
  const { status, stderr, stdout } = spawnSync(command, args, {
    cwd: folder,
    env: { ...process.env, PATH, KUBECONFIG: join(folder, 'none') },
  });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${String(stderr)}${String(stdout)}`);
  return String(stdout);
}

const bin = (name: string): string => join(folder, 'node_modules', '.bin', name);

beforeAll(async () => {
  const built = join(folder, 'built');
  run(process.execPath, [join(root, 'scripts/build-package.mjs'), `--outdir=${built}`]);
  run('npm', ['pack', '--offline', '--ignore-scripts', built]);
  await rm(built, { recursive: true });
  const file = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
  tarball = join(folder, file);
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball]);
});

it('is small, needs no other package, and has the licences of all in it', async () => {
  expect((await stat(tarball)).size).toBeLessThan(MOST_BYTES);
  const installed = join(folder, 'node_modules', 'chaosdemo');
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as object;
  expect(manifest).not.toHaveProperty('dependencies');
  expect(manifest).not.toHaveProperty('scripts');
  const licences = await readFile(join(installed, 'THIRD-PARTY.md'), 'utf8');
  const named = [...licences.matchAll(/^## (\S+) \S+ \((.+)\)$/gm)].map(([, name, terms]) => [name, terms]);
  expect(new Map(named as [string, string][]).get('ioredis')).toBe('MIT');
});

it('has the commands chaosdemo and kubectl chaosdemo, with one version', async () => {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  expect(run(bin('chaosdemo'), ['--version'])).toBe(`${version}\n`);
  expect(run(bin('kubectl-chaosdemo'), ['--version'])).toBe(`${version}\n`);
  expect(run(bin('kubectl-chaosdemo'), ['--help'])).toContain('doctor');
});

describe.skipIf(withoutRealTime)('without anything else', () => {
  it('tests an API through its fault proxy, and judges the history again', async () => {
    const facts = ['--limit=10', '--window=5s', '--key-header=X-Api-Key', '--fault=Refuse', '--duration=3s'];
    const start = `--start=${process.execPath} ${api}`;
    run(bin('chaosdemo'), ['test', '--plain', start, ...facts, '--report-dir=run']);
    const file = join(folder, 'run', 'chaosdemo.json');
    const { status } = JSON.parse(await readFile(file, 'utf8')) as ChaosDemo;
    expect(status?.scenarios?.[0]).toMatchObject({ result: 'Held', fault: { proof: 'Confirmed' } });
    run(bin('chaosdemo'), ['check', 'run/history.jsonl', '--against', file]);
  });
});
