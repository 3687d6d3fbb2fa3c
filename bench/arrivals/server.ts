/**
 * A stopwatch that speaks as much of the limiter's HTTP interface as a burst
 * needs: it notes when each `POST /check` has arrived, and answers none of them
 * before the last one of the burst is there, so that a sender is timed and not the
 * time it takes to answer it. A separate process that learns by IPC what to expect; it
 * ends when that channel does. Run by receiver.ts.
 *
 * Raw sockets: parsing HTTP properly would take longer than what is measured.
 */
import { createServer, type Socket } from 'node:net';
import type { FromServer, ToServer } from './receiver.ts';

const windowFields = { windowId: 'window', windowEndsAt: Date.now() + 3_600_000 };
const LIMIT = answer({ limit: 1, ...windowFields });
const CHECK = answer({ allowed: true, remaining: 0, ...windowFields });
/** A burst of cold connections must not wait for the queue of the kernel. */
const BACKLOG = 4096;

let expected = 0;
let arrivals: number[] = [];
let held: Socket[] = [];
const open = new Set<Socket>();

function onRequest(socket: Socket, isCheck: boolean, at: number): void {
  if (!isCheck) {
    socket.write(LIMIT);
    return;
  }
  if (arrivals.length >= expected) {
    // A client that continues to send after its burst is answered and not counted.
    socket.write(CHECK);
    return;
  }
  arrivals.push(at);
  held.push(socket);
  if (arrivals.length < expected) return;
  post({ arrivals });
  for (const waiting of held) waiting.write(CHECK);
  held = [];
}

const server = createServer({ noDelay: true }, (socket) => {
  let pending = '';
  open.add(socket);
  socket.once('close', () => open.delete(socket));
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    const at = performance.now();
    pending += chunk.toString('latin1');
    for (let length = lengthOfFirst(pending); length > 0; length = lengthOfFirst(pending)) {
      onRequest(socket, pending.startsWith('POST /check'), at);
      pending = pending.slice(length);
    }
  });
});

/** Bytes of the first request in `text`, its body included; 0 while it is not complete. */
function lengthOfFirst(text: string): number {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return 0;
  const length = /^content-length: *(\d+)/im.exec(text.slice(0, head))?.[1] ?? '0';
  const whole = head + 4 + Number(length);
  return text.length >= whole ? whole : 0;
}

function answer(body: object): string {
  const text = JSON.stringify(body);
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
}

function post(message: FromServer): void {
  process.send?.(message);
}

process.on('message', ({ expect }: ToServer) => {
  expected = expect;
  arrivals = [];
  held = [];
  // What the sender before this one still had under way does not belong to this burst.
  for (const socket of open) socket.destroy();
  post({ ready: true });
});
process.once('disconnect', () => process.exit(0));
server.listen({ host: '127.0.0.1', port: 0, backlog: BACKLOG }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') post({ port: address.port });
});
