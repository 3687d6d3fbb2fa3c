import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ForbiddenError } from '../../subjects/cluster.ts';
import { type Handlers, Peer } from './peer.ts';

type Sum = {
  add(one: number, two: number): number;
  count(to: number): string;
  wait(): string;
  fail(how: 'forbidden' | 'other'): void;
};

const handlers: Handlers<Sum> = {
  add: async (_, one, two) => one + two,
  count: async ({ report }, to) => {
    for (let i = 1; i <= to; i += 1) report(i);
    return 'counted';
  },
  wait: async ({ signal }) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    signal.addEventListener('abort', () => resolve(`undone after ${(signal.reason as Error).message}`));
    return await promise;
  },
  fail: async (_, how) => {
    if (how === 'forbidden') throw new ForbiddenError('may not');
    throw Object.assign(new TypeError('a bug'), { command: 'AUTH secret' });
  },
};

/** Two ends; the second has the handlers. */
function pair(): [Peer<Sum>, Peer<Sum>] {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  return [new Peer<Sum>(port1, {}), new Peer<Sum>(port2, handlers)];
}

describe('a request to another thread', () => {
  it('has a result', async () => {
    const [one] = pair();
    expect(await Promise.all([one.request('add', [1, 2]), one.request('add', [3, 4])])).toEqual([3, 7]);
  });

  it('reports in order before its result', async () => {
    const [one] = pair();
    const seen: unknown[] = [];
    seen.push(await one.request('count', [3], undefined, (value) => seen.push(value)));
    expect(seen).toEqual([1, 2, 3, 'counted']);
  });

  it('is awaited after an abort until it is undone there', async () => {
    const [one] = pair();
    const stop = new AbortController();
    const result = one.request('wait', [], stop.signal);
    stop.abort(new Error('a restore'));
    expect(await result).toBe('undone after a restore');
    await expect(one.request('wait', [], stop.signal)).rejects.toThrow('a restore');
  });

  it('fails with the class that somebody tells apart, and nothing else', async () => {
    const [one] = pair();
    await expect(one.request('fail', ['forbidden'])).rejects.toBeInstanceOf(ForbiddenError);
    const error: unknown = await one.request('fail', ['other']).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'TypeError', message: 'a bug' });
    expect(error).not.toHaveProperty('command');
  });

  it('fails at once when the other end is gone, and requests to this end are aborted', async () => {
    const [one, two] = pair();
    const result = one.request('wait', []);
    await one.request('add', [0, 0]);
    two.end(new Error('gone'));
    one.end(new Error('gone'));
    await expect(result).rejects.toThrow('gone');
    await expect(one.request('add', [1, 2])).rejects.toThrow('gone');
  });
});
