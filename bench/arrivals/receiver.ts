/** The process that times arrivals (server.ts), from the side of the bench. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface ToServer {
  /** Forget what was, and time so many requests. */
  readonly expect: number;
}

export type FromServer =
  | { readonly port: number }
  | { readonly ready: true }
  | { readonly arrivals: number[] };

const PROGRAM = fileURLToPath(new URL('server.ts', import.meta.url));
/** Against waiting for ever. */
const DEADLINE_MS = 60_000;

export class Receiver {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(signal: AbortSignal): Promise<Receiver> {
    // Detached: a Ctrl-C in the terminal is for the bench, which then ends this.
    const child = fork(PROGRAM, { detached: true });
    try {
      return new Receiver(child, await heard(child, signal, 'port'));
    } catch (error) {
      child.kill();
      throw error;
    }
  }

  /**
   * When each of `expect` requests arrived that `send` sends, in milliseconds of
   * the receiver's own clock; `send` may end later.
   * @throws when they do not arrive within a minute, and what `send` throws
   */
  async time(expect: number, send: (arrived: AbortSignal) => Promise<void>, signal: AbortSignal) {
    const ready = heard(this.#child, signal, 'ready');
    this.#child.send({ expect } satisfies ToServer);
    await ready;
    const arrived = new AbortController();
    const arrivals = heard(this.#child, signal, 'arrivals').finally(() => arrived.abort());
    const sending = send(arrived.signal);
    const [times] = await Promise.all([arrivals, sending]);
    return times;
  }

  stop(): void {
    this.#child.kill();
  }
}

type Said = { port: number; ready: true; arrivals: number[] };

/** The next message that says this. @throws when the process ends, or says nothing for a minute */
async function heard<K extends keyof Said>(
  child: ChildProcess,
  signal: AbortSignal,
  key: K,
): Promise<Said[K]> {
  const end = new AbortController();
  const stop = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS), end.signal]);
  try {
    const gone = once(child, 'exit', { signal: stop }).then(() => {
      throw new Error('the process that times arrivals has ended');
    });
    const [message] = (await Promise.race([once(child, 'message', { signal: stop }), gone])) as [
      Partial<Said>,
    ];
    const value = message[key];
    if (value === undefined)
      throw new Error(`expected ${key} of the receiver, it said ${JSON.stringify(message)}`);
    return value;
  } catch (error) {
    signal.throwIfAborted();
    if (stop.aborted) {
      throw new Error(`waited ${DEADLINE_MS / 1000} s for the receiver to send ${key}`, { cause: error });
    }
    throw error;
  } finally {
    end.abort();
  }
}
