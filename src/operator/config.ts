/**
 * The operator's configuration: flags, else environment, else defaults, all
 * from one table, which also makes the text of `--help`. Everything wrong is
 * reported at once, since each round of fixing may cost a rollout.
 */
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { parseDuration } from '../api/index.ts';

/** One setting: how it is given, what it may be, and what it is when it is not given. */
interface Setting<T> {
  /** Name of the flag, without dashes. */
  flag: string;
  /** Environment variable that is read when the flag is not there. */
  env?: string;
  /** What stands behind the flag in `--help`. */
  placeholder: string;
  help: string;
  /** What to write; completes "write ..." in an error. */
  write: string;
  /** Taken when neither flag nor variable is given, in the form in which people write it. */
  fallback?: string;
  schema: z.ZodType<T, string>;
}

/** Infers the type of a setting from its schema. */
const setting = <T>(entry: Setting<T>): Setting<T> => entry;

const boolean = z.enum(['true', 'false']).transform((text) => text === 'true');

/** A whole number between two bounds, both included. */
function integer(min: number, max: number) {
  const value = z.string().regex(/^[0-9]{1,9}$/);
  return value.transform(Number).refine((number) => number >= min && number <= max);
}

/** A duration in the form of the API between two bounds, both included, as milliseconds. */
function duration(min: string, max: string) {
  return z.string().transform((text, context) => {
    const milliseconds = tryParseDuration(text);
    if (milliseconds >= parseDuration(min) && milliseconds <= parseDuration(max)) return milliseconds;
    context.addIssue({ code: 'custom' });
    return z.NEVER;
  });
}

function tryParseDuration(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    return Number.NaN;
  }
}

/** Names as the API server takes them (RFC 1123): of namespaces, and of most other objects. */
const label = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
const subdomain = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/);

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

