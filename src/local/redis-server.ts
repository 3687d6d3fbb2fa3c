/**
 * Starts a real Redis (or Valkey) for the embedded demo and for tests.
 *
 * The server keeps nothing on disk, listens on a port of its own, and is taken down with its owner: a
 * watchdog holds a pipe to this process, and when the pipe closes - even through SIGKILL - it kills the
 * server. Both run in sessions of their own, so Ctrl-C in a terminal reaches the owner alone and leaves it
 * time to clean up while Redis still answers.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

/** Binaries that are good enough, in order of preference; they take the same configuration. */
const BINARIES = ['redis-server', 'valkey-server'] as const;

const READY_DEADLINE_MS = 15_000;
const STOP_DEADLINE_MS = 5_000;
/** Tries at another port when a free one was taken between finding and binding it. */
const PORT_TRIES = 5;
const OUTPUT_TAIL_CHARS = 8_192;

export type RedisServerErrorCode =
  | 'REDIS_BINARY_NOT_FOUND'
  | 'REDIS_CONFIG_INVALID'
  | 'REDIS_PORT_IN_USE'
  | 'REDIS_START_FAILED'
  | 'REDIS_STOP_FAILED';

/** Something went wrong with a Redis started here; the message says what to do about it. */
export class RedisServerError extends Error {
  readonly code: RedisServerErrorCode;

  constructor(code: RedisServerErrorCode, message: string) {
    super(message);
    this.name = 'RedisServerError';
    this.code = code;
  }
}

/** Paths of PEM files; with them the server speaks TLS only and asks no client certificate. */
export interface RedisTlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

export interface RedisServerOptions {
  /** Port to listen on; a free one when left out. */
  readonly port?: number;
  /** Address to listen on; 127.0.0.1 when left out. */
  readonly host?: string;
  /** Working directory; a temporary one, removed by stop(), when left out. */
  readonly dir?: string;
  /** ACL lines as in redis.conf, e.g. `user probe on >secret ~probe:* +get`. */
  readonly aclUsers?: readonly string[];
  /** Password of the default user. */
  readonly requirepass?: string;
  readonly tls?: RedisTlsFiles;
}

/** A running Redis. Its port, address and rights stay the same over restarts; `pid` changes. */
export interface RedisServer {
  readonly host: string;
  readonly port: number;
  /** Process id of the server that runs now, or of the last one that ran. */
  readonly pid: number;
  /** Absolute path of the program that was started. */
  readonly binary: string;
  /** The last lines the server wrote. */
  output(): string;
  /** Ends the server, waits until it is gone and removes its temporary directory. May be called twice. */
  stop(): Promise<void>;
  /** Kills the server with SIGKILL and waits until it is gone; restart() brings it back, empty. */
  kill9(): Promise<void>;
  /** Ends the server if it runs and starts it again, empty, on the same port. */
  restart(): Promise<void>;
}

/**
 * Starts a Redis server without persistence and returns once it answers.
 *
 * Secrets reach the server over its standard input, never through its command line or a file.
 *
 * @throws RedisServerError when no binary is on PATH, the port is taken, or the server does not come up
 *   within 15 s; the message holds the end of the server's own output.
 * @example
 * const redis = await startRedis({ aclUsers: ['user probe on >secret ~probe:* +@read +@connection'] });
 * console.log(`${redis.host}:${redis.port}`);
 * await redis.stop();
 */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const binary = await findRedisBinary();
  const host = options.host ?? '127.0.0.1';
  const ownDir = options.dir === undefined ? await mkdtemp(join(tmpdir(), 'chaosdemo-redis-')) : undefined;
  const dir = options.dir ?? ownDir ?? tmpdir();
  const removeOwnDir = async (): Promise<void> => {
    if (ownDir !== undefined) await rm(ownDir, { recursive: true, force: true });
  };

  try {
    const ca = options.tls === undefined ? undefined : await readFile(options.tls.caFile, 'utf8');
    const launch = async (port: number): Promise<RunningProcess> => {
      const process = new RunningProcess(
        binary,
        renderConfig({ ...options, host, port, dir }),
        secretsOf(options),
      );
      await process.waitReady(host, port, ca);
      return process;
    };

    let { port, process } = await launchOnPort(launch, host, options.port);
    return {
      host,
      port,
      binary,
      get pid() {
        return process.pid;
      },
      output: () => process.output(),
      stop: async () => {
        await process.end('SIGTERM');
        await removeOwnDir();
      },
      kill9: () => process.end('SIGKILL'),
      restart: async () => {
        await process.end('SIGTERM');
        process = await launch(port);
      },
    };
  } catch (error) {
    await removeOwnDir();
    throw error;
  }
}

