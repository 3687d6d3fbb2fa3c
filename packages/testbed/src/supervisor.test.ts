import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type OwnedProcess, Supervisor } from './supervisor.ts';
import { isAlive, temporaryFolder } from './testing.fixture.ts';

const patience = { timeout: 120_000, interval: 50 };

describe('Supervisor', { timeout: 300_000 }, () => {
  it('stops processes and removes folders when it is closed', async () => {
    const { supervisor, folder } = await makeSupervisor();
    const data = supervisor.temporaryFolder('test');
    await writeFile(join(data, 'file'), 'content');
    const child = await startShell(supervisor, folder, 'sleep 1000');
    await supervisor.close();
    expect(child.exit).toEqual({ code: null, signal: 'SIGTERM' });
    expect(existsSync(data)).toBe(false);
  });

  it('kills a process that does not heed SIGTERM, with what it started', async () => {
    const { child, grandchild } = await startForking("trap '' TERM;", 'wait; wait');
    expect(await child.stop(200)).toEqual({ code: null, signal: 'SIGKILL' });
    await vi.waitUntil(() => !isAlive(grandchild), patience);
  });

  it.each(['exit 0', 'wait'])('kills what a process started when that ends (%s)', async (ending) => {
    const { child, grandchild } = await startForking('', ending);
    await child.stop();
    await vi.waitUntil(() => !isAlive(grandchild), patience);
  });

  it('leaves no process and no folder when its owner is killed with SIGKILL', async () => {
    const owner = await startOwner();
    owner.process.kill('SIGKILL');
    await vi.waitUntil(() => !isAlive(owner.child) && !isAlive(owner.grandchild), patience);
    await vi.waitUntil(() => !existsSync(owner.data), patience);
  });
});

async function makeSupervisor(): Promise<{ supervisor: Supervisor; folder: string }> {
  const supervisor = new Supervisor();
  onTestFinished(() => supervisor.close());
  return { supervisor, folder: await temporaryFolder() };
}

/** A shell that runs these commands before and after it has started a child. */
async function startForking(before: string, after: string) {
  const { supervisor, folder } = await makeSupervisor();
  const file = join(folder, 'grandchild');
  const script = `${before} sleep 1000 & echo $! > ${file}; ${after}`;
  const child = await startShell(supervisor, folder, script);
  return { child, grandchild: Number(await contentOf(file)) };
}

async function startShell(supervisor: Supervisor, folder: string, script: string): Promise<OwnedProcess> {
  return await supervisor.start({
    name: 'shell',
    command: '/bin/sh',
    args: ['-c', script],
    logFile: join(folder, 'log'),
  });
}

/** A process that owns a supervisor with a child, a grandchild and a folder. */
async function startOwner(): Promise<{
  process: ChildProcess;
  child: number;
  grandchild: number;
  data: string;
}> {
  const folder = await temporaryFolder();
  const script = `
    import { writeFileSync, renameSync } from 'node:fs';
    const { Supervisor } = await import(${JSON.stringify(new URL('supervisor.ts', import.meta.url).href)});
    const supervisor = new Supervisor();
    const data = supervisor.temporaryFolder('test');
    const child = await supervisor.start({
      name: 'shell',
      command: '/bin/sh',
      args: ['-c', 'sleep 1000 & echo $! > ${folder}/grandchild; wait'],
      logFile: data + '/log',
    });
    writeFileSync('${folder}/owner.new', JSON.stringify({ child: child.pid, data }));
    renameSync('${folder}/owner.new', '${folder}/owner');`;
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  onTestFinished(() => void owner.kill('SIGKILL'));
  const { child, data } = JSON.parse(await contentOf(join(folder, 'owner'))) as {
    child: number;
    data: string;
  };
  const grandchild = Number(await contentOf(join(folder, 'grandchild')));
  return { process: owner, child, grandchild, data };
}

async function contentOf(file: string): Promise<string> {
  return await vi.waitUntil(async () => existsSync(file) && (await readFile(file, 'utf8')).trim(), patience);
}
