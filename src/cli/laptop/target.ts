/** The API and the Redis that a command line names. Pure. */
import { isIPv4 } from 'node:net';
import { UsageError } from '@chaosdemo/settings';
import type { Address } from '../../local/address.ts';
import type { Listener } from '../../local/target.ts';
import type { ApiOptions } from './arguments.ts';

/** A Redis, with the login that a URL has. */
export interface OwnRedis extends Listener {
  readonly username?: string;
  readonly password?: string;
}

/** An API on this machine. */
export interface Target {
  /** Path and query of the request. */
  readonly path: string;
  /** Instances that run, or the command that starts them. */
  readonly instances: readonly Address[] | { readonly command: string; readonly count: number };
  /** Without one, a Redis is started. */
  readonly redis?: OwnRedis & { readonly url: string };
}

/** How many instances are started, unless the user gives another number. */
const INSTANCES = 3;
const REDIS_PORT = 6379;

/** @throws UsageError with what to write */
export function targetOf(options: ApiOptions): Target {
  const { instances = INSTANCES, path = '/', redis, start, url = [] } = options;
  const database = redis === undefined ? {} : { redis: redisOf(redis) };
  const parsed = url.map(instanceOf);
  if (start !== undefined) {
    if (start.trim() === '') throw new UsageError('--start is empty: write the command that starts your API');
    if (!path.startsWith('/')) throw new UsageError(`--path is "${path}": begin it with /`);
    return { path, instances: { command: start, count: instances }, ...database };
  }
  if (url.length === 0) {
    throw new UsageError(
      'name your API: --url http://127.0.0.1:3000/items for an instance that is running, or --start "node server.js"',
    );
  }
  if (redis === undefined) {
    throw new UsageError(
      'name the Redis in which your API counts: --redis redis://127.0.0.1:6379. With --start, it may be left out',
    );
  }
  const paths = new Set(parsed.map((one) => one.path));
  if (paths.size > 1) {
    throw new UsageError(`the instances have different paths (${[...paths].join(', ')}): write the same one`);
  }
  const addresses = parsed.map(({ host, port }) => ({ host, port }));
  if (new Set(addresses.map(({ host, port }) => `${host}:${port}`)).size < addresses.length) {
    throw new UsageError('--url names the same instance twice: write each once');
  }
  return { path: parsed[0]?.path ?? '/', instances: addresses, ...database };
}

function instanceOf(text: string): Address & { readonly path: string } {
  const url = urlOf('--url', text, 'http:', 'http://127.0.0.1:3000/items');
  // URL encodes the places of the key, and would send them encoded.
  const path = `${url.pathname}${url.search}`.replaceAll(/%24\((key|address)\)/g, '$($1)');
  return { host: loopback('--url', text, url.hostname), port: Number(url.port || '80'), path };
}

function redisOf(text: string): OwnRedis & { readonly url: string } {
  const url = urlOf('--redis', withoutLogin(text), 'redis:', 'redis://127.0.0.1:6379', text);
  const password = decodeURIComponent(url.password);
  const username = decodeURIComponent(url.username);
  if (username !== '' && password === '') {
    throw new UsageError('--redis has a user without a password: write redis://user:password@127.0.0.1:6379');
  }
  return {
    url: text,
    host: loopback('--redis', withoutLogin(text), url.hostname),
    port: Number(url.port || String(REDIS_PORT)),
    ...(password !== '' && { password }),
    ...(username !== '' && { username }),
  };
}

/** @param shown the text for messages, without a password */
function urlOf(option: string, shown: string, protocol: string, example: string, text = shown): URL {
  const url = URL.parse(text);
  if (url === null) throw new UsageError(`${option} ${shown} is not a URL: write ${example}`);
  if (url.protocol === 'https:' || url.protocol === 'rediss:') {
    throw new UsageError(
      `${option} ${shown}: TLS is not supported on this machine: write the address without TLS, or test in a cluster (docs/your-limiter.md)`,
    );
  }
  if (url.protocol !== protocol) throw new UsageError(`${option} ${shown}: write ${example}`);
  return url;
}

/**
 * Only this machine: a Redis that others use must not stall because of a wrong variable. The operator has no name
 * resolution for pods, so an address results.
 */
function loopback(option: string, shown: string, hostname: string): string {
  if (hostname === 'localhost') return '127.0.0.1';
  if (isIPv4(hostname) && hostname.startsWith('127.')) return hostname;
  throw new UsageError(
    `${option} ${shown}: only this machine can be tested, by 127.0.0.1 or localhost. For another one, install the operator (docs/install.md)`,
  );
}

function withoutLogin(text: string): string {
  return text.replace(/\/\/.*@/, '//***@');
}