/**
 * Finds `redis-server` or `valkey-server` on PATH and returns its absolute path.
 * @throws RedisServerError REDIS_BINARY_NOT_FOUND
 */
export async function findRedisBinary(path: string = process.env['PATH'] ?? ''): Promise<string> {
  for (const name of BINARIES) {
    for (const directory of path.split(delimiter)) {
      if (directory === '') continue;
      const candidate = join(directory, name);
      const found = await access(candidate, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return candidate;
    }
  }
  throw new RedisServerError(
    'REDIS_BINARY_NOT_FOUND',
    `none of ${BINARIES.join(', ')} is on PATH: install one, e.g. "apt-get install redis-server" on Debian ` +
      'or Ubuntu ("valkey" has the same protocol), or "brew install redis" on macOS',
  );
}

/** Starts on the wished port, or on a free one with another try when somebody else was faster. */
async function launchOnPort(
  launch: (port: number) => Promise<RunningProcess>,
  host: string,
  wished: number | undefined,
): Promise<{ port: number; process: RunningProcess }> {
  for (let tries = 1; ; tries += 1) {
    const port = wished ?? (await findFreePort(host));
    try {
      return { port, process: await launch(port) };
    } catch (error) {
      const taken = error instanceof RedisServerError && error.code === 'REDIS_PORT_IN_USE';
      if (!taken || wished !== undefined || tries === PORT_TRIES) throw error;
    }
  }
}

async function findFreePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') {
    throw new RedisServerError('REDIS_START_FAILED', `no free port could be found on ${host}`);
  }
  return address.port;
}

function renderConfig(
  options: RedisServerOptions & { readonly host: string; readonly port: number; readonly dir: string },
): string {
  const { tls } = options;
  const lines = [
    `bind ${quote(options.host)}`,
    // Loopback pods (127.0.0.2 ...) are not "local" to every version; who binds wider sets a password.
    'protected-mode no',
    `dir ${quote(options.dir)}`,
    'daemonize no',
    'save ""',
    'appendonly no',
    ...(tls === undefined
      ? [`port ${options.port}`]
      : [
          'port 0',
          `tls-port ${options.port}`,
          `tls-cert-file ${quote(tls.certFile)}`,
          `tls-key-file ${quote(tls.keyFile)}`,
          `tls-ca-cert-file ${quote(tls.caFile)}`,
          'tls-auth-clients no',
        ]),
    ...(options.requirepass === undefined ? [] : [`requirepass ${quote(options.requirepass)}`]),
    ...(options.aclUsers ?? []).map(checkAclLine),
  ];
  return `${lines.join('\n')}\n`;
}

/** Double-quoted as redis.conf has it: printable ASCII stays readable, every other byte becomes \\xHH. */
function quote(value: string): string {
  const bytes = [...Buffer.from(value, 'utf8')];
  const escaped = bytes.map((byte) => {
    const char = String.fromCharCode(byte);
    return /[ !#-[\]-~]/.test(char) ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  return `"${escaped.join('')}"`;
}

/** Everything in the configuration that Redis must not be quoted with: it echoes a line it refuses. */
function secretsOf(options: RedisServerOptions): string[] {
  const passwords = (options.aclUsers ?? []).flatMap((line) =>
    line.split(/\s+/).filter((rule) => /^[><#!]./.test(rule)),
  );
  return options.requirepass === undefined
    ? passwords
    : [...passwords, quote(options.requirepass).slice(1, -1)];
}

function checkAclLine(line: string): string {
  if (!/^user \S+ [^\r\n]+$/.test(line)) {
    // The line may hold a password: it is not repeated here.
    throw new RedisServerError(
      'REDIS_CONFIG_INVALID',
      'an ACL line must be one line that reads "user <name> <rules>", as in redis.conf',
    );
  }
  return line;
}

/** One run of the server, with the watchdog that ends it when this process is gone. */
class RunningProcess {
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
      throw new RedisServerError('REDIS_PORT_IN_USE', `${host}:${port} is taken by another program`);
    }
    const reason = this.#failure?.message ?? this.output().trim();
    throw new RedisServerError(
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
    throw new RedisServerError('REDIS_STOP_FAILED', `Redis, pid ${this.pid}, does not end even on SIGKILL`);
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
