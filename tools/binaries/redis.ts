/** Finds a Redis that can be started, or installs Debian's package if possible. */
import { findRedis, type RedisBinary, TestbedError } from '@chaosdemo/testbed';
import { installMissing, type PackageOptions } from './debian-packages.ts';

/**
 * A Redis from PATH, else Debian's package when root (no service is started). Throws REDIS_MISSING with the attempts.
 */
export async function ensureRedis(options: PackageOptions): Promise<RedisBinary> {
  try {
    return await findRedis(options.env);
  } catch (error) {
    if (!(error instanceof TestbedError)) throw error;
    const packages = ['redis-server'];
    const missing = { found: error.message, packages, what: 'the Debian package redis-server' };
    await installMissing({ fix: 'REDIS_MISSING', ...missing }, options);
  }
  return await findRedis(options.env);
}
