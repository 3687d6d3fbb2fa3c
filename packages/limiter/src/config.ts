/** The limiter's configuration: one table of settings, from flags, environment and defaults. */
import { hostname } from 'node:os';
import type { Program, ValuesOf } from '@chaosdemo/settings';
import { boolean, choice, duration, file, integer, port, text } from '@chaosdemo/settings/values';
import { z } from 'zod';

const notEmpty = z.string().min(1);

const settings = {
  mode: {
    ...choice('approximate', 'strict'),
    env: 'LIMITER_MODE',
    help: 'approximate: each pod decides and syncs; strict: Redis decides every check',
    fallback: 'approximate',
  },
  limit: {
    ...integer(1, 1_000_000),
    env: 'LIMITER_LIMIT',
    help: 'Requests of one key that all pods together admit in one window',
    fallback: '10',
  },
  windowMs: {
    ...duration('100ms', '24h', '1m'),
    env: 'LIMITER_WINDOW',
    help: 'Length of a window; it begins with the first request of a key',
    fallback: '60s',
  },
  host: {
    ...text('<address>', 'a host name or address', notEmpty),
    env: 'HOST',
    help: 'Address to listen on',
    fallback: '0.0.0.0',
  },
  port: {
    ...port(0),
    env: 'PORT',
    help: 'Port to listen on; 0 takes a free one and logs it',
    fallback: '8080',
  },
  nodeId: {
    ...text(
      '<name>',
      'a name of up to 253 letters, digits and .-',
      z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/),
    ),
    env: 'NODE_ID',
    help: 'Unique name of this pod',
    fallback: hostname(),
  },
  podIp: {
    ...text('<address>', 'an IPv4 or IPv6 address', z.union([z.ipv4(), z.ipv6()])),
    env: 'POD_IP',
    help: 'Own address: the source of the connections to Redis',
  },
  redisHost: {
    ...text('<address>', 'a host name or address', notEmpty),
    env: 'REDIS_HOST',
    help: 'Host name or address of Redis',
    fallback: '127.0.0.1',
  },
  redisPort: { ...port(1), env: 'REDIS_PORT', help: 'Port of Redis', fallback: '6379' },
  redisUsername: {
    ...text('<name>', 'the name of a user', notEmpty),
    env: 'REDIS_USERNAME',
    help: 'ACL user; left out: the default user',
  },
  redisPassword: {
    ...text('', 'the password', notEmpty),
    env: 'REDIS_PASSWORD',
    isSecret: true,
    help: 'Password of that user; environment only',
  },
  redisTls: {
    ...boolean,
    env: 'REDIS_TLS',
    help: 'Use TLS, and verify the certificate for the host of Redis',
    fallback: 'false',
  },
  redisTlsCaFile: {
    ...file,
    env: 'REDIS_TLS_CA_FILE',
    help: 'PEM file of the CA, if the system does not know it',
  },
  checkTimeoutMs: {
    ...duration('50ms', '10s', '500ms'),
    env: 'LIMITER_CHECK_TIMEOUT',
    help: 'Strict mode: after this time without a reply, a check gets 503',
    fallback: '500ms',
  },
} as const;

/** The values by name; undefined if nothing is given and there is no default. Durations in milliseconds. */
export type LimiterConfig = ValuesOf<typeof settings>;
export type LimiterMode = LimiterConfig['mode'];

export const LIMITER: Program<typeof settings> = {
  about: 'A rate limiter: fixed windows, counted over any number of pods that share one Redis.',
  settings,
};
