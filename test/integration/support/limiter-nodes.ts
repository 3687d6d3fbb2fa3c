/** Real nodes of the reference rate limiter, in a process of their own, for tests. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RedisServer } from '../../../src/local/redis-server.ts';
import type { NodeTarget } from '../../../src/subjects/ratelimiter/index.ts';

const HOST = fileURLToPath(new URL('limiter-host.ts', import.meta.url));

export type LimiterMode = 'approximate' | 'strict';

export interface LimiterNodes {
  /** Three of each mode. */
  readonly nodes: Record<LimiterMode, NodeTarget[]>;
  /** Ends the process and waits until it is gone. */
  stop(): Promise<void>;
}

/** Starts three nodes of each mode over one Redis; resolves once all of them listen. */
export async function startLimiterNodes(redis: RedisServer): Promise<LimiterNodes> {
  const wanted = (['approximate', 'strict'] as const).flatMap((mode) =>
    [1, 2, 3].map((i) => `${mode}-${i}=${mode}`),
  );
  // Its input is a pipe from here: it ends with this process, however that ends.
  const child = spawn(process.execPath, [HOST, String(redis.port), ...wanted], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit');
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([text]) => String(text)),
    gone.then(() => undefined),
  ]);
  if (line === undefined) throw new Error('the limiter nodes ended before they listened');
  const all = JSON.parse(line) as NodeTarget[];
  const of = (mode: LimiterMode): NodeTarget[] => all.filter(({ name }) => name.startsWith(mode));
  return {
    nodes: { approximate: of('approximate'), strict: of('strict') },
    stop: async () => {
      child.stdin.end();
      await gone;
    },
  };
}
