/** Checks that the tests of this project ran on the very server that it names. */
import { findRedis } from '@chaosdemo/testbed';
import { describe, expect, inject, it } from 'vitest';
import { REDIS_RELEASES } from '../../../tools/offline/redis-releases.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** What the project is called: a release, or 'this machine'. */
    redisServer: string;
    /** Releases that could not be had, and why. */
    redisMissing: Readonly<Record<string, string>>;
  }
}

const server = inject('redisServer');
const wanted = REDIS_RELEASES.some(({ name }) => name === server) ? `${server.split('-')[1]}.` : '';

it('is the requested server', async () => {
  const { version } = await findRedis();
  expect(version.startsWith(wanted), `${version} is ${server}`).toBe(true);
});

describe.runIf(server === 'this machine')('among the servers', () => {
  const missing = inject('redisMissing');
  it.for(REDIS_RELEASES.map(({ name }) => name))('is %s', (name, context) => {
    const why = missing[name];
    if (why !== undefined) context.skip(why);
    expect(why).toBeUndefined();
  });
});
