import type { Redis } from 'ioredis';

/** How often Redis has carried out a command, such as `client|pause`, by its own count. */
export async function callsOf(redis: Pick<Redis, 'info'>, command: string): Promise<number> {
  const stats = await redis.info('commandstats');
  return Number(stats.split(`cmdstat_${command}:calls=`)[1]?.split(',')[0] ?? 0);
}
