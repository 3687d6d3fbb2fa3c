/** The process of a Redis, which ends with its owner however that one ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { LocalError } from './errors.ts';

const READY_DEADLINE_MS = 15_000;
const STOP_DEADLINE_MS = 5_000;
const OUTPUT_TAIL_CHARS = 8_192;

/** One run of the server, with the watchdog that ends it when this process is gone. */
export class RedisProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #running = true;
  #tail = '';
  #failure: Error | undefined;
  readonly #secrets: readonly string[];

  constructor(binary: string, config: string, secrets: readonly string[]) {
    this.#secrets = secrets;
    this.#child = spawn(binary, ['-'], { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    this.pid = this.#child.pid ?? -1;
    const watchdog = this.#child.pid === undefined ? undefined : spawnWatchdog(this.#child.pid);
    this.#exited = new Promise((resolve) => {
      const onEnd = (): void => {
        this.#running = false;
        // The watchdog must not outlive its charge: the pid may be given to another process.
        watchdog?.kill('SIGKILL');
        resolve();
      };
      this.#child.once('exit', onEnd);
      this.#child.once('error', (error) => {
        this.#failure = error;
        onEnd();
      });
    });
    const keep = (chunk: Buffer): void => {
      const all = this.#tail + chunk.toString('utf8');
      // Cut behind a whole line: half a secret would not be recognised.
      this.#tail =
        all.length <= OUTPUT_TAIL_CHARS
          ? all
          : all.slice(all.indexOf('\n', -OUTPUT_TAIL_CHARS + all.length) + 1);
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    // A server that dies at once closes its input under our write; its exit tells the story.
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdin?.end(config);
    // Neither the server nor its pipes keep the owner's event loop alive.
    this.#child.unref();
    unrefStream(this.#child.stdout);
    unrefStream(this.#child.stderr);
  }

  output(): string {
    // Redis escapes quotes and backslashes of a line it repeats, so both spellings are taken out.
    return this.#secrets.reduce(
      (text, secret) => text.replaceAll(secret, '***').replaceAll(secret.replaceAll(/["\\]/g, '\\$&'), '***'),
      this.#tail,
    );
  }

  async waitReady(host: string, port: number, ca: string | undefined): Promise<void> {
    const deadline = Date.now() + READY_DEADLINE_MS;
    while (this.#running && Date.now() < deadline) {
      // The exit is looked at after the answer: on a taken port it is somebody else who answers.
      if ((await answersPing(host, port, ca)) && this.#tail.includes('Ready to accept connections')) return;
      await Promise.race([sleep(20), this.#exited]);
    }
    const stillRunning = this.#running;
    await this.end('SIGKILL');
    if (this.#tail.includes('Address already in use')) {
      throw new LocalError('REDIS_PORT_IN_USE', `${host}:${port} is taken by another program`);
    }
    const reason = this.#failure?.message ?? this.output().trim();
    throw new LocalError(
      'REDIS_START_FAILED',
      `Redis on ${host}:${port} ${stillRunning ? `was not ready within ${READY_DEADLINE_MS} ms` : 'ended at once'}: ${reason}`,
    );
  }

  /** Sends the signal, SIGKILL after 5 s, and waits until the process is gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.#running) return;
    this.#child.kill(signal);
    if (await this.#goneWithin(STOP_DEADLINE_MS)) return;
    this.#child.kill('SIGKILL');
    if (await this.#goneWithin(STOP_DEADLINE_MS)) return;
    throw new LocalError('REDIS_STOP_FAILED', `Redis, pid ${this.pid}, does not end even on SIGKILL`);
  }

  async #goneWithin(ms: number): Promise<boolean> {
    const timer = new AbortController();
    // A timer that keeps the loop alive: an unref'd child alone would let the owner end mid-wait.
    const timeout = sleep(ms, false, { signal: timer.signal }).catch(() => false);
    const gone = await Promise.race([this.#exited.then(() => true), timeout]);
    timer.abort();
    return gone;
  }
}

/** A shell that waits for its input to close - this process ended, however - and then kills `pid`. */
function spawnWatchdog(pid: number): ChildProcess {
  const watchdog = spawn('/bin/sh', ['-c', `read -r _; kill -9 ${pid}`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.on('error', () => undefined);
  watchdog.stdin?.on('error', () => undefined);
  watchdog.unref();
  unrefStream(watchdog.stdin);
  return watchdog;
}

/** The pipes of a child are sockets underneath, which their types do not say. */
function unrefStream(stream: unknown): void {
  if (stream instanceof Socket) stream.unref();
}

/** True when something at the address answers PING; a demand for a password is an answer, LOADING is not. */
async function answersPing(host: string, port: number, ca: string | undefined): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket =
      ca === undefined
        ? connect({ host, port })
        : // Only whether it answers is asked: the name in the certificate is the clients' business.
          connectTls({ host, port, ca, checkServerIdentity: () => undefined });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => done(false));
    socket.on('error', () => done(false));
    socket.once('close', () => done(false));
    socket.once('data', (data) => done(/^(\+PONG|-NOAUTH)/.test(data.toString('latin1'))));
    socket.write('PING\r\n');
  });
}
