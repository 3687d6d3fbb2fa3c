import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { platform } from '@chaosdemo/testbed';
import { describe, expect, it } from 'vitest';
import { programs } from '../../packages/testbed/src/binaries/programs.fixture.ts';
import { folderOfTest } from '../../test/kit/folder.ts';
import { ensurePrograms, nodePrograms, type ProgramSet } from './programs.ts';
import { toolsFolder } from './tools-folder.ts';

const set: ProgramSet = {
  name: 'a program',
  key: 'program-v1',
  takes: 'no time',
  modules: [{ name: 'a program', folder: join(toolsFolder, 'pause'), packages: ['x'], output: 'program' }],
};

describe('ensurePrograms', () => {
  it('takes what is cached without a look at Go', async () => {
    const { env, cache } = await isolated('exit 1');
    const folder = join(cache, `program-v1-${platform}`);
    await mkdir(folder, { recursive: true });
    expect(await ensurePrograms(set, { env, progress: () => {} })).toBe(folder);
  });

  it('builds once, and clears what a killed build left of the same', async () => {
    const { env, cache } = await isolated(
      'case $1 in build) mkdir "$GOCACHE" "$GOMODCACHE"; echo $GOFLAGS > "$GOMODCACHE/flags"; while [ "$1" != -o ]; do shift; done; echo built > $2;; esac',
    );
    await mkdir(join(cache, `program-v1-${platform}.partial-abc123`), { recursive: true });
    await mkdir(join(cache, 'another.partial-abc123'), { recursive: true });
    const folder = await ensurePrograms(set, { env, progress: () => {} });
    expect(await readFile(join(folder, 'program'), 'utf8')).toBe('built\n');
    // Go's own caches, which are larger than all that is built, are gone.
    expect(await readdir(join(cache, '..'))).toEqual(['programs']);
    expect((await readdir(cache)).sort()).toEqual(['another.partial-abc123', `program-v1-${platform}`]);
  });
});

describe('the pinned modules', () => {
  it('name in their tools.go every program that is built from them', async () => {
    const { modules } = await nodePrograms();
    const foreign = modules.flatMap(({ folder, packages }) =>
      packages.filter((path) => !path.startsWith('chaosdemo.dev/')).map((path) => [folder, path] as const),
    );
    for (const [folder, path] of foreign) {
      expect(await readFile(join(folder, 'tools.go'), 'utf8')).toContain(`_ "${path}"`);
    }
    expect(foreign.length).toBeGreaterThan(7);
  });

  it('make a key that changes with their versions', async () => {
    expect((await nodePrograms()).key).toMatch(/^node-v1\.\d+\.\d+-containerd-v2\.\S+-coredns-v1\.\S+$/);
  });
});

/** A separate home, and a `go` that does this. */
async function isolated(go: string): Promise<{ env: NodeJS.ProcessEnv; cache: string }> {
  const [home, bin] = [folderOfTest(), await programs({ go })];
  return {
    env: { HOME: home, PATH: `${bin}:/bin:/usr/bin` },
    cache: join(home, '.cache/chaosdemo/programs'),
  };
}
