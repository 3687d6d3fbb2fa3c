/** Five ways to send a burst of requests to one address. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Client } from 'undici';
import { ConnectionBudget } from '../../src/subjects/http/connection-budget.ts';
import { HttpCallers } from '../../src/subjects/ratelimiter/interfaces/http/http-callers.ts';
import { BUNDLED } from '../../src/subjects/ratelimiter/spec/schema.ts';
import { injectBurstTraffic } from '../../src/subjects/ratelimiter/workloads/burst.ts';

/** Sends a burst; `arrived` aborts once the receiver has all of it. */
export type Send = (
  burst: { readonly port: number; readonly requests: number; readonly arrived: AbortSignal },
  signal: AbortSignal,
) => Promise<void>;

const KEY = 'demo-bench';
const TIMEOUT_MS = 30_000;
const OPEN_AT_ONCE = 200;
/** Connections whose memory is left for answers on their way. */
const ANSWERS = 800;
const AUTOCANNON = createRequire(import.meta.url).resolve('autocannon');
const CHECK = fileURLToPath(new URL('check.lua', import.meta.url));
const CHECK_OPEN = fileURLToPath(new URL('check-open.lua', import.meta.url));

/** The burst of the operator. @throws when a request was not answered as it should be */
export const ours: Send = async ({ port, requests }, signal) => {
  const nodes = [{ name: 'receiver', host: '127.0.0.1', port }];
  const budget = new ConnectionBudget(requests + ANSWERS).onBehalfOf('bench');
  const burst = await injectBurstTraffic(
    {
      pods: nodes,
      callers: new HttpCallers(BUNDLED.http),
      key: KEY,
      requests,
      timeoutMs: TIMEOUT_MS,
      budget,
      wakeUp: { method: 'GET', path: `/limit?key=${KEY}` },
    },
    signal,
  );
  if (burst.admitted !== requests) {
    throw new Error(`only ${burst.admitted} of ${requests} requests were answered: ${burst.firstError}`);
  }
};

/** The same by a client of undici for each request, which has connected and sent a request before. */
export const undici: Send = async ({ port, requests }, signal) => {
  const options = { pipelining: 1, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS };
  const clients = Array.from({ length: requests }, () => new Client(`http://127.0.0.1:${port}`, options));
  const check = {
    method: 'POST',
    path: '/check',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key: KEY }),
    signal,
  } as const;
  try {
    for (let i = 0; i < clients.length; i += OPEN_AT_ONCE) {
      const some = clients.slice(i, i + OPEN_AT_ONCE);
      await Promise.all(
        some.map(async (client) => {
          const { body } = await client.request({ method: 'GET', path: `/limit?key=${KEY}`, signal });
          await body.dump();
        }),
      );
    }
    await Promise.all(
      clients.map(async (client) => {
        const { body } = await client.request(check);
        await body.json();
      }),
    );
  } finally {
    await Promise.all(clients.map(async (client) => await client.destroy()));
  }
};

/** One request on each of so many connections. */
export const autocannon: Send = async ({ port, requests, arrived }, signal) => {
  const options = {
    connections: String(requests),
    amount: String(requests),
    timeout: '30',
    method: 'POST',
    headers: 'content-type=application/json',
    body: JSON.stringify({ key: KEY }),
  };
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const url = `http://127.0.0.1:${port}/check`;
  await program(process.execPath, [AUTOCANNON, '--no-progress', ...flags, url], arrived, signal);
};

/** So many connections that are opened one after the other, and then send one request each until it is answered; ended then. */
export const wrk: Send = async ({ port, requests, arrived }, signal) => {
  await program('wrk', [...wrkArgs(requests, CHECK), `http://127.0.0.1:${port}`], arrived, signal);
};

/** The same over connections that were opened and used once before, as those of `ours` were. */
export const wrkOpen: Send = async ({ port, requests, arrived }, signal) => {
  // Just enough for all of them: a connection that was idle for 100 ms is slower by a half, and ours are hardly idle.
  const waits = [100 + requests / 5, 5 + requests / 5].map((ms) => String(Math.ceil(ms)));
  const args = [
    ...wrkArgs(requests, CHECK_OPEN),
    `http://127.0.0.1:${port}`,
    '--',
    String(requests),
    ...waits,
  ];
  await program('wrk', args, arrived, signal);
};

function wrkArgs(requests: number, script: string): string[] {
  return ['-t', '1', '-c', String(requests), '-d', '30s', '--timeout', '30s', '-s', script];
}

/**
 * Runs a program until the burst has arrived.
 * @throws with its output when it ends before that
 */
async function program(
  command: string,
  args: readonly string[],
  arrived: AbortSignal,
  signal: AbortSignal,
): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = `${output}${chunk.toString()}`.slice(-2000);
    });
  }
  const stop = AbortSignal.any([arrived, signal]);
  const onStop = (): void => void child.kill('SIGKILL');
  stop.addEventListener('abort', onStop, { once: true });
  try {
    const status = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    if (status !== 0 && !arrived.aborted) {
      throw new Error(`${command} ${args.join(' ')} ended with status ${String(status)}:\n${output}`);
    }
  } finally {
    stop.removeEventListener('abort', onStop);
  }
}
