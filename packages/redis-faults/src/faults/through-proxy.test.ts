/** What the operator's own connection through a fault proxy proves of a Blackhole and a Latency. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { EARLY_MS } from '../events.ts';
import { type FaultTools, NotInjectedError } from './fault.ts';
import type { StoreFault } from './fenced-fault.ts';
import { LateCommands } from './latency/latency.ts';
import type { Proof } from './proof.ts';
import { FakeProxy, preparedFault } from './proxied-fault.fixture.ts';
import { type Observed, unshown } from './shown.ts';
import { Blackhole } from './stall/stall.ts';

const FAULT_MS = 1200;
/** An end so early is after the proof of the start, and long before that of the fault, on a busy machine. */
const [EARLY_END_MS, LONG_MS] = [1000, 3000];
const LATENCY_MS = 200;

interface Behaviour {
  /** How late each command is answered, in milliseconds: before the fault, in it. */
  readonly lateMs?: readonly [before: number, during: number];
  /** How long the fault lasts in truth; milliseconds. */
  readonly lastsMs?: number;
  /** How it ends for connections that are open. */
  readonly ends?: 'Answers' | 'Closes';
  /** How long a read of Redis itself takes, so many milliseconds after the fault began; negative before that. */
  readonly read?: (sinceMs: number) => Promise<number>;
}

/** The fault on a port that answers so. */
async function faulted(
  make: (tools: FaultTools) => StoreFault,
  { ends = 'Answers', lastsMs = FAULT_MS, lateMs = [0, Number.POSITIVE_INFINITY], read }: Behaviour,
) {
  let begunAt = Number.POSITIVE_INFINITY;
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  let late = lateMs[0];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', () => {
      const answer = (): void => {
        waiting.delete(answer);
        socket.write('$9\r\nchaosdemo\r\n');
      };
      waiting.add(answer);
      if (Number.isFinite(late)) setTimeout(() => waiting.has(answer) && answer(), late);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const onBegin = (): void => {
    begunAt = Date.now();
    late = lateMs[1];
    setTimeout(() => {
      late = 0;
      if (ends === 'Closes') for (const socket of sockets) socket.destroy();
      else for (const answer of waiting) answer();
    }, lastsMs);
  };
  const current = { ...new FakeProxy().current, port };
  const run = await preparedFault(
    make,
    { current, onBegin, released: 0 },
    read && (() => read(Date.now() - begunAt)),
  );
  const whole = async (ms = FAULT_MS) => {
    const [until, began] = [Date.now() + ms, await run.inject(ms)];
    const ended = await run.ended();
    return { began, ended, until, unshown: unshown({}, run.events as Observed[], ended, until) };
  };
  return { ...run, sockets, whole };
}

const slowly = async (): Promise<number> => await sleep(301, 301);
const failing = async (): Promise<number> => {
  throw new Error('no answer came');
};

const blackhole = async (behaviour: Behaviour = {}) =>
  await faulted((tools) => new Blackhole(tools), behaviour);
const latency = async (behaviour: Behaviour = {}) =>
  await faulted((tools) => new LateCommands(tools, LATENCY_MS), {
    lateMs: [0, LATENCY_MS + 5],
    ...behaviour,
  });

it.each([
  ['Blackhole is Confirmed if no command is answered until its end', blackhole],
  ['Latency is Confirmed if commands are late until its end', latency],
])('a %s, and direct reads are answered at once', async (_, fault) => {
  const { sockets, whole } = await fault();
  const { began, ended, unshown: why, until } = await whole();
  expect(why).toBeUndefined();
  expect([began.proof, ended.proof]).toEqual(['Confirmed', 'Confirmed']);
  expect(ended.endedAt).toBeGreaterThan(until - EARLY_MS);
  await vi.waitFor(() => expect(sockets.size).toBe(0));
});

it.each<[string, Proof['proof'], string, typeof latency, Behaviour]>([
  ['Blackhole', 'Mismatch', 'commands are answered', blackhole, { lateMs: [0, 20] }],
  ['Blackhole', 'Inconclusive', 'Redis itself is slow', blackhole, { read: slowly }],
  ['Blackhole', 'Inconclusive', 'Redis itself does not answer', blackhole, { read: failing }],
  ['Latency', 'Mismatch', 'commands are answered at once', latency, { lateMs: [0, 0] }],
  ['Latency', 'Inconclusive', 'commands take too long', latency, { lateMs: [0, 2 * LATENCY_MS + 150] }],
  ['Latency', 'Inconclusive', 'Redis itself is slow', latency, { read: slowly }],
  ['Latency', 'Inconclusive', 'Redis itself does not answer', latency, { read: failing }],
])('a %s is %s from the start if %s', async (_, proof, __, fault, behaviour) => {
  expect(await (await fault(behaviour)).inject(FAULT_MS)).toMatchObject({ proof });
});

it.each<[string, string, typeof latency, Behaviour]>([
  ['Blackhole', 'an answer comes early', blackhole, { lastsMs: EARLY_END_MS }],
  ['Blackhole', 'the connection ends without an answer', blackhole, { ends: 'Closes' }],
  ['Latency', 'it ended early', latency, { lastsMs: EARLY_END_MS }],
  ['Latency', 'the connection ended', latency, { ends: 'Closes', lastsMs: EARLY_END_MS }],
])('a %s is Inconclusive at its end if %s', async (_, __, fault, behaviour) => {
  const { began, ended } = await (await fault(behaviour)).whole(LONG_MS);
  expect([began.proof, ended.proof]).toEqual(['Confirmed', 'Inconclusive']);
});

it.each([400, Number.POSITIVE_INFINITY])(
  'a Blackhole does not begin if answers take %d ms without it',
  async (ms) => {
    const { inject, proxy, sockets } = await blackhole({ lateMs: [ms, ms] });
    await expect(inject(FAULT_MS)).rejects.toThrow(NotInjectedError);
    expect(proxy.begun).toEqual([]);
    await vi.waitFor(() => expect(sockets.size).toBe(0));
  },
);

it.each([
  ['Latency', latency, 150],
  ['Blackhole', blackhole, 301],
] as const)('a %s is not shown if Redis itself was slow for half of it', async (_, fault, slowMs) => {
  const read = async (sinceMs: number): Promise<number> => (sinceMs > 1000 && sinceMs < 2500 ? slowMs : 1);
  const { began, unshown: why } = await (await fault({ read, lastsMs: LONG_MS })).whole(LONG_MS);
  expect(began.proof).toBe('Confirmed');
  expect(why).toMatch(/for \d+ % of its time/);
});