const SETTINGS = {
  kubeconfig: setting({
    flag: 'kubeconfig',
    placeholder: '<file>',
    help: 'Kubeconfig to use; else KUBECONFIG, else the service account of the pod',
    write: 'the path of a file',
    schema: z.string().min(1),
  }),
  namespace: setting({
    flag: 'namespace',
    env: 'POD_NAMESPACE',
    placeholder: '<name>',
    help: 'Namespace of the operator, of its leader lease and of its kill switch',
    write: 'the name of a namespace',
    fallback: 'chaosdemo-system',
    schema: label,
  }),
  identity: setting({
    flag: 'identity',
    env: 'POD_NAME',
    placeholder: '<name>',
    help: 'Who this process is in leases and events; unique among running operators (default: host name)',
    write: 'a name of up to 253 letters, digits and ._-',
    schema: z.string().regex(/^[A-Za-z0-9._-]{1,253}$/),
  }),
  watchNamespaces: setting({
    flag: 'watch-namespaces',
    env: 'CHAOSDEMO_WATCH_NAMESPACES',
    placeholder: '<names>',
    help: 'Namespaces whose ChaosDemos are looked at, separated by commas; empty: all',
    write: 'names of namespaces separated by commas, or nothing for all',
    fallback: '',
    schema: z
      .string()
      .transform((text) =>
        text
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name !== ''),
      )
      .pipe(z.array(label).transform((names) => [...new Set(names)])),
  }),
  concurrency: setting({
    flag: 'concurrency',
    env: 'CHAOSDEMO_CONCURRENCY',
    placeholder: '<number>',
    help: 'ChaosDemos reconciled at the same time',
    write: 'a whole number from 1 to 64',
    // A reconcile waits for the API server nearly all of its time. With 4, twenty runs at
    // once waited so long for each other that faults missed their moment and were planned again.
    fallback: '16',
    schema: integer(1, 64),
  }),
  leaderElection: setting({
    flag: 'leader-election',
    env: 'CHAOSDEMO_LEADER_ELECTION',
    placeholder: '<true|false>',
    help: 'Let one of several replicas work at a time; off only where there is surely one process',
    write: 'true or false',
    fallback: 'true',
    schema: boolean,
  }),
  leaseDurationMs: setting({
    flag: 'lease-duration',
    env: 'CHAOSDEMO_LEASE_DURATION',
    placeholder: '<duration>',
    help: 'After so long without a renewal another replica takes over',
    write: 'whole seconds from 2s to 10m, such as 15s',
    fallback: '15s',
    schema: duration('2s', '10m').refine((milliseconds) => milliseconds % 1000 === 0),
  }),
  renewDeadlineMs: setting({
    flag: 'renew-deadline',
    env: 'CHAOSDEMO_RENEW_DEADLINE',
    placeholder: '<duration>',
    help: 'After so long without a renewal the leader itself stops working',
    write: 'a duration from 500ms to 10m, such as 10s',
    fallback: '10s',
    schema: duration('500ms', '10m'),
  }),
  retryPeriodMs: setting({
    flag: 'retry-period',
    env: 'CHAOSDEMO_RETRY_PERIOD',
    placeholder: '<duration>',
    help: 'Time between two attempts to take or renew the leader lease',
    write: 'a duration from 100ms to 1m, such as 2s',
    fallback: '2s',
    schema: duration('100ms', '1m'),
  }),
  httpHost: setting({
    flag: 'http-host',
    env: 'CHAOSDEMO_HTTP_HOST',
    placeholder: '<address>',
    help: 'Address on which /healthz, /readyz and /metrics are served (default: all)',
    write: 'an IPv4 or IPv6 address',
    schema: z.union([z.ipv4(), z.ipv6()]),
  }),
  httpPort: setting({
    flag: 'http-port',
    env: 'CHAOSDEMO_HTTP_PORT',
    placeholder: '<port>',
    help: 'Port for them; 0 takes any free one',
    write: 'a port from 0 to 65535',
    fallback: '8080',
    schema: integer(0, 65_535),
  }),
  logLevel: setting({
    flag: 'log-level',
    env: 'CHAOSDEMO_LOG_LEVEL',
    placeholder: '<level>',
    help: `Least severe lines that are logged: ${logLevels.join(', ')}`,
    write: `one of ${logLevels.join(', ')}`,
    fallback: 'info',
    schema: z.enum(logLevels),
  }),
  killSwitch: setting({
    flag: 'kill-switch',
    env: 'CHAOSDEMO_KILL_SWITCH',
    placeholder: '<name>',
    help: 'ConfigMap in the namespace of the operator whose key "stop" stops every run',
    write: 'the name of a ConfigMap',
    fallback: 'chaosdemo-kill-switch',
    schema: subdomain,
  }),
  shutdownDeadlineMs: setting({
    flag: 'shutdown-deadline',
    env: 'CHAOSDEMO_SHUTDOWN_DEADLINE',
    placeholder: '<duration>',
    help: 'How long a shutdown may take to undo faults; less than terminationGracePeriodSeconds',
    write: 'a duration from 1s to 10m, such as 25s',
    fallback: '25s',
    schema: duration('1s', '10m'),
  }),
};

type Settings = typeof SETTINGS;
type Name = keyof Settings;
type ValueOf<K extends Name> = Settings[K] extends Setting<infer T> ? T : never;

/** What is undefined unless somebody sets it. */
type Unset = 'kubeconfig' | 'httpHost';

/** Everything that can be set, checked; durations in milliseconds. */
export type Config = { [K in Exclude<Name, Unset>]: ValueOf<K> } & { [K in Unset]?: ValueOf<K> };

/** What the command line asks for. */
export type ParsedCommand = { kind: 'run'; config: Config } | { kind: 'help'; text: string };

/** Something in flags or environment cannot be used. The message lists all of it, each with what to write. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG_INVALID';
}

/**
 * Reads flags (`--flag value` or `--flag=value`) and environment; a flag wins, an empty
 * variable counts as unset.
 *
 * @throws {ConfigError} listing every setting that cannot be used.
 * @example
 * const command = parseCommand(process.argv.slice(2), process.env);
 */
