import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fairTimeout, TIMED_OUT, within } from './waiting.ts';

/** Answers each chunk on its own thread, and signals that through shared memory. */
const ECHO = `
const { createServer } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const answered = new Int32Array(workerData);
const server = createServer((socket) => socket.on('data', (chunk) => {
  socket.write(chunk, () => { Atomics.store(answered, 0, 1); Atomics.notify(answered, 0); });
}));
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

describe('an answer that arrived while this process stood still', () => {
  const answered = new Int32Array(new SharedArrayBuffer(4));
  let server: Worker;
  let port: number;

  beforeEach(async () => {
    answered[0] = 0;
    server = new Worker(ECHO, { eval: true, workerData: answered.buffer });
    [port] = (await once(server, 'message')) as [number];
  });

  afterEach(async () => {
    await server.terminate();
  });

  it('is read before the deadline is held against the other side', async () => {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      const answer = once(socket, 'data');
      socket.write('?');
      await new Promise((resolve) => setImmediate(resolve));
      const result = within(answer, 10);
      Atomics.wait(answered, 0, 0);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
      expect(await result).not.toBe(TIMED_OUT);
    } finally {
      socket.destroy();
    }
  });
});

describe('waiting with a deadline', () => {
  const never = new Promise<never>(() => undefined);

  it('ends when the time has run out', async () => {
    expect(await within(never, 1)).toBe(TIMED_OUT);
  });

  it('end aborts the signal of a timeout', () => {
    const timeout = fairTimeout(100_000);
    expect(timeout.signal.aborted).toBe(false);
    timeout.end();
    expect(timeout.signal.aborted).toBe(true);
  });
});
