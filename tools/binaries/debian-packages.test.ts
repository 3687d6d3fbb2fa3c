import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { programs } from '../../packages/testbed/src/binaries/programs.fixture.ts';
import { installMissing, type PackageOptions } from './debian-packages.ts';

const missing = {
  fix: 'REDIS_MISSING',
  found: 'redis-server is 6.0.16, older than 7.0.0',
  packages: ['redis-server'],
  what: 'the Debian package redis-server',
} as const;
const install = async (options: Omit<PackageOptions, 'progress'>): Promise<void> =>
  await installMissing(missing, { progress: () => undefined, ...options });

describe('packages that cannot be installed', () => {
  it('are reported with what was found, and what to do, if apt-get is missing', async () => {
    await expect(install({ env: { PATH: await programs({}) }, root: true })).rejects.toMatchObject({
      code: 'REDIS_MISSING',
      message: expect.stringMatching(new RegExp(`^${missing.found}, .*no apt-get$`)),
      remedy: expect.stringContaining('apt-get install redis-server') as string,
    });
  });

  it("a failed installation reports apt-get's error, and leaves no policy behind", async () => {
    const PATH = await programs({ 'apt-get': 'echo "E: no network" >&2; exit 100' });
    const policyFile = join(PATH, 'policy-rc.d');
    await expect(install({ env: { PATH }, root: true, policyFile })).rejects.toMatchObject({
      code: 'REDIS_MISSING',
      message: `${PATH}/apt-get update: E: no network`,
    });
    expect(existsSync(policyFile)).toBe(false);
  });
});
