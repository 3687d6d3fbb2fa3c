/**
 * For tests only: a node in a thread of its own, so that what it does is not measured with what reads its answers. It
 * answers GET at once, and everything else once so many requests are there, all at the same moment.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { BurstNode } from './burst-plan.ts';

interface Answers {
  /** What each request is answered with, head and body. */
  readonly answer: string;
  /** How many requests are waited for. */
  readonly requests: number;
}

export interface AnsweringNode extends BurstNode {
  stop(): Promise<unknown>;
}

export async function startAnsweringNode(answers: Answers): Promise<AnsweringNode> {
  const worker = new Worker(new URL(import.meta.url), { workerData: answers });
  const [port] = (await once(worker, 'message')) as [number];
  return { name: 'rl-0', host: '127.0.0.1', port, stop: async () => await worker.terminate() };
}

/** One answer with a body of JSON. */
export function jsonAnswer(body: string): string {
  return `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function serve({ answer, requests }: Answers): void {
  const bytes = Buffer.from(answer);
  let waiting: Socket[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      if (data.toString('latin1').startsWith('GET')) {
        socket.write('HTTP/1.1 204 No Content\r\n\r\n');
        return;
      }
      waiting.push(socket);
      if (waiting.length < requests) return;
      for (const one of waiting) one.write(bytes);
      waiting = [];
    });
  });
  server.listen(0, '127.0.0.1', 1024, () => {
    const address = server.address();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    parentPort?.postMessage(typeof address === 'object' && address ? address.port : 0);
  });
}

if (!isMainThread && workerData !== null && 'answer' in (workerData as object)) serve(workerData as Answers);