export function parseCommand(args: readonly string[], env: Readonly<NodeJS.ProcessEnv>): ParsedCommand {
  const { flags, help, problems } = readFlags(args);
  if (help) return { kind: 'help', text: helpText() };

  const values: Partial<Record<Name, unknown>> = {};
  for (const [name, entry] of Object.entries(SETTINGS) as [Name, Setting<unknown>][]) {
    const given = source(entry, flags, env) ?? fallbackOf(name, entry);
    if (given === undefined) continue;
    const parsed = entry.schema.safeParse(given.text);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(`${given.from} is "${given.text}": write ${entry.write}`);
  }
  problems.push(...conflicts(values));
  if (problems.length > 0) {
    throw new ConfigError(
      `The configuration cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}\nSee --help.`,
    );
  }
  return { kind: 'run', config: values as Config };
}

/** All settings with their variables and defaults. */
export function helpText(): string {
  const rows = (Object.values(SETTINGS) as Setting<unknown>[]).map((entry) => {
    const variable = entry.env === undefined ? [] : [entry.env];
    const fallback =
      entry.fallback === undefined || entry.fallback === '' ? [] : [`default ${entry.fallback}`];
    const origin = [...variable, ...fallback].join(', ');
    const heading = `  --${entry.flag} ${entry.placeholder}`;
    return `${heading}\n      ${entry.help}${origin === '' ? '' : `\n      [${origin}]`}`;
  });
  return [
    'Operator for ChaosDemo objects (chaosdemo.dev/v1alpha1).',
    '',
    'A flag wins over its environment variable, which stands in brackets.',
    '',
    ...rows,
    '  --help\n      Print this and end',
    '',
  ].join('\n');
}

function readFlags(args: readonly string[]): {
  flags: Map<string, string>;
  help: boolean;
  problems: string[];
} {
  const entries = Object.values(SETTINGS) as Setting<unknown>[];
  const known = new Map(entries.map((entry) => [entry.flag, entry]));
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(entries.map((entry) => [entry.flag, { type: 'string' as const }])),
    // Strict parsing would stop at the first mistake.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags = new Map<string, string>();
  const problems: string[] = [];
  let help = false;
  for (const token of tokens) {
    if (token.kind === 'positional') {
      problems.push(`"${token.value}" belongs to no flag: write --flag value`);
    } else if (token.kind === 'option') {
      const entry = known.get(token.name);
      if (token.name === 'help' || token.rawName === '-h') help = true;
      else if (entry === undefined)
        problems.push(`${token.rawName} is not known: write one that --help lists`);
      else if (token.value === undefined) {
        problems.push(`${token.rawName} has no value: write ${entry.write}`);
      } else flags.set(token.name, token.value);
    }
  }
  return { flags, help, problems };
}

function source(
  entry: Setting<unknown>,
  flags: ReadonlyMap<string, string>,
  env: Readonly<NodeJS.ProcessEnv>,
): { from: string; text: string } | undefined {
  const flag = flags.get(entry.flag);
  if (flag !== undefined) return { from: `--${entry.flag}`, text: flag };
  const variable = entry.env === undefined ? undefined : env[entry.env];
  if (variable === undefined || variable === '') return undefined;
  return { from: String(entry.env), text: variable };
}

function fallbackOf(name: Name, entry: Setting<unknown>): { from: string; text: string } | undefined {
  if (name === 'identity') return { from: 'the host name', text: hostname() };
  return entry.fallback === undefined ? undefined : { from: `--${entry.flag}`, text: entry.fallback };
}

/** What is wrong only in combination: the proportions that leader election needs, as in client-go. */
function conflicts(values: Partial<Record<Name, unknown>>): string[] {
  const { leaderElection, leaseDurationMs, renewDeadlineMs, retryPeriodMs } = values as Partial<Config>;
  if (leaderElection !== true) return [];
  const problems: string[] = [];
  if (leaseDurationMs !== undefined && renewDeadlineMs !== undefined && leaseDurationMs <= renewDeadlineMs) {
    problems.push(
      '--renew-deadline must be shorter than --lease-duration, so that a leader stops before another starts: write for instance 10s and 15s',
    );
  }
  if (
    renewDeadlineMs !== undefined &&
    retryPeriodMs !== undefined &&
    renewDeadlineMs <= 1.2 * retryPeriodMs
  ) {
    problems.push(
      '--renew-deadline must be more than 1.2 times --retry-period, so that there is time for a second attempt: write for instance 10s and 2s',
    );
  }
  return problems;
}
