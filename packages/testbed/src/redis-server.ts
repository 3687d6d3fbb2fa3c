/**
 * Starts a real Redis (or Valkey) for the embedded demo and for tests. The server keeps nothing on disk, has its own
 * port, and ends with its supervisor, even when this process is killed.
 */
import { join } from 'node:path';
import { findRedis } from './binaries/redis-binary.ts';
import type { TestbedError } from './errors.ts';
import { freePort } from './ports.ts';
import { type RedisConfig, renderConfig, secretsOf } from './redis-config.ts';
import { type OwnedProcess, Supervisor } from './supervisor.ts';

const READY_DEADLINE_MS = 15_000;
/** How long a busy Redis may need for a graceful shutdown. */
const STOP_MS = 5_000;
const OUTPUT_LINES = 50;

export interface RedisServerOptions extends RedisConfig {
  /** Owner of the process and its folder; by default the server creates its own. */
  readonly supervisor?: Supervisor;
  /** Port to listen on; default: a free one. */
  readonly port?: number;
  /** Address to listen on; default: 127.0.0.1. */
  readonly host?: string;
}

/** A running Redis. Its port, address and rights stay the same over restarts; `pid` changes. */
export interface RedisServer {
  readonly host: string;
  readonly port: number;
  /** Process id of the current server, or of the last one. */
  readonly pid: number;
  /** Resolves when the server ends unexpectedly: neither by stop() nor by restart(). */
  readonly broken: Promise<TestbedError>;
  /** Ends the server, waits until it is gone and removes its temporary directory. Idempotent. */
  stop(): Promise<void>;
  /** Kills the server with SIGKILL and waits until it is gone; restart() brings it back, empty. */
  kill9(): Promise<void>;
  /** Stops the server if it runs and starts it again, empty, on the same port. */
  restart(): Promise<void>;
}

/**
 * Starts a Redis server without persistence and returns once it takes connections.
 *
 * Secrets reach the server over its standard input, never through its command line or a file.
 *
 * @throws TestbedError REDIS_MISSING, PROCESS_EXITED, or NOT_READY after 15 s; the message holds the end of the server's
 *   own output.
 * @example
 * const redis = await startRedis({ aclUsers: ['user probe on >secret ~probe:* +@read +@connection'] });
 * console.log(`${redis.host}:${redis.port}`);
 * await redis.stop();
 */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { host = '127.0.0.1' } = options;
  const { path: command } = await findRedis();
  const supervisor = options.supervisor ?? new Supervisor();
  const folder = supervisor.temporaryFolder('redis');
  const removeOwn = async (): Promise<void> => {
    await supervisor.removeFolder(folder);
    if (!options.supervisor) await supervisor.close();
  };
  let stopping: OwnedProcess | undefined;
  const { promise: broken, resolve: onBroken } = Promise.withResolvers<TestbedError>();
  const launch = async (port: number): Promise<OwnedProcess> => {
    const started = await supervisor.start({
      name: `Redis on ${host}:${port}`,
      command,
      args: ['-'],
      input: renderConfig({ ...options, dir: folder, host, port }),
      logFile: join(folder, `${performance.now()}.log`),
      secrets: secretsOf(options),
    });
    await untilReady(started);
    void started.exited.then(() => {
      if (stopping !== started) onBroken(started.exitError());
    });
    return started;
  };

  try {
    const port = options.port ?? (await freePort([host]));
    let process = await launch(port);
    return {
      host,
      port,
      broken,
      get pid() {
        return process.pid;
      },
      stop: async () => {
        stopping = process;
        await process.stop(STOP_MS);
        await removeOwn();
      },
      kill9: async () => {
        process.kill('SIGKILL');
        await process.exited;
      },
      restart: async () => {
        stopping = process;
        await process.stop(STOP_MS);
        process = await launch(port);
      },
    };
  } catch (error) {
    await removeOwn();
    throw error;
  }
}

async function untilReady(process: OwnedProcess): Promise<void> {
  const isReady = async (): Promise<boolean> =>
    process.logTail(OUTPUT_LINES).toLowerCase().includes('ready to accept connections');
  try {
    await process.untilReady(isReady, READY_DEADLINE_MS);
  } catch (error) {
    await process.stop(0);
    throw error;
  }
}
