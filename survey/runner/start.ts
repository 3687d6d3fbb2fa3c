/** Starts limiters of the survey: some processes of one program over one Redis, each on its own loopback address. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, type OwnedProcess, type Supervisor } from '@chaosdemo/testbed';
import { type Ecosystem, fillIn, type SurveyedLimiter, type Variant } from './limiter.ts';

/** A JVM on a busy machine needs most of it. */
const READY_MS = 90_000;

const units: Readonly<Record<number, string>> = { 1: 'second', 60: 'minute', 3600: 'hour', 86_400: 'day' };

/** What startLimiter takes. */
export interface StartOptions {
  readonly supervisor: Supervisor;
  readonly limiter: SurveyedLimiter;
  readonly variant: Variant;
  /** Where install() put its program. */
  readonly app: string;
  /** `redis://127.0.0.1:6379`, with name and password if Redis requires them; or one for each process. */
  readonly redisUrl: string | readonly string[];
  /** Requests of one caller that are admitted in one window. */
  readonly limit: number;
  readonly windowSeconds: number;
  /** Of a token bucket whose program takes it: requests that a full one admits at once; default: `limit`. */
  readonly burst?: number;
  /** How many processes; from 127.0.0.2 on, all at the same port. */
  readonly count: number;
  /** For logs and files. */
  readonly folder: string;
  readonly signal?: AbortSignal;
}

/** A process that answers. */
export interface SurveyedProcess {
  readonly name: string;
  readonly ip: string;
  readonly port: number;
  /** `http://127.0.0.2:20123` */
  readonly url: string;
  readonly process: OwnedProcess;
  /** Starts it again at its address, once it has ended. */
  readonly again: () => Promise<SurveyedProcess>;
}

/** Starts them and resolves when all answer. Throws NOT_READY or PROCESS_EXITED, with the end of what was written. */
export async function startLimiter(options: StartOptions): Promise<SurveyedProcess[]> {
  const { seconds } = options.limiter.window;
  if (seconds && !seconds.includes(options.windowSeconds)) {
    const possible = seconds.join(', ');
    throw new RangeError(
      `${options.limiter.name} has no window of ${options.windowSeconds} s, only of ${possible} s`,
    );
  }
  const ips = ipsOf(options.count);
  const port = await freePort(ips);
  const started: SurveyedProcess[] = [];
  try {
    for (const [index, ip] of ips.entries()) started.push(await startOne(options, index, ip, port));
    const ready = async (url: string): Promise<boolean> =>
      (await fetch(`${url}${options.limiter.healthPath}`, { signal: AbortSignal.timeout(2_000) })).ok;
    await Promise.all(
      started.map(({ url, process }) => process.untilReady(() => ready(url), READY_MS, options.signal)),
    );
    return started;
  } catch (error) {
    await Promise.all(started.map(({ process }) => process.stop(0)));
    throw error;
  }
}

/** Ends them, 5 s at most. */
export async function stopLimiter(processes: readonly SurveyedProcess[]): Promise<void> {
  await Promise.all(processes.map(({ process }) => process.stop()));
}

/** The addresses of so many processes. */
export const ipsOf = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `127.0.0.${index + 2}`);

async function startOne(
  options: StartOptions,
  index: number,
  ip: string,
  port: number,
): Promise<SurveyedProcess> {
  const { supervisor, limiter, variant, app, redisUrl, limit, windowSeconds, burst, folder } = options;
  const name = `${limiter.name}-${index}`;
  const files = join(folder, name);
  await mkdir(files, { recursive: true });
  const url = typeof redisUrl === 'string' ? redisUrl : (redisUrl[index] ?? '');
  const redis = new URL(url);
  const values = {
    app,
    files,
    host: ip,
    port: String(port),
    redisUrl: url,
    redisHost: redis.hostname,
    redisPort: redis.port || '6379',
    redisAuth: [redis.username, redis.password].filter(Boolean).map(decodeURIComponent).join(':'),
    limit: String(limit),
    windowSeconds: String(windowSeconds),
    windowUnit: units[windowSeconds] ?? '',
  };
  const filled = (record: Readonly<Record<string, string>> = {}): [string, string][] =>
    Object.entries(record).map(([key, text]) => [key, fillIn(text, values)]);
  for (const [path, text] of filled(limiter.files)) {
    await mkdir(join(files, path, '..'), { recursive: true });
    await writeFile(join(files, path), text);
  }
  const [command, ...first] = commands[limiter.ecosystem](app);
  const owned = await supervisor.start({
    name,
    command,
    args: [...first, ...limiter.args.map((argument) => fillIn(argument, values))],
    env: {
      PATH: process.env['PATH'],
      HOME: files,
      LANG: 'C.UTF-8',
      HOST: ip,
      PORT: values.port,
      REDIS_URL: url,
      LIMIT: values.limit,
      WINDOW_SECONDS: values.windowSeconds,
      ...(burst !== undefined && { BURST: String(burst) }),
      ...Object.fromEntries(filled(limiter.env)),
      ...Object.fromEntries(filled(variant.env)),
    },
    logFile: join(folder, `${name}.log`),
    secrets: redis.password ? [redis.password] : [],
  });
  const again = async (): Promise<SurveyedProcess> => await startOne(options, index, ip, port);
  return { name, ip, port, url: `http://${ip}:${port}`, process: owned, again };
}

/** What runs the program of a limiter, given where it is installed. */
const commands: Readonly<Record<Ecosystem, (app: string) => readonly [string, ...string[]]>> = {
  npm: () => [process.execPath],
  pip: (app) => [join(app, 'venv', 'bin', 'python')],
  go: (app) => [join(app, 'server')],
  // A small service; by default each would take a quarter of the machine.
  maven: () => ['java', '-Xmx256m', '-XX:TieredStopAtLevel=1'],
};
