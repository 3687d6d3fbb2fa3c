import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../packages/testbed/src/testing.fixture.ts';
import { placeAtomically } from './cache.ts';

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
