/**
 * Starts a real Redis (or Valkey) for the embedded demo and for tests.
 *
 * The server keeps nothing on disk, listens on a port of its own, and is taken down with its owner: a
 * watchdog holds a pipe to this process, and when the pipe closes - even through SIGKILL - it kills the
 * server. Both run in sessions of their own, so Ctrl-C in a terminal reaches the owner alone and leaves it
 * time to clean up while Redis still answers.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedis } from './binaries/redis-binary.ts';
import { LocalError } from './errors.ts';
import { freePort } from './ports.ts';
import { renderConfig, secretsOf } from './redis-config.ts';
import { RedisProcess } from './redis-process.ts';

/** Tries at another port when a free one was taken between finding and binding it. */
const PORT_TRIES = 5;

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
 * @throws LocalError REDIS_MISSING, REDIS_CONFIG_INVALID, REDIS_PORT_IN_USE, or REDIS_START_FAILED when the
 *   server does not come up within 15 s; the message holds the end of the server's own output.
 * @example
 * const redis = await startRedis({ aclUsers: ['user probe on >secret ~probe:* +@read +@connection'] });
 * console.log(`${redis.host}:${redis.port}`);
 * await redis.stop();
 */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const binary = (await findRedis()).path;
  const host = options.host ?? '127.0.0.1';
  const ownDir = options.dir === undefined ? await mkdtemp(join(tmpdir(), 'chaosdemo-redis-')) : undefined;
  const dir = options.dir ?? ownDir ?? tmpdir();
  const removeOwnDir = async (): Promise<void> => {
    if (ownDir !== undefined) await rm(ownDir, { recursive: true, force: true });
  };

  try {
    const ca = options.tls === undefined ? undefined : await readFile(options.tls.caFile, 'utf8');
    const launch = async (port: number): Promise<RedisProcess> => {
      const process = new RedisProcess(
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

/** Starts on the wished port, or on a free one with another try when somebody else was faster. */
async function launchOnPort(
  launch: (port: number) => Promise<RedisProcess>,
  host: string,
  wished: number | undefined,
): Promise<{ port: number; process: RedisProcess }> {
  for (let tries = 1; ; tries += 1) {
    const port = wished ?? (await freePort([host]));
    try {
      return { port, process: await launch(port) };
    } catch (error) {
      const taken = error instanceof LocalError && error.code === 'REDIS_PORT_IN_USE';
      if (!taken || wished !== undefined || tries === PORT_TRIES) throw error;
    }
  }
}
