/**
 * The one place that reads command lines and environments. A program lists its settings in a table, which also
 * generates the text of `--help`. A flag overrides its environment variable, an empty variable counts as unset, and all
 * problems are reported at once: each round of fixing may cost a rollout.
 */
import { parseArgs } from 'node:util';
import type { ValueType } from './values.ts';

/** Exit status for a command line or environment that cannot be used, as sysexits' EX_USAGE. */
export const EXIT_USAGE = 64;

/**
 * One setting: a kind of value, and its sources. Its name is that of its flag: `timeoutMs` is `--timeout`, in the units
 * that people write.
 */
export interface Setting<T> extends ValueType<T> {
  /** A secret has no flag: every user of a machine can read command lines. */
  readonly isSecret?: true;
  /** Environment variable that is read if the flag is missing. */
  readonly env?: string;
  readonly help: string;
  /** The default, in the form in which people write it. */
  readonly fallback?: string;
  /** Without it and a default, the setting may be undefined. */
  readonly isRequired?: true;
}

/** The settings of a program, by the names that its code uses. */
export type Settings = Readonly<Record<string, Setting<unknown>>>;

/** The parsed values: undefined if nothing is given, there is no fallback and none is required. */
export type ValuesOf<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T>
    ? S[K] extends { readonly fallback: string } | { readonly isRequired: true }
      ? T
      : T | undefined
    : never;
};

/** A program with settings. */
export interface Program<S extends Settings> {
  /** First part of `--help`: the purpose of the program, and its usage. */
  readonly about: string;
  readonly settings: S;
}

/** A command line or an environment cannot be used. The message lists all problems, and what to write. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Reads flags (`--flag value` or `--flag=value`) and environment; 'help' if `--help` or `-h` is given.
 * @throws {UsageError} that lists every setting that cannot be used
 */
export function readSettings<S extends Settings>(
  { settings }: Program<S>,
  args: readonly string[],
  env: Readonly<NodeJS.ProcessEnv>,
): ValuesOf<S> | 'help' {
  const { flags, help, problems } = readFlags(settings, args);
  if (help) return 'help';
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    const given = givenFor(name, setting, flags, env);
    const parsed = given && setting.schema.safeParse(given.text);
    if (parsed?.success) values[name] = parsed.data;
    else if (given) {
      const what = setting.isSecret ? 'cannot be used' : `is "${given.text}"`;
      problems.push(`${given.from} ${what}: write ${setting.write}`);
    } else if (setting.isRequired) problems.push(`--${flagOf(name)} is missing: write ${setting.write}`);
  }
  if (problems.length === 0) return values as ValuesOf<S>;
  const lines = problems.map((problem) => `  - ${problem}`).join('\n');
  throw new UsageError(`These settings cannot be used:\n${lines}\nSee --help.`);
}

/** The text of `--help`: all settings with their variables and defaults. */
export function helpText({ about, settings }: Program<Settings>): string {
  const rows = Object.entries(settings).map(([name, setting]) => {
    const { env, placeholder, isSecret, isSwitch, help, fallback } = setting;
    const heading = isSecret ? env : `--${flagOf(name)}${isSwitch ? '' : ' '}${placeholder}`;
    const variable = isSecret || env === undefined ? [] : [env];
    const origin = [...variable, ...(fallback ? [`default ${fallback}`] : [])].join(', ');
    return `  ${heading}\n      ${help}${origin === '' ? '' : `\n      [${origin}]`}`;
  });
  const flags = [...rows, '  --help\n      Print this and end'].join('\n');
  return `${about}\n\nA flag overrides its environment variable, shown in brackets.\n\n${flags}\n`;
}

/**
 * The result of `read`, by default {@link readSettings}, for the command line and environment of this process. Ends the
 * process after printing help (0), or the problems (64).
 */
export function ownSettings<S extends Settings, T = ValuesOf<S>>(
  program: Program<S>,
  read = (args: readonly string[], env: NodeJS.ProcessEnv) => readSettings(program, args, env) as T | 'help',
): T {
  let values: T | 'help';
  try {
    values = read(process.argv.slice(2), process.env);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return process.exit(EXIT_USAGE);
  }
  if (values !== 'help') return values;
  process.stdout.write(helpText(program));
  return process.exit(0);
}

/** `maxRuns`: max-runs; `timeoutMs`: timeout. */
function flagOf(name: string): string {
  return name.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function readFlags(settings: Settings, args: readonly string[]) {
  const withFlag = Object.entries(settings).filter(([, { isSecret }]) => !isSecret);
  const known = new Map(withFlag.map(([name, setting]) => [flagOf(name), setting]));
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      [...known].map(([flag, { isSwitch }]) => [flag, { type: isSwitch ? 'boolean' : 'string' }]),
    ),
    // Strict parsing would stop at the first mistake.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags = new Map<string, string>();
  const problems: string[] = [];
  let help = false;
  let afterUnknown = false;
  for (const token of tokens) {
    // The value of an unknown flag may be a secret, and is not repeated.
    if (token.kind === 'positional' && !afterUnknown)
      problems.push(`"${token.value}" belongs to no flag: write --flag=value`);
    afterUnknown = false;
    if (token.kind !== 'option') continue;
    const setting = known.get(token.name);
    const value = token.value ?? (setting?.isSwitch ? 'true' : undefined);
    const before = flags.get(token.name);
    if (token.name === 'help' || token.rawName === '-h') help = true;
    else if (!setting) {
      problems.push(`${token.rawName} is not known: write one that --help lists`);
      afterUnknown = true;
    } else if (value === undefined) problems.push(`${token.rawName} has no value: write ${setting.write}`);
    // For a list each flag adds values; otherwise the last one applies.
    else flags.set(token.name, setting.isList && before ? `${before},${value}` : value);
  }
  return { flags, help, problems };
}

function givenFor(
  name: string,
  { env = '', fallback }: Setting<unknown>,
  flags: ReadonlyMap<string, string>,
  environment: Readonly<NodeJS.ProcessEnv>,
): { from: string; text: string } | undefined {
  const flag = flagOf(name);
  const byFlag = flags.get(flag);
  if (byFlag !== undefined) return { from: `--${flag}`, text: byFlag };
  const byEnv = environment[env];
  if (byEnv) return { from: env, text: byEnv };
  return fallback === undefined ? undefined : { from: `the default of --${flag}`, text: fallback };
}
