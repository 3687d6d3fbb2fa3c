/** The limiter's configuration: one table of settings, from flags, environment and defaults. */
import { hostname } from 'node:os';
import { z } from 'zod';
import { type Program, readSettings, type ValuesOf } from '../settings/settings.ts';
import { boolean, choice, duration, file, integer, port, text } from '../settings/value-types.ts';

const name = z.string().min(1);
const nodeId = z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/);

const settings = {
  mode: {
    ...choice('approximate', 'strict'),
    flag: 'mode',
    env: 'LIMITER_MODE',
    help: 'approximate: each pod decides and syncs; strict: Redis decides every check',
    fallback: 'approximate',
  },
  limit: {
    ...integer(1, 1_000_000),
    flag: 'limit',
    env: 'LIMITER_LIMIT',
    help: 'Requests of one key that all pods together admit in one window',
    fallback: '10',
  },
  windowMs: {
    ...duration('100ms', '24h', '60s'),
    flag: 'window',
    env: 'LIMITER_WINDOW',
    help: 'Length of a window; it begins with the first request of a key',
    fallback: '60s',
  },
  host: {
    ...text('<address>', 'a host name or address', name),
    flag: 'host',
    env: 'HOST',
    help: 'Address to listen on',
    fallback: '0.0.0.0',
  },
  port: {
    ...port(0),
    flag: 'port',
    env: 'PORT',
    help: 'Port to listen on; 0 takes a free one and logs it',
    fallback: '8080',
  },
  nodeId: {
    ...text('<name>', 'a name of up to 253 letters, digits and .-', nodeId),
    flag: 'node-id',
    env: 'NODE_ID',
    help: 'Unique name of this pod (default: host name)',
  },
  podIp: {
    ...text('<address>', 'an IPv4 or IPv6 address', z.union([z.ipv4(), z.ipv6()])),
    flag: 'pod-ip',
    env: 'POD_IP',
    help: 'Own address: the source of the connections to Redis',
  },
  redisHost: {
    ...text('<address>', 'a host name or address', name),
    flag: 'redis-host',
    env: 'REDIS_HOST',
    help: 'Host name or address of Redis',
    fallback: '127.0.0.1',
  },
  redisPort: {
    ...port(1),
    flag: 'redis-port',
    env: 'REDIS_PORT',
    help: 'Port of Redis',
    fallback: '6379',
  },
  redisUsername: {
    ...text('<name>', 'the name of an ACL user', name),
    flag: 'redis-username',
    env: 'REDIS_USERNAME',
    help: 'ACL user (default: the default user)',
  },
  redisPassword: {
    ...text('', 'the password', name),
    env: 'REDIS_PASSWORD',
    help: 'Password of that user; environment only',
  },
  redisTls: {
    ...boolean,
    flag: 'redis-tls',
    env: 'REDIS_TLS',
    help: 'Speak TLS, and verify the certificate for the host of Redis',
    fallback: 'false',
  },
  redisTlsCaFile: {
    ...file,
    flag: 'redis-tls-ca-file',
    env: 'REDIS_TLS_CA_FILE',
    help: 'PEM file of the CA, when the system does not know it',
  },
  syncIntervalMs: {
    ...duration('10ms', '10s', '100ms'),
    flag: 'sync-interval',
    env: 'LIMITER_SYNC_INTERVAL',
    help: 'How often a pod syncs its counts and reads those of the others',
    fallback: '100ms',
  },
  checkTimeoutMs: {
    ...duration('50ms', '10s', '500ms'),
    flag: 'check-timeout',
    env: 'LIMITER_CHECK_TIMEOUT',
    help: 'Strict mode: a check without an answer by then is refused with 503',
    fallback: '500ms',
  },
  writeTimeoutMs: {
    ...duration('100ms', '30s', '2s'),
    flag: 'write-timeout',
    env: 'LIMITER_WRITE_TIMEOUT',
    help: 'POST and DELETE /limit give up after this time with 503',
    fallback: '2s',
  },
  flushTimeoutMs: {
    ...duration('0s', '60s', '10s'),
    flag: 'flush-timeout',
    env: 'LIMITER_FLUSH_TIMEOUT',
    help: 'How long a stopping pod tries to deliver its last counts',
    fallback: '10s',
  },
  logLevel: {
    ...choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    placeholder: '<level>',
    flag: 'log-level',
    env: 'LOG_LEVEL',
    help: 'Least severe lines that are logged: trace, debug, info, warn, error, fatal, silent',
    fallback: 'info',
  },
} as const;

export const LIMITER: Program<typeof settings> = {
  about: 'A rate limiter: fixed windows, counted over any number of pods that share one Redis.',
  settings,
};

export type LimiterMode = 'approximate' | 'strict';

/** Durations in milliseconds. */
export type LimiterConfig = ValuesOf<typeof settings> & { readonly nodeId: string };

/**
 * Reads flags and environment; 'help' if requested.
 * @throws UsageError that lists every setting that cannot be used
 */
export function readConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): LimiterConfig | 'help' {
  const values = readSettings(LIMITER, argv, env);
  return values === 'help' ? values : { ...values, nodeId: values.nodeId ?? hostname() };
}
