/** Blackhole and Latency: bytes wait, and no connection loses, gains or swaps any. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { until } from '../testing/until.fixture.ts';
import { HOLDER, proxied, received } from './proxy.fixture.ts';

/** A proxy before a server, and one connection through both: its two ends. */
async function connected() {
  const accepted: Socket[] = [];
  const { dial, proxy } = await proxied((socket) => void accepted.push(socket));
  const client = await dial();
  await until(() => accepted.length === 1);
  const [server] = accepted;
  if (!server) throw new Error('no connection was accepted');
  return { accepted, client, dial, proxy, server };
}

describe('a connection that a fault makes wait', () => {
  const chunks = fc.array(
    fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 100_000 }), fc.integer({ min: 0, max: 3 })),
    { minLength: 1, maxLength: 10 },
  );
  const fault = fc.record({
    type: fc.constantFrom('Blackhole', 'Latency'),
    begins: fc.nat(9),
    ends: fc.constantFrom('Release', 'Timer'),
    ms: fc.integer({ min: 1, max: 40 }),
    latencyMs: fc.integer({ min: 1, max: 30 }),
    isNew: fc.boolean(),
  });

  it('passes every byte in order, both ways, whenever the fault begins and ends', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, chunks, fault, async (requests, replies, { ends, isNew, ...rest }) => {
        const accepted: Socket[] = [];
        const { dial, proxy } = await proxied((socket) => void accepted.push(socket));
        const latencyMs = rest.type === 'Latency' ? rest.latencyMs : 0;
        const begin = (): void => {
          proxy.begin(rest.type, ends === 'Timer' ? rest.ms : 60_000, HOLDER, latencyMs);
        };
        if (isNew) begin();
        const client = await dial();
        await until(() => accepted.length === 1);
        const server = accepted[0] as Socket;
        const [atClient, atServer] = [received(client), received(server)];
        const send = async (socket: Socket, list: typeof requests, at: (i: number) => void) => {
          for (const [i, [bytes, waits]] of list.entries()) {
            at(i);
            socket.write(bytes);
            // Stops reading for a while.
            if (waits === 3) socket.pause();
            if (waits > 0) await sleep(waits);
            socket.resume();
          }
        };
        await Promise.all([
          send(client, requests, (i) => {
            if (!isNew && i === rest.begins % requests.length) begin();
          }),
          send(server, replies, () => undefined),
        ]);
        // That of a new connection would have given up.
        if (!isNew) client.end();
        if (ends === 'Release') await proxy.end(HOLDER);
        await until(() => proxy.state.fault === null);
        client.end();
        await Promise.all([atClient.ended, atServer.ended]);
        const text = (list: typeof requests): string =>
          Buffer.concat(list.map(([bytes]) => bytes)).toString('latin1');
        expect(atServer.text() === text(requests)).toBe(true);
        expect(atClient.text() === text(replies)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('holds few bytes back, however many are sent, in either direction', async () => {
    const { client, proxy, server } = await connected();
    proxy.begin('Blackhole', 60_000, HOLDER);
    const sent = { client: 0, server: 0 };
    const block = Buffer.alloc(64 * 1024);
    for (const [name, socket] of [
      ['client', client],
      ['server', server],
    ] as const) {
      const fill = (): void => {
        while (sent[name] < 100_000_000 && socket.write(block)) sent[name] += block.length;
      };
      socket.on('drain', fill);
      fill();
    }
    await sleep(300);
    const before = { ...sent };
    await sleep(200);
    // Buffers of the system and of three processes in one, and nothing that grows.
    expect(sent).toEqual(before);
    expect(Math.max(sent.client, sent.server)).toBeLessThan(32_000_000);
  });
});

describe('a Blackhole', () => {
  it('lets no byte pass until its timer ends it, of old and new connections', async () => {
    const { accepted, client, dial, proxy, server } = await connected();
    const [atClient, atServer] = [received(client), received(server)];
    const began = performance.now();
    expect(proxy.begin('Blackhole', 400, HOLDER)).toHaveLength(1);
    client.write('request');
    server.write('reply');
    const fresh = await dial();
    fresh.write('hello');
    await until(() => accepted.length === 2);
    const atFresh = received(accepted[1] as Socket);
    await sleep(200);
    if (proxy.state.fault !== null) {
      expect([atClient.text(), atServer.text(), atFresh.text()]).toEqual(['', '', '']);
    }
    await until(() => atServer.text() === 'request' && atClient.text() === 'reply');
    expect(performance.now() - began).toBeGreaterThanOrEqual(399);
    await until(() => atFresh.text() === 'hello');
    expect(proxy.state).toMatchObject({ faults: 1, fault: null });
  });

  it('forgets a client that connected in it and gave up, and no other', async () => {
    const { accepted, client, dial, proxy, server } = await connected();
    const atServer = received(server);
    proxy.begin('Blackhole', 60_000, HOLDER);
    const fresh = await dial();
    await until(() => accepted.length === 2);
    const atFresh = received(accepted[1] as Socket);
    for (const socket of [client, fresh]) socket.end('late');
    await until(() => proxy.connections.length === 1);
    await atFresh.ended;
    expect(atFresh.text()).toBe('');
    await proxy.end(HOLDER);
    await atServer.ended;
    expect(atServer.text()).toBe('late');
  });
});

it('a Latency delays each chunk to Redis by the same time, and no reply', async () => {
  const { accepted, client, dial, proxy, server } = await connected();
  const latencyMs = 150;
  const arrived = new Map<string, number>();
  server.on('data', (chunk: Buffer) => {
    for (const each of chunk.toString()) arrived.set(each, performance.now());
    server.write(chunk);
  });
  expect(proxy.begin('Latency', 60_000, HOLDER, latencyMs)).toHaveLength(1);
  const { text } = received(client);
  const sent = new Map<string, number>();
  for (const each of 'abcdefgh') {
    sent.set(each, performance.now());
    client.write(each);
    await sleep(20);
  }
  await until(() => text() === 'abcdefgh');
  for (const [each, at] of arrived) expect(at - (sent.get(each) ?? 0)).toBeGreaterThanOrEqual(latencyMs - 1);
  // Sent while others wait: delayed one after the other, the last would come seven delays after the first.
  const lasted = (times: ReadonlyMap<string, number>): number =>
    (times.get('h') ?? 0) - (times.get('a') ?? 0);
  expect(lasted(arrived)).toBeLessThan(lasted(sent) + 5 * latencyMs);
  const began = performance.now();
  (await dial()).write('z');
  await until(() => accepted.length === 2);
  await once(accepted[1] as Socket, 'data');
  expect(performance.now() - began).toBeGreaterThanOrEqual(latencyMs - 1);
  client.write('i');
  server.write('!');
  await until(() => text() === 'abcdefgh!');
  expect(arrived.has('i')).toBe(false);
});
