/** The cost of a fault proxy without a fault: commands a second through it, next to those of direct connections. */

import { connect } from 'node:net';
import { startRedis } from '@chaosdemo/testbed';
import { startFaultProxy } from '../../test/kit/fault-proxy.ts';
import type { Benchmark, Row } from '../benchmark.ts';
import { median } from '../statistics.ts';

const ROUNDS = 9;
const ROUND_MS = 700;
/** Clients, and commands that each has in flight. */
const LOADS = [
  [1, 1],
  [50, 1],
  [50, 16],
] as const;

const INCR = '*2\r\n$4\r\nINCR\r\n$1\r\na\r\n';
const LF = 10;

interface Address {
  readonly host: string;
  readonly port: number;
}

export const faultProxy: Benchmark = {
  name: 'fault-proxy',
  what: 'commands per second through a fault proxy without a fault',
  async run({ say, signal }) {
    const redis = await startRedis();
    const proxy = await startFaultProxy(redis);
    try {
      const rows: Row[] = [];
      for (const [clients, depth] of LOADS) {
        const [direct, through] = [[] as Round[], [] as Round[]];
        for (let i = 0; i < ROUNDS; i += 1) {
          signal.throwIfAborted();
          direct.push(await round(redis, clients, depth));
          through.push(await round(proxy, clients, depth));
        }
        const load = `${clients} ${clients === 1 ? 'client' : 'clients'}, ${depth} in flight each`;
        say(load);
        const note = `median of ${ROUNDS} rounds of ${ROUND_MS} ms, in turns with direct ones`;
        const rateOf = (rounds: readonly Round[]): number => median(rounds.map(({ rate }) => rate));
        const waitOf = (rounds: readonly Round[]): number => median(rounds.map(({ waitMs }) => waitMs));
        rows.push(
          {
            what: `INCR through a fault proxy: ${load}`,
            value: rateOf(through),
            unit: '/s',
            baseline: { what: 'direct', value: rateOf(direct) },
            note,
          },
          {
            what: `median wait: ${load}`,
            value: waitOf(through),
            unit: 'ms',
            baseline: { what: 'direct', value: waitOf(direct) },
            note,
          },
        );
      }
      return rows;
    } finally {
      await proxy.kill();
      await redis.stop();
    }
  },
};

interface Round {
  readonly rate: number;
  readonly waitMs: number;
}

/** Clients that send the next commands once all of the last ones are answered. */
async function round(to: Address, clients: number, depth: number): Promise<Round> {
  const startedAt = performance.now();
  const waits: number[] = [];
  await Promise.all(
    Array.from({ length: clients }, async () => {
      const { promise, reject, resolve } = Promise.withResolvers<void>();
      const socket = connect({ host: to.host, port: to.port, noDelay: true });
      let [left, sentAt] = [0, 0];
      const send = (): void => {
        [left, sentAt] = [depth, performance.now()];
        socket.write(INCR.repeat(depth));
      };
      socket.on('connect', send).on('error', reject);
      socket.on('data', (chunk) => {
        for (const byte of chunk) if (byte === LF) left -= 1;
        if (left > 0) return;
        waits.push(performance.now() - sentAt);
        if (performance.now() - startedAt < ROUND_MS) return send();
        socket.destroy();
        resolve();
      });
      await promise;
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  return { rate: (waits.length * depth) / seconds, waitMs: median(waits) };
}
