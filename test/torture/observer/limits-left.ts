/** Which limits of demos there still are, in a Redis and by the word of its nodes. */
import { Redis } from 'ioredis';
import type { RedisUser } from '../../../src/local/redis-users.ts';

/** Names of the limits of demos in a Redis, as `rl:limit:demo-a`. @throws where it does not answer */
export async function limitsIn(
  { host, port }: { readonly host: string; readonly port: number },
  user: RedisUser,
): Promise<string[]> {
  const redis = new Redis({ host, port, ...user, lazyConnect: true });
  redis.on('error', () => {});
  try {
    await redis.connect();
    const [, keys] = await redis.scan('0', 'MATCH', 'rl:limit:demo-*', 'COUNT', 10_000);
    // Of one that was removed a mark stays for an hour.
    const defined = await Promise.all(keys.map(async (key) => await redis.hexists(key, 'limit')));
    return keys.filter((_, i) => defined[i] === 1);
  } finally {
    redis.disconnect();
  }
}

/** Those of these keys that a node still limits, or may, as `demo-a at ratelimiter-0`. @throws where one does not answer */
export async function limitsOf(
  nodes: readonly { readonly name: string; readonly url: string }[],
  keys: readonly string[],
): Promise<string[]> {
  const looks = nodes.flatMap(({ name, url }) =>
    keys.map(async (key) => {
      const { status } = await fetch(`${url}/limit?key=${encodeURIComponent(key)}`);
      if (status === 404) return [];
      return [status === 200 ? `${key} at ${name}` : `${key} at ${name}, which answers ${status}`];
    }),
  );
  return (await Promise.all(looks)).flat();
}
