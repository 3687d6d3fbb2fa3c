/** What the operator's own connection through a fault proxy proves of a Blackhole and a Latency. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type FaultTools, NotInjectedError, type StoreFault } from './fault.ts';
import { LateCommands } from './latency/late-commands.ts';
import { FakeProxy, preparedFault } from './proxied-fault.fixture.ts';
import { type Observed, unshown } from './shown.ts';
import { Blackhole } from './stall/blackhole.ts';

const FAULT_MS = 1200;
/** Long enough that an end after {@link EARLY_END_MS} is early, and after the proof of the start, on a busy machine. */
const LONG_MS = 3000;
const EARLY_END_MS = 1000;
const LATENCY_MS = 200;

interface Behaviour {
  /** How late each command is answered, in milliseconds: before the fault, in it. */
  readonly lateMs?: readonly [before: number, during: number];
  /** How long the fault lasts in truth; milliseconds. */
  readonly lastsMs?: number;
  /** How it ends for connections that are open. */
  readonly ends?: 'Answers' | 'Closes';
  readonly read?: () => Promise<number>;
}

/** The fault on a port that answers so. */
async function faulted(
  make: (tools: FaultTools) => StoreFault,
  { ends = 'Answers', lastsMs = FAULT_MS, lateMs = [0, Number.POSITIVE_INFINITY], read }: Behaviour,
) {
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
    late = lateMs[1];
    setTimeout(() => {
      late = 0;
      if (ends === 'Closes') for (const socket of sockets) socket.destroy();
      else for (const answer of waiting) answer();
    }, lastsMs);
  };
  const current = { ...new FakeProxy().current, port };
  const run = await preparedFault(make, { current, onBegin, released: 0 }, read);
  const whole = async (ms = FAULT_MS) => {
    const [until, began] = [Date.now() + ms, await run.inject(ms)];
    const ended = await run.ended();
    return { began, ended, unshown: unshown({}, run.events as Observed[], ended, until) };
  };
  return { ...run, sockets, whole };
}

const slowly = async (): Promise<number> => await sleep(301, 301);
const failing = async (): Promise<number> => {
  throw new Error('no answer came');
};

describe('a Blackhole', () => {
  const blackhole = async (behaviour: Behaviour = {}) =>
    await faulted((tools) => new Blackhole(tools), behaviour);

  it('is Confirmed if no command is answered until its end, and direct reads are', async () => {
    const { sockets, whole } = await blackhole();
    const { began, ended, ...seen } = await whole();
    expect(seen).toEqual({ unshown: undefined });
    expect(began).toMatchObject({ proof: 'Confirmed' });
    expect(ended).toMatchObject({ proof: 'Confirmed', endedAt: expect.any(Number) });
    const lasted = (ended.endedAt ?? 0) - (began.startedAt ?? 0);
    expect(lasted).toBeGreaterThan(FAULT_MS - 250);
    await vi.waitFor(() => expect(sockets.size).toBe(0));
  });

  it('is a Mismatch if commands are answered', async () => {
    expect(await (await blackhole({ lateMs: [0, 20] })).inject(FAULT_MS)).toMatchObject({
      proof: 'Mismatch',
    });
  });

  it.each([
    ['Redis itself is slow', { read: slowly }],
    ['Redis itself does not answer', { read: failing }],
  ])('is Inconclusive from the start if %s', async (_, behaviour) => {
    expect(await (await blackhole(behaviour)).inject(FAULT_MS)).toMatchObject({ proof: 'Inconclusive' });
  });

  it.each([
    ['an answer comes early', { lastsMs: EARLY_END_MS }],
    ['the connection ends without an answer', { ends: 'Closes' }],
  ] as const)('is Inconclusive at its end if %s', async (_, behaviour) => {
    const { began, ended } = await (await blackhole(behaviour)).whole(LONG_MS);
    expect([began.proof, ended.proof]).toEqual(['Confirmed', 'Inconclusive']);
  });

  it.each([400, Number.POSITIVE_INFINITY])('does not begin if answers take %d ms without it', async (ms) => {
    const { inject, proxy, sockets } = await blackhole({ lateMs: [ms, ms] });
    await expect(inject(FAULT_MS)).rejects.toThrow(NotInjectedError);
    expect(proxy.begun).toEqual([]);
    await vi.waitFor(() => expect(sockets.size).toBe(0));
  });
});

describe('a Latency', () => {
  const latency = async (behaviour: Behaviour = {}) =>
    await faulted((tools) => new LateCommands(tools, LATENCY_MS), {
      lateMs: [0, LATENCY_MS + 5],
      ...behaviour,
    });

  it('is Confirmed if commands are late until its end, and direct reads are not', async () => {
    const { began, ended, ...seen } = await (await latency()).whole();
    expect(seen).toEqual({ unshown: undefined });
    expect(began).toMatchObject({ proof: 'Confirmed' });
    expect(ended).toMatchObject({ proof: 'Confirmed', endedAt: expect.any(Number) });
  });

  it.each([
    ['Mismatch', 'commands are answered at once', { lateMs: [0, 0] }],
    ['Inconclusive', 'commands take more than twice as long', { lateMs: [0, 2 * LATENCY_MS + 150] }],
    ['Inconclusive', 'Redis itself is slow', { read: slowly }],
    ['Inconclusive', 'Redis itself does not answer', { read: failing }],
  ] as const)('is %s from the start if %s', async (proof, _, behaviour) => {
    expect(await (await latency(behaviour)).inject(FAULT_MS)).toMatchObject({ proof });
  });

  it.each([
    ['it ended early', { lastsMs: EARLY_END_MS }],
    ['the connection ended', { ends: 'Closes', lastsMs: EARLY_END_MS }],
  ] as const)('is Inconclusive at its end if %s', async (_, behaviour) => {
    const { began, ended } = await (await latency(behaviour)).whole(LONG_MS);
    expect([began.proof, ended.proof]).toEqual(['Confirmed', 'Inconclusive']);
  });
});

it.each([
  ['Latency', (tools: FaultTools) => new LateCommands(tools, LATENCY_MS), [0, LATENCY_MS + 5], 150],
  ['Blackhole', (tools: FaultTools) => new Blackhole(tools), [0, Number.POSITIVE_INFINITY], 301],
] as const)('a %s is not shown if Redis itself was slow for half of it', async (_, make, lateMs, slowMs) => {
  const begun = Date.now();
  const read = async (): Promise<number> => (Math.abs(Date.now() - begun - 600) < 300 ? slowMs : 1);
  const { began, unshown: why } = await (await faulted(make, { lateMs, read })).whole();
  expect(began.proof).toBe('Confirmed');
  expect(why).toMatch(/for \d+ % of its time/);
});
