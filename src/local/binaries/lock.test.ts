import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import * as files from 'node:fs/promises';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { withLock } from './lock.ts';

// Of a file system over a network, of which none can be had here: the answer to a rename that was done is lost.
vi.mock('node:fs/promises', { spy: true });

const timing = { renewMs: 50, staleMs: 50_000, waitMs: 100_000 };
/** Of a holder that never renews its lock, as one that gets no turn on a busy machine. */
const starved = { renewMs: 1e9, staleMs: 50, waitMs: 100_000 };
const quiet = (): void => undefined;

/** Work of which never more than one piece may be under way. */
function alone(ms: number): () => Promise<void> {
  let working = 0;
  return async () => {
    working += 1;
    expect(working).toBe(1);
    await sleep(ms);
    working -= 1;
  };
}

describe('withLock', { timeout: 300_000 }, () => {
  it('lets one work at a time, tells the other once that it waits, and renews the lock meanwhile', async () => {
    const folder = await temporaryFolder();
    const lock = join(folder, 'lock');
    let working = 0;
    let waits = 0;
    const work = async (): Promise<void> => {
      working++;
      expect(working).toBe(1);
      const taken = (await stat(lock)).mtimeMs;
      await vi.waitUntil(async () => (await stat(lock)).mtimeMs > taken, { timeout: 20_000 });
      working--;
    };
    await Promise.all([1, 2].map(() => withLock(lock, () => waits++, work, timing)));
    expect(waits).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it.runIf(process.platform === 'linux')(
    'waits for a holder that lives and gets no turn to renew',
    async () => {
      const lock = join(await temporaryFolder(), 'lock');
      const work = alone(600);
      await Promise.all([1, 2].map(() => withLock(lock, quiet, work, starved)));
      expect(existsSync(lock)).toBe(false);
    },
  );

  it.runIf(process.platform === 'linux')('takes over the lock of a process that died, at once', async () => {
    const lock = join(await temporaryFolder(), 'lock');
    await leftByOneThatWasKilled(lock);
    const onWait = vi.fn<() => void>();
    await withLock(lock, onWait, async () => expect(existsSync(lock)).toBe(true), timing);
    expect(onWait).not.toHaveBeenCalled();
    expect(existsSync(lock)).toBe(false);
  });

  it('lets one of several take over what was left', async () => {
    const folder = await temporaryFolder();
    const lock = join(folder, 'lock');
    await mkdir(lock);
    await writeFile(join(lock, 'another-machine.7.99.abc'), '');
    const work = alone(20);
    await Promise.all(Array.from({ length: 8 }, () => withLock(lock, quiet, work, starved)));
    expect(await readdir(folder)).toEqual([]);
  });

  it.each(['another-machine.7.99.abc', undefined])(
    'takes over the lock of a holder that cannot be looked up (%s) only when it is not renewed any more',
    async (holder) => {
      const lock = join(await temporaryFolder(), 'lock');
      await mkdir(lock);
      if (holder) await writeFile(join(lock, holder), '');
      let renews = true;
      let moment = 1e9;
      const renewal = setInterval(() => void utimes(lock, moment, moment++), 1);
      onTestFinished(() => clearInterval(renewal));
      const timing = { ...starved, staleMs: 400 };
      const taking = withLock(lock, quiet, async () => expect(renews).toBe(false), timing);
      await sleep(1500);
      renews = false;
      clearInterval(renewal);
      await taking;
      expect(existsSync(lock)).toBe(false);
    },
  );

  it.each(['another-machine.7.99.abc', undefined])(
    'knows a lock as its own where the rename that took it was done and nobody said so (%s)',
    async (left) => {
      const folder = await temporaryFolder();
      const lock = join(folder, 'lock');
      if (left) {
        await mkdir(lock);
        await writeFile(join(lock, left), '');
      }
      const { rename } = await vi.importActual<typeof files>('node:fs/promises');
      vi.mocked(files.rename).mockImplementationOnce(async (from, to) => {
        await rename(from, to);
        throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      });
      const work = vi.fn<() => Promise<void>>();
      await withLock(lock, quiet, work, { ...starved, waitMs: 5000 });
      expect(work).toHaveBeenCalledOnce();
      expect(await readdir(folder)).toEqual([]);
    },
  );

  it('names the lock when its holder takes too long', async () => {
    const lock = join(await temporaryFolder(), 'lock');
    await mkdir(lock);
    const waiting = withLock(lock, quiet, async () => {}, { renewMs: 50, staleMs: 60_000, waitMs: 10 });
    await expect(waiting).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
      message: expect.stringContaining(lock),
    });
  });

  it('gives the lock back when the work fails', async () => {
    const lock = join(await temporaryFolder(), 'lock');
    const failing = withLock(
      lock,
      quiet,
      async () => {
        await readFile('/nonexistent');
      },
      timing,
    );
    await expect(failing).rejects.toThrow('ENOENT');
    expect(existsSync(lock)).toBe(false);
  });

  it('leaves the lock to one that has taken it over meanwhile', async () => {
    const lock = join(await temporaryFolder(), 'lock');
    await withLock(lock, quiet, async () => {
      const [holder = ''] = await readdir(lock);
      await rm(join(lock, holder));
      await writeFile(join(lock, 'another-machine.7.99.abc'), '');
    });
    expect(await readdir(lock)).toEqual(['another-machine.7.99.abc']);
  });
});

/** Has a process take the lock, and kills it. */
async function leftByOneThatWasKilled(lock: string): Promise<void> {
  const holding = `
    const { withLock } = await import(${JSON.stringify(new URL('lock.ts', import.meta.url).href)});
    await withLock(${JSON.stringify(lock)}, () => {}, async () => {
      console.log('taken');
      await new Promise((resolve) => setTimeout(resolve, 1e6));
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', holding], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
