import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { cacheRoot, placeAtomically, withLock } from './cache.ts';

const timing = { renewMs: 50, staleMs: 50_000, waitMs: 100_000 };

describe('cacheRoot', () => {
  it.each([
    [{ XDG_CACHE_HOME: '/x', HOME: '/home/me' }, '/x/chaosdemo'],
    [{ HOME: '/home/me' }, '/home/me/.cache/chaosdemo'],
    [{ XDG_CACHE_HOME: 'relative', HOME: '/home/me' }, '/home/me/.cache/chaosdemo'],
    [{ XDG_CACHE_HOME: '', HOME: '' }, `${homedir()}/.cache/chaosdemo`],
  ])('for %j is %s', (env, folder) => {
    expect(cacheRoot(env)).toBe(folder);
  });
});

describe('placeAtomically', () => {
  it('replaces what was there, whole', async () => {
    const target = join(await temporaryFolder(), 'target');
    await mkdir(target);
    await writeFile(join(target, 'old'), '');
    await placeAtomically(target, (folder) => writeFile(join(folder, 'new'), 'text'));
    expect(await readdir(target)).toEqual(['new']);
    expect(await readdir(join(target, '..'))).toEqual(['target']);
  });

  it('leaves what was there, and nothing else, when filling fails', async () => {
    const target = join(await temporaryFolder(), 'target');
    await mkdir(target);
    await writeFile(join(target, 'old'), '');
    const filling = placeAtomically(target, async (folder) => {
      await writeFile(join(folder, 'new'), 'text');
      throw new Error('disk full');
    });
    await expect(filling).rejects.toThrow('disk full');
    expect(await readdir(target)).toEqual(['old']);
    expect(await readdir(join(target, '..'))).toEqual(['target']);
  });
});

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

  it('takes over the lock of a process that died', async () => {
    const folder = await temporaryFolder();
    const lock = join(folder, 'lock');
    await mkdir(lock);
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(lock, longAgo, longAgo);
    await withLock(
      lock,
      () => {},
      async () => expect((await stat(lock)).mtimeMs).toBeGreaterThan(longAgo.getTime()),
      timing,
    );
    expect(existsSync(lock)).toBe(false);
  });

  it('names the lock when its holder takes too long', async () => {
    const lock = join(await temporaryFolder(), 'lock');
    await mkdir(lock);
    const waiting = withLock(
      lock,
      () => {},
      async () => {},
      { renewMs: 50, staleMs: 60_000, waitMs: 10 },
    );
    await expect(waiting).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
      message: expect.stringContaining(lock),
    });
  });

  it('gives the lock back when the work fails', async () => {
    const lock = join(await temporaryFolder(), 'lock');
    const failing = withLock(
      lock,
      () => {},
      async () => {
        await readFile('/nonexistent');
      },
      timing,
    );
    await expect(failing).rejects.toThrow('ENOENT');
    expect(existsSync(lock)).toBe(false);
  });
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
