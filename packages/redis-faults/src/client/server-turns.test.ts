/** How many servers are read at the same time. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { PerServer } from './per-server.ts';
import type { RedisTarget } from './redis-target.ts';
import { readAll } from './server-turns.ts';

const never = new AbortController().signal;

function targets(count: number, namespace: string): PerServer<RedisTarget> {
  const target = (i: number): RedisTarget => ({
    podName: `redis-${i}`,
    namespace,
    host: '127.0.0.1',
    port: 6379,
    tls: false,
  });
  return [target(0), ...Array.from({ length: count - 1 }, (_, i) => target(i + 1))];
}

/** Reads that end when told to; `open` and `most` count those that have begun and not ended. */
function reads() {
  const ends: PromiseWithResolvers<void>[] = [];
  const counts = { open: 0, most: 0, begun: 0 };
  const read = async (): Promise<number> => {
    const end = Promise.withResolvers<void>();
    ends.push(end);
    const place = counts.begun;
    counts.begun += 1;
    counts.open += 1;
    counts.most = Math.max(counts.most, counts.open);
    await end.promise.finally(() => {
      counts.open -= 1;
    });
    return place;
  };
  const endAll = async (): Promise<void> => {
    for (; ends.length > 0; await nextTurn()) for (const { resolve } of ends.splice(0)) resolve();
  };
  return { counts, endAll, ends, read };
}

describe('reading servers', () => {
  it('reads four of a namespace at the same time, whichever admissions they are of', async () => {
    const { counts, endAll, read } = reads();
    const all = [1, 2, 3].map(() => readAll(targets(64, 'shop'), read, false, never));
    await nextTurn();
    expect(counts.begun).toBe(4);
    await endAll();
    expect((await Promise.all(all)).flat()).toHaveLength(192);
    expect(counts.most).toBe(4);
  });

  it('keeps no other namespace and no check before a fault waiting', async () => {
    const silent = reads();
    const hanging = readAll(targets(64, 'shop'), silent.read, false, never);
    await nextTurn();
    const others = [readAll(targets(1, 'else'), async () => 1, false, never)];
    others.push(readAll(targets(1, 'shop'), async () => 1, true, never));
    expect(await Promise.all(others)).toEqual([[1], [1]]);
    await silent.endAll();
    await hanging;
  });
});
