/** The limiter's configuration: one table of settings, from flags, environment and defaults. */
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** One setting. A secret has no flag: every user of a machine can read command lines. */
interface Setting {
  readonly flag?: string;
  readonly env: string;
  readonly help: string;
  /** The expected value; completes "write ..." in an error. */
  readonly write: string;
  readonly fallback?: string;
  readonly schema: z.ZodType<unknown, string>;
}

/** Text of a duration as milliseconds. */
const milliseconds = z.string().transform((text) => {
  const [, number, unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  return Number(number) * (UNITS[unit as keyof typeof UNITS] ?? Number.NaN);
});

function duration(least: string, most: string) {
  const [min, max] = [least, most].map((text) => milliseconds.parse(text));
  const schema = milliseconds.refine((ms) => ms >= (min ?? 0) && ms <= (max ?? 0));
  return { write: `a duration from ${least} to ${most}, such as ${least}`, schema };
}

function integer(min: number, max: number) {
  const schema = z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number);
  return {
    write: `a whole number from ${min} to ${max}`,
    schema: schema.refine((number) => number >= min && number <= max),
  };
}

function oneOf<const T extends string>(...words: readonly [T, ...T[]]) {
  return { write: `one of ${words.join(', ')}`, schema: z.enum(words) };
}

const text = { write: 'text that is not empty', schema: z.string().min(1) };
const SETTINGS = {
  mode: {
    flag: 'mode',
    env: 'LIMITER_MODE',
    help: 'approximate: each pod decides and syncs; strict: Redis decides every check',
    fallback: 'approximate',
    ...oneOf('approximate', 'strict'),
  },
  limit: {
    flag: 'limit',
    env: 'LIMITER_LIMIT',
    help: 'Requests of one key that all pods together admit in one window',
    fallback: '10',
    ...integer(1, 1_000_000),
  },
  windowMs: {
    flag: 'window',
    env: 'LIMITER_WINDOW',
    help: 'Length of a window; it begins with the first request of a key',
    fallback: '60s',
    ...duration('100ms', '24h'),
  },
  host: {
    flag: 'host',
    env: 'HOST',
    help: 'Address to listen on',
    fallback: '0.0.0.0',
    ...text,
  },
  port: {
    flag: 'port',
    env: 'PORT',
    help: 'Port to listen on; 0 takes a free one and logs it',
    fallback: '8080',
    ...integer(0, 65_535),
  },
  nodeId: {
    flag: 'node-id',
    env: 'NODE_ID',
    help: 'Unique name of this pod',
    fallback: hostname(),
    write: 'a name of up to 253 letters, digits and .-',
    schema: z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/),
  },
  podIp: {
    flag: 'pod-ip',
    env: 'POD_IP',
    help: 'Own address: the source of the connections to Redis',
    write: 'an IPv4 or IPv6 address',
    schema: z.union([z.ipv4(), z.ipv6()]),
  },
  redisHost: {
    flag: 'redis-host',
    env: 'REDIS_HOST',
    help: 'Host name or address of Redis',
    fallback: '127.0.0.1',
    ...text,
  },
  redisPort: {
    flag: 'redis-port',
    env: 'REDIS_PORT',
    help: 'Port of Redis',
    fallback: '6379',
    ...integer(1, 65_535),
  },
  redisUsername: {
    flag: 'redis-username',
    env: 'REDIS_USERNAME',
    help: 'ACL user; left out: the default user',
    ...text,
  },
  redisPassword: { env: 'REDIS_PASSWORD', help: 'Password of that user; environment only', ...text },
  redisTls: {
    flag: 'redis-tls',
    env: 'REDIS_TLS',
    help: 'Use TLS, and verify the certificate for the host of Redis',
    fallback: 'false',
    write: 'true or false',
    schema: z.enum(['true', 'false']).transform((word) => word === 'true'),
  },
  redisTlsCaFile: {
    flag: 'redis-tls-ca-file',
    env: 'REDIS_TLS_CA_FILE',
    help: 'PEM file of the CA, if the system does not know it',
    ...text,
  },
  syncIntervalMs: {
    flag: 'sync-interval',
    env: 'LIMITER_SYNC_INTERVAL',
    help: 'How often a pod exchanges its counts with Redis',
    fallback: '100ms',
    ...duration('10ms', '10s'),
  },
  checkTimeoutMs: {
    flag: 'check-timeout',
    env: 'LIMITER_CHECK_TIMEOUT',
    help: 'Strict mode: after this time without a reply, a check is answered with 503',
    fallback: '500ms',
    ...duration('50ms', '10s'),
  },
  writeTimeoutMs: {
    flag: 'write-timeout',
    env: 'LIMITER_WRITE_TIMEOUT',
    help: 'POST and DELETE /limit give up after this time with 503',
    fallback: '2s',
    ...duration('100ms', '30s'),
  },
  flushTimeoutMs: {
    flag: 'flush-timeout',
    env: 'LIMITER_FLUSH_TIMEOUT',
    help: 'How long a stopping pod tries to deliver its last counts',
    fallback: '10s',
    ...duration('0s', '60s'),
  },
  logLevel: {
    flag: 'log-level',
    env: 'LOG_LEVEL',
    help: 'Least severe lines that are logged',
    fallback: 'info',
    ...oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  },
} as const satisfies Record<string, Setting>;

