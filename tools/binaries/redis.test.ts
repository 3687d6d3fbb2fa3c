import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { program, programs } from '../../packages/testbed/src/binaries/programs.fixture.ts';
import { ensureRedis } from './redis.ts';

const progress = (): void => {};

describe('ensureRedis', { timeout: 300_000 }, () => {
  it('reports what it found, and what to do, if it may not install', async () => {
    const folder = await programs({
      'redis-server': 'echo "Redis server v=6.0.16 sha=00000000:0"',
      'apt-get': 'exit 1',
    });
    await expect(ensureRedis({ env: { PATH: folder }, progress, root: false })).rejects.toMatchObject({
      code: 'REDIS_MISSING',
      message: expect.stringMatching(/redis-server is 6\.0\.16, older .*7\.0\.0, .*only root/),
      remedy: expect.stringContaining('apt-get install redis-server'),
    });
  });

  it('root installs Redis with services held back, and restores the policy', async () => {
    const folder = await programs({});
    const policyFile = join(folder, 'policy-rc.d');
    await writeFile(policyFile, 'own policy');
    await program(
      folder,
      'apt-get',
      [
        `echo "$@" >> ${folder}/calls`,
        `[ "$1" = install ] || exit 0`,
        `${policyFile} > ${folder}/policy-said || echo $? > ${folder}/policy-status`,
        `printf '#!/bin/sh\\necho "Redis server v=7.2.4 sha=0"\\n' > ${folder}/redis-server`,
        `/bin/chmod +x ${folder}/redis-server`,
      ].join('\n'),
    );
    const found = await ensureRedis({ env: { PATH: folder }, progress, root: true, policyFile });
    expect(found).toEqual({ path: join(folder, 'redis-server'), version: '7.2.4' });
    expect(await readFile(join(folder, 'calls'), 'utf8')).toBe(
      'update\ninstall --yes --no-install-recommends -o APT::Keep-Downloaded-Packages=false redis-server\n',
    );
    expect(await readFile(join(folder, 'policy-status'), 'utf8')).toBe('101\n');
    expect(await readFile(policyFile, 'utf8')).toBe('own policy');
  });
});
