import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { until } from '../testing/until.fixture.ts';
import { HOLDER, proxied, received } from './proxy.fixture.ts';

const READONLY = "-READONLY You can't write against a read only replica.\r\n";
/** Every command of these tests has these bytes, so a server can count them without any parsing. */
const INCR = '*2\r\n$4\r\nINCR\r\n$1\r\na\r\n';

/** A server that replies `:1`, `:2` and so on to its commands, each so late. */
function counting(lateMs: () => number = () => 0) {
  return (socket: Socket): void => {
    let [bytes, replied] = [0, 0];
    let before = Promise.resolve();
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      for (; replied < Math.floor(bytes / INCR.length); replied += 1) {
        const reply = `:${replied + 1}\r\n`;
        before = before.then(async () => {
          const ms = lateMs();
          if (ms > 0) await sleep(ms);
          socket.write(reply);
        });
      }
    });
    socket.on('end', () => void before.then(() => socket.end()));
  };
}

describe('without a fault, the proxy', () => {
  it('passes every byte in order, both ways, with slow readers and half-open ends', async () => {
    const chunk = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 100_000 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { minLength: 1, maxLength: 12 }), async (chunks) => {
        // Sends back what it gets, and stops reading now and then.
        const { dial } = await proxied((socket) => {
          socket.on('data', (bytes: Buffer) => {
            socket.write(bytes);
            if (bytes.length % 3 === 0) {
              socket.pause();
              setTimeout(() => socket.resume(), 2);
            }
          });
          socket.on('end', () => socket.end());
        });
        const socket = await dial();
        const { ended, text } = received(socket);
        for (const [bytes, waits] of chunks) {
          socket.write(bytes);
          if (waits) await sleep(1);
        }
        socket.end();
        await ended;
        expect(text()).toBe(Buffer.concat(chunks.map(([bytes]) => bytes)).toString('latin1'));
      }),
      { numRuns: 20 },
    );
  });

  it('holds few bytes for a client that does not read', async () => {
    let sent = 0;
    const { dial } = await proxied((socket) => {
      const block = Buffer.alloc(64 * 1024);
      const fill = (): void => {
        while (sent < 100_000_000 && socket.write(block)) sent += block.length;
      };
      socket.on('drain', fill);
      fill();
    });
    const socket = await dial();
    socket.pause();
    await sleep(300);
    const before = sent;
    await sleep(200);
    // Buffers of the system and of three processes in one, and nothing that grows.
    expect(sent).toBe(before);
    expect(sent).toBeLessThan(32_000_000);
  });

  it('has at most 1,000 connections, and resets further ones', async () => {
    const { proxy, dial } = await proxied(counting());
    const sockets = await Promise.all(Array.from({ length: 1000 }, dial));
    await until(() => proxy.connections.length === 1000);
    const further = connect(proxy.state.port, '127.0.0.1');
    expect(await received(further).ended).toBe('ECONNRESET');
    expect(proxy.connections).toHaveLength(1000);
    sockets[0]?.destroy();
    await until(() => proxy.connections.length === 999);
    const { text } = received(sockets[1] ?? (await dial()));
    sockets[1]?.write(INCR);
    await until(() => text() === ':1\r\n');
  });
});

describe('a Refuse', () => {
  it('resets open connections, refuses new ones, and ends by its own timer', async () => {
    const { proxy, dial } = await proxied(counting());
    const { ended } = received(await dial());
    await until(() => proxy.connections.length === 1);
    const began = performance.now();
    expect(proxy.begin('Refuse', 400, HOLDER)).toHaveLength(1);
    expect(await ended).toBe('ECONNRESET');
    const { port } = proxy.state;
    const refused = await once(connect(port, '127.0.0.1'), 'error').then(
      ([error]) => error as NodeJS.ErrnoException,
    );
    expect(refused.code).toBe('ECONNREFUSED');
    expect(proxy.state).toMatchObject({
      faults: 1,
      port,
      fault: { type: 'Refuse' },
    });
    await until(() => proxy.state.fault === null);
    expect(performance.now() - began).toBeGreaterThanOrEqual(399);
    const socket = await dial();
    const { text } = received(socket);
    socket.write(INCR);
    await until(() => text() === ':1\r\n');
    expect(proxy.state.port).toBe(port);
  });

  it('is begun only by the holder in charge, one at a time, for a bounded time', async () => {
    const { proxy } = await proxied(counting());
    expect(() => proxy.begin('Refuse', 500, 'another-holder')).toThrow('another holder is in charge');
    expect(proxy.state).toMatchObject({ faults: 0, fault: null });
    proxy.begin('Refuse', 2000, HOLDER);
    expect(() => proxy.begin('StalePrimary', 500, HOLDER)).toThrow('is active');
    proxy.takeCharge('another-holder');
    await expect(proxy.end(HOLDER)).rejects.toThrow('another holder is in charge');
    await proxy.end('another-holder');
    expect(proxy.state.fault).toBeNull();
  });
});

describe('a StalePrimary', () => {
  it('answers old connections in order, after what was pending, and passes new ones', async () => {
    const { proxy, dial } = await proxied(counting(() => 30));
    const old = await dial();
    const { ended, text } = received(old);
    old.write(INCR.repeat(3));
    await until(() => proxy.connections.length === 1 && text() !== '');
    expect(proxy.begin('StalePrimary', 600, HOLDER)).toHaveLength(1);
    old.write(`${INCR}${INCR}PING\r\n`);
    await until(() => text().endsWith('+PONG\r\n'));
    const fresh = await dial();
    const other = received(fresh);
    fresh.write(INCR);
    await until(() => other.text() === ':1\r\n');
    await ended;
    expect(text()).toBe(`:1\r\n:2\r\n:3\r\n${READONLY}${READONLY}+PONG\r\n`);
    expect(proxy.state.fault).toBeNull();
    fresh.write(INCR);
    await until(() => other.text() === ':1\r\n:2\r\n');
  });

  it('gives each command one reply, whenever it begins and however bytes are cut', async () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.nat(39), fc.boolean(), async (sizes, begins, isLate) => {
        const { proxy, dial } = await proxied(counting(() => (isLate ? 1 : 0)));
        const socket = await dial();
        const { ended, text } = received(socket);
        await until(() => proxy.connections.length === 1);
        const commands = 12;
        const bytes = INCR.repeat(commands);
        let at = 0;
        for (let i = 0; at < bytes.length; i += 1) {
          if (i === begins) proxy.begin('StalePrimary', 10_000, HOLDER);
          const size = sizes[i % sizes.length] ?? 1;
          socket.write(bytes.slice(at, at + size));
          at += size;
          if (i % 3 === 0) await sleep(1);
        }
        await until(() => text().split('\r\n').length === commands + 1);
        const replies = text().split('\r\n').slice(0, -1);
        const passed = replies.filter((reply) => reply.startsWith(':')).length;
        const expected = Array.from({ length: commands }, (_, i) =>
          i < passed ? `:${i + 1}` : READONLY.trim(),
        );
        expect(replies).toEqual(expected);
        socket.end();
        await ended;
      }),
      { numRuns: 40 },
    );
  });
});
