import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../packages/testbed/src/testing.fixture.ts';
import { withLock } from './lock.ts';

const timing = { staleMs: 60_000, waitMs: 100_000 };
const quiet = (): void => undefined;

describe('withLock', { timeout: 300_000 }, () => {
  it('lets one work at a time, and notifies the other once that it waits', async () => {
    const folder = await temporaryFolder();
    const lock = join(folder, 'lock');
    const waiting = Promise.withResolvers<void>();
    let waits = 0;
    const onWait = (): void => {
      waits += 1;
      waiting.resolve();
    };
    const order: string[] = [];
    const held = Promise.withResolvers<void>();
    const first = withLock(lock, quiet, async () => {
      held.resolve();
      await waiting.promise;
      order.push('first');
    });
    await held.promise;
    const second = withLock(lock, onWait, async () => void order.push('second'), timing);
    await Promise.all([first, second]);
    expect([order, waits]).toEqual([['first', 'second'], 1]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes over the lock of a process that was killed once it is stale', async () => {
    const lock = join(await temporaryFolder(), 'lock');
    await leftByOneThatWasKilled(lock);
    expect(existsSync(lock)).toBe(true);
    const held = await withLock(lock, quiet, async () => existsSync(lock), { ...timing, staleMs: 2000 });
    expect([held, existsSync(lock)]).toEqual([true, false]);
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