type Settings = typeof SETTINGS;
export type LimiterMode = z.infer<Settings['mode']['schema']>;

/** The values by name; undefined if nothing is given and there is no default. Durations in milliseconds. */
export type LimiterConfig = {
  readonly [K in keyof Settings]: Settings[K] extends { readonly fallback: string }
    ? z.infer<Settings[K]['schema']>
    : z.infer<Settings[K]['schema']> | undefined;
};

/** A command line or an environment cannot be used. The message lists all problems, and what to write. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The text of `--help`. */
export function helpText(): string {
  const rows = Object.values<Setting>(SETTINGS).map(({ env, fallback, flag, help, write }) => {
    const origin = [...(flag ? [env] : []), ...(fallback ? [`default ${fallback}`] : [])].join(', ');
    return `  ${flag ? `--${flag}` : env}  ${help}${origin && ` [${origin}]`}\n      ${write}`;
  });
  const about = 'A rate limiter: fixed windows, counted over any number of pods that share one Redis.';
  return `${about}\nA flag overrides its environment variable, shown in brackets.\n\n${rows.join('\n')}\n  --help\n`;
}

/**
 * Reads flags (`--flag value` or `--flag=value`) and environment, where an empty variable counts as unset.
 * @returns 'help' if requested
 * @throws UsageError that lists every setting that cannot be used
 */
export function readConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): LimiterConfig | 'help' {
  const settings = Object.entries<Setting>(SETTINGS);
  const known = new Set(settings.flatMap(([, { flag }]) => flag ?? []));
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries([...known].map((flag) => [flag, { type: 'string' }])),
    strict: false,
    tokens: true,
  });
  const flags = new Map<string, string>();
  const problems: string[] = [];
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'help' || token.name === 'h') return 'help';
    // The value of an unknown flag may be a secret, and is not repeated.
    if (!known.has(token.name)) problems.push(`${token.rawName} is not known: write one that --help lists`);
    else if (token.value === undefined) problems.push(`${token.rawName} has no value`);
    else flags.set(token.name, token.value);
  }
  const values: Record<string, unknown> = {};
  for (const [name, { env: variable, fallback, flag = '', schema, write }] of settings) {
    const given = flags.get(flag) ?? (env[variable] || undefined);
    const value = given ?? fallback;
    if (value === undefined) continue;
    const parsed = schema.safeParse(value);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(`${flags.has(flag) ? `--${flag}` : variable} is "${value}": write ${write}`);
  }
  if (problems.length === 0) return values as LimiterConfig;
  throw new UsageError(`These settings cannot be used:\n  - ${problems.join('\n  - ')}\nSee --help.`);
}
