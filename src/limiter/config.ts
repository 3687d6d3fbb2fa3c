/**
 * The limiter's configuration: environment variables, each with a flag of the same meaning that wins over
 * it. The password has no flag, because command lines can be read by everybody on the machine.
 */
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);
const milliseconds = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const flag = z.enum(['true', 'false', '1', '0']).transform((value) => value === 'true' || value === '1');

const SCHEMA = z.object({
  LIMITER_MODE: z
    .enum(['approximate', 'strict'])
    .default('approximate')
    .describe('approximate: each node admits by itself and syncs; strict: Redis decides every check'),
  HOST: z.string().min(1).default('0.0.0.0').describe('address to listen on'),
  PORT: port.default(8080).describe('port to listen on; 0 takes a free one and logs it'),
  NODE_ID: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/)
    .optional()
    .describe('unique name of this node, its pod name; the host name when left out'),
  POD_IP: z
    .union([z.ipv4(), z.ipv6()])
    .optional()
    .describe('own address: the source of the connections to Redis, and what GET /nodes shows'),
  REDIS_HOST: z.string().min(1).default('127.0.0.1').describe('host name or address of Redis'),
  REDIS_PORT: port.min(1).default(6379).describe('port of Redis'),
  REDIS_USERNAME: z.string().min(1).optional().describe('ACL user; the default user when left out'),
  REDIS_PASSWORD: z.string().min(1).optional().describe('password of that user (environment only)'),
  REDIS_TLS: flag.default(false).describe('true: speak TLS and verify the certificate for REDIS_HOST'),
  REDIS_TLS_CA_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('PEM file of the CA, when the system does not know it'),
  LIMITER_SYNC_INTERVAL_MS: milliseconds(10, 10_000)
    .default(100)
    .describe('how often a node syncs its counts and looks at those of the others'),
  LIMITER_CHECK_TIMEOUT_MS: milliseconds(50, 10_000)
    .default(500)
    .describe('strict mode: a check without an answer by then is refused with 503'),
  LIMITER_WRITE_TIMEOUT_MS: milliseconds(100, 30_000)
    .default(2_000)
    .describe('POST and DELETE /limit give up after this time with 503'),
  LIMITER_FLUSH_TIMEOUT_MS: milliseconds(0, 60_000)
    .default(10_000)
    .describe('how long a stopping node tries to deliver its last counts'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('least severe messages to log'),
});

type Setting = keyof typeof SCHEMA.shape;

const SETTINGS = z
  .enum(Object.keys(SCHEMA.shape))
  .options.filter((name): name is Setting => name in SCHEMA.shape);
const WITHOUT_FLAG: ReadonlySet<Setting> = new Set<Setting>(['REDIS_PASSWORD']);

export interface RedisTarget {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
  readonly tlsCaFile: string | undefined;
  /** Local address to connect from. */
  readonly sourceAddress: string | undefined;
}

export type LimiterMode = 'approximate' | 'strict';

/** Durations in milliseconds. */
export interface LimiterConfig {
  readonly mode: LimiterMode;
  readonly host: string;
  readonly port: number;
  readonly nodeId: string;
  readonly podIp: string | undefined;
  readonly redis: RedisTarget;
  readonly syncIntervalMs: number;
  readonly checkTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly flushTimeoutMs: number;
  readonly logLevel: string;
}

/** The configuration cannot be used; the message names each setting and what is wrong with it. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';

  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

/**
 * Reads flags and environment. Empty variables count as not set.
 * @returns the configuration, or 'help' when --help is among the flags
 * @throws ConfigError naming every setting that is wrong, without repeating its value
 */
export function readConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): LimiterConfig | 'help' {
  const flags = parseFlags(argv);
  if (flags['help'] === true) return 'help';
  const raw = Object.fromEntries(
    SETTINGS.map((name) => [name, flags[flagOf(name)] ?? (env[name] || undefined)]),
  );
  const result = SCHEMA.safeParse(raw);
  if (!result.success) {
    const problems = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`configuration: ${problems.join('; ')} (see --help)`);
  }
  const value = result.data;
  return {
    mode: value.LIMITER_MODE,
    host: value.HOST,
    port: value.PORT,
    nodeId: value.NODE_ID ?? hostname(),
    podIp: value.POD_IP,
    redis: {
      host: value.REDIS_HOST,
      port: value.REDIS_PORT,
      username: value.REDIS_USERNAME,
      password: value.REDIS_PASSWORD,
      tls: value.REDIS_TLS,
      tlsCaFile: value.REDIS_TLS_CA_FILE,
      sourceAddress: value.POD_IP,
    },
    syncIntervalMs: value.LIMITER_SYNC_INTERVAL_MS,
    checkTimeoutMs: value.LIMITER_CHECK_TIMEOUT_MS,
    writeTimeoutMs: value.LIMITER_WRITE_TIMEOUT_MS,
    flushTimeoutMs: value.LIMITER_FLUSH_TIMEOUT_MS,
    logLevel: value.LOG_LEVEL,
  };
}

/** What --help prints. */
export function helpText(): string {
  const rows = SETTINGS.map((name) => {
    const field: z.ZodType = SCHEMA.shape[name];
    const fallback = field instanceof z.ZodDefault ? ` [${String(field.def.defaultValue)}]` : '';
    const flagName = WITHOUT_FLAG.has(name) ? '' : `--${flagOf(name)}`;
    return `  ${name.padEnd(25)} ${flagName.padEnd(20)} ${field.description ?? ''}${fallback}`;
  });
  return [
    'A rate limiter: fixed windows, counted over any number of nodes that share one Redis.',
    '',
    'Usage: node src/limiter/main.ts [--<flag> <value> ...]',
    '',
    'Environment variable        Flag                 Meaning [default]',
    ...rows,
    '',
  ].join('\n');
}

function flagOf(name: Setting): string {
  return name
    .replace(/^LIMITER_/, '')
    .toLowerCase()
    .replaceAll('_', '-');
}

function parseFlags(argv: readonly string[]): Record<string, string | boolean | undefined> {
  const names = SETTINGS.filter((name) => !WITHOUT_FLAG.has(name));
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean' as const },
        ...Object.fromEntries(names.map((name) => [flagOf(name), { type: 'string' as const }])),
      },
    });
    return values;
  } catch (error) {
    throw new ConfigError(`${error instanceof Error ? error.message : String(error)} (see --help)`);
  }
}
