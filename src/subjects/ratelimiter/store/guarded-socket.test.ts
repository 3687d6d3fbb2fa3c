import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { GuardedSocket } from './guarded-socket.ts';
import { startHostileRedis } from './hostile-redis.fixture.ts';
import type { RespBounds } from './resp-scanner.ts';

const KIB = 1024;
const bounds: RespBounds = {
  bulkBytes: 64 * KIB,
  frameBytes: 64 * KIB + 16,
  elements: 16,
  depth: 2,
  lineBytes: 32,
};
const PING = '*1\r\n$4\r\nPING\r\n';

/** A guard and the server's end of its connection. */
async function pair(): Promise<{ guard: GuardedSocket; server: Socket }> {
  const accepted = Promise.withResolvers<Socket>();
  const { host, port, stop } = await startHostileRedis((socket) => {
    socket.resume();
    accepted.resolve(socket);
  });
  onTestFinished(stop);
  const guard = new GuardedSocket(connect({ host, port }), 'connect', { bounds, connectTimeout: 60_000 });
  guard.on('error', () => undefined);
  onTestFinished(() => void guard.destroy());
  await once(guard, 'connect');
  return { guard, server: await accepted.promise };
}

/** Asks for `replies`, and returns what has been read since, in the chunks it came in. */
function ask(guard: GuardedSocket, replies: number): Buffer[] {
  const read: Buffer[] = [];
  guard.on('data', (chunk: Buffer) => read.push(chunk));
  guard.write(PING.repeat(replies));
  return read;
}

describe('GuardedSocket', () => {
  it('passes on whole replies only, unchanged, however they are cut', async () => {
    const { guard, server } = await pair();
    const read = ask(guard, 0);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 20 }),
        async (bulks, sizes) => {
          const replies = bulks.map((bulk) =>
            Buffer.concat([Buffer.from(`$${bulk.length}\r\n`), bulk, Buffer.from('\r\n')]),
          );
          const sent = Buffer.concat(replies);
          const ends = new Set(replies.map((_, index) => Buffer.concat(replies.slice(0, index + 1)).length));
          read.length = 0;
          guard.write(PING.repeat(replies.length));
          let at = 0;
          for (const size of [...sizes, sent.length]) {
            const part = sent.subarray(at, at + size);
            at += part.length;
            server.write(part);
            // Sockets are read between two turns: this is what keeps the parts apart.
            await nextTurn();
          }
          await vi.waitFor(() => expect(Buffer.concat(read).equals(sent)).toBe(true), { interval: 1 });
          let end = 0;
          for (const chunk of read) {
            end += chunk.length;
            expect(ends).toContain(end);
          }
        },
      ),
      { numRuns: 60 },
    );
    expect(guard.destroyed).toBe(false);
  });

  it('lets the server wait while nobody reads, and loses nothing', async () => {
    const { guard, server } = await pair();
    const replies = 400;
    const reply = Buffer.concat([
      Buffer.from(`$${64 * KIB}\r\n`),
      Buffer.alloc(64 * KIB, 'x'),
      Buffer.from('\r\n'),
    ]);
    let bytes = 0;
    guard.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    guard.pause();
    guard.write(PING.repeat(replies));
    for (let sent = 0; sent < replies; sent += 1) server.write(reply);
    await vi.waitFor(() => expect(guard.readableLength).toBeGreaterThan(0), { timeout: 60_000 });
    // Once the buffers of both ends are full, nothing moves any more: they hold far less than the 25 MiB sent.
    for (let before = -1; before !== server.writableLength; await sleep(200)) before = server.writableLength;
    expect(guard.readableLength).toBeLessThan(1024 * KIB);
    expect(server.writableLength).toBeGreaterThan(1024 * KIB);
    guard.resume();
    await vi.waitFor(() => expect(bytes).toBe(replies * reply.length), { timeout: 60_000 });
  });

  it('ends with the server, without an error', async () => {
    const { guard, server } = await pair();
    const closed = once(guard, 'close');
    server.end();
    await closed;
    expect(guard.errored).toBeNull();
    expect(guard.writable).toBe(false);
  });

  it('refuses to send what is no command', async () => {
    const { guard } = await pair();
    const [error]: unknown[] = await new Promise((failed) => {
      guard.write('PING\r\n', (...args) => failed(args));
    });
    expect(error).toMatchObject({ code: 'UNKNOWN_TYPE' });
    expect(guard.destroyed).toBe(true);
  });
});
