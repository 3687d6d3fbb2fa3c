import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { programs } from './programs.fixture.ts';
import { findRedis } from './redis-binary.ts';

it('takes redis-server before valkey-server', async () => {
  const folder = await programs({
    'redis-server': 'echo "Redis server v=7.0.15 sha=00000000:0"',
    'valkey-server': 'echo "Valkey server v=8.1.0 sha=00000000:0"',
  });
  expect(await findRedis({ PATH: folder })).toEqual({
    path: join(folder, 'redis-server'),
    version: '7.0.15',
  });
});

it('findRedis reports what it found instead of a server, and installs nothing', async () => {
  const folder = await programs({ 'apt-get': `echo "$@" >> "$0.calls"` });
  await expect(findRedis({ PATH: folder })).rejects.toMatchObject({
    code: 'REDIS_MISSING',
    message: expect.stringMatching(/redis-server nor valkey-server .*PATH$/),
  });
  expect(existsSync(join(folder, 'apt-get.calls'))).toBe(false);
});
