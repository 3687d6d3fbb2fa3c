/** bootstrap.mjs in a small separate clone: what it installs, what it starts, and which signals arrive there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { folderOfTest } from '../kit/folder.ts';
import { withoutRealTime } from '../kit/pace.ts';
import { until } from '../kit/until.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

describe.skipIf(withoutRealTime)('bootstrap', () => {
  it('bootstrap passes on a signal once, from terminal and npm, and waits for the end', async () => {
    const clone = await makeClone({
      demo: `
        process.on('SIGINT', () => {
          process.stdout.write('signal ');
          setTimeout(() => { process.stdout.write('cleaned up'); process.exit(130); }, 1_000);
        });
        process.stdout.write('ready ');
        setInterval(() => {}, 1_000);`,
    });
    const bootstrap = start(clone, ['demo']);
    const output = text(bootstrap.stdout);
    await until(() => existsSync(join(clone, 'ready')), { what: 'the program to be ready' });
    bootstrap.kill('SIGINT');
    bootstrap.kill('SIGINT');
    expect((await ended(bootstrap)).status).toBe(130);
    expect(await output).toBe('ready signal cleaned up');
  });

  it('installs packages when there are none, and reports that', async () => {
    const clone = await makeClone({ demo: `process.stdout.write('the story');`, installed: 'none' });
    const { status, stdout, stderr } = await finish(start(clone, ['demo']));
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'the story' });
    expect(stderr).toMatch(/npm ci: no packages/);
    expect(await readFile(join(clone, 'npm-calls'), 'utf8')).toMatch(/^ci( --\S+)*\n$/);
  });

  it('reports what to do when npm fails', async () => {
    const clone = await makeClone({ demo: '', installed: 'none', npm: 'process.exit(3)' });
    const { status, stderr } = await finish(start(clone, ['demo']));
    expect(status).toBe(1);
    expect(stderr).toMatch(/npm ci .*status 3/);
    expect(stderr).toContain('Usual causes');
  });
});

/** What a clone under test consists of. */
interface Clone {
  /** Source of tools/demo/main.ts. */
  readonly demo: string;
  /** Version of the one package that is installed; default: that of the lock file. */
  readonly installed?: string;
  /** What stands in for npm. */
  readonly npm?: string;
}

const lockFile = (version: string): string =>
  JSON.stringify({
    packages: {
      '': { name: 'clone' },
      'node_modules/thing': { version },
      'node_modules/not-for-this-machine': { version: '1.0.0', optional: true },
    },
  });

async function makeClone({ demo, installed = '2.0.0', npm }: Clone): Promise<string> {
  const clone = folderOfTest();
  for (const file of ['bootstrap.mjs', 'tools/follow-parent.mjs'])
    await cp(join(repository, file), join(clone, file));
  await mkdir(join(clone, 'tools', 'demo'), { recursive: true });
  await writeFile(join(clone, 'package.json'), '{"type": "module"}');
  await writeFile(
    join(clone, 'tools', 'demo', 'main.ts'),
    `import { writeFileSync as write } from 'node:fs';\n${demo}\nwrite('ready', '');\n`,
  );
  await writeFile(join(clone, 'package-lock.json'), lockFile('2.0.0'));
  await mkdir(join(clone, 'node_modules', '.bin'), { recursive: true });
  await symlink(process.execPath, join(clone, 'node_modules', '.bin', 'node'));
  const record = join(clone, 'node_modules', '.package-lock.json');
  if (installed !== 'none') await writeFile(record, lockFile(installed));
  const install = `
    const fs = require('node:fs');
    fs.appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n');
    fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json');`;
  // In a separate folder: the clone's scripts are ES modules.
  await mkdir(join(clone, 'npm'));
  await writeFile(join(clone, 'npm', 'package.json'), '{}');
  await writeFile(join(clone, 'npm', 'npm-cli.js'), npm ?? install);
  await chmod(join(clone, 'npm', 'npm-cli.js'), 0o755);
  return clone;
}

function start(clone: string, args: string[]): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const env = { PATH: process.env['PATH'], HOME: clone, npm_execpath: join(clone, 'npm', 'npm-cli.js') };
  const child = spawn(process.execPath, ['bootstrap.mjs', ...args], {
    cwd: clone,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function finish(
  child: ChildProcess,
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error('the output is not piped');
  const [out, err, { status }] = await Promise.all([text(stdout), text(stderr), ended(child)]);
  return { status, stdout: out, stderr: err };
}

async function ended(child: ChildProcess): Promise<{ status: number | null }> {
  const [status] = (await once(child, 'exit')) as [number | null];
  return { status };
}
