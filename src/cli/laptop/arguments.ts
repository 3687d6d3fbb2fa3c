/** The command lines of `chaosdemo test` and `chaosdemo init`: an API and a Redis on this machine. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { formatDuration, parseDuration } from '../../api/index.ts';
import { EXIT_STATUSES, type ShowOptions, withShowOptions } from '../arguments.ts';
import { wholeNumber } from '../whole-number.ts';

/** What the user states about the API. What is left out is found by requests, or has a default. */
export interface ApiOptions {
  readonly url?: readonly string[];
  readonly start?: string;
  readonly instances?: number;
  readonly path?: string;
  readonly redis?: string;
  readonly method: string;
  readonly header?: readonly Header[];
  readonly body?: string;
  readonly keyHeader?: string;
  readonly identity?: 'address';
  readonly health?: string;
  readonly limit?: number;
  readonly window?: string;
  readonly algorithm?: string;
  readonly windowStart?: string;
}

export interface TestOptions extends ApiOptions, ShowOptions {
  readonly accept?: readonly string[];
  readonly save?: string;
  readonly file?: string;
}

export interface InitOptions extends ApiOptions {
  readonly yes?: boolean;
  readonly save?: string;
}

/** A header of the request. */
export interface Header {
  readonly name: string;
  readonly value: string;
}

/** The most that a limit may be: that of the API. */
const MOST_REQUESTS = 5000;
const MOST_INSTANCES = 10;

/** Options that a ChaosDemo states. */
const FACTS = [
  'path',
  'method',
  'header',
  'body',
  'keyHeader',
  'identity',
  'health',
  'limit',
  'window',
  'algorithm',
  'windowStart',
] as const satisfies (keyof ApiOptions)[];

const several = (text: string, earlier: readonly string[] = []): string[] => [...earlier, text];

/** The command `test`. */
export function testCommand(): Command {
  const command = new Command('test')
    .summary('test an API on this machine, without a cluster')
    .description(
      'Tests the rate limiter of an API on this machine: starts a Kubernetes API server and the operator, stalls the Redis of the API for 10 s or more, sends bursts, and reports what callers got. Every client of that Redis stalls as well.',
    );
  withApiOptions(command)
    .addOption(
      new Option(
        '--accept <behaviors...>',
        'outcomes of the stall that are as expected (default: Enforces FailsClosed)',
      ).choices(['Enforces', 'FailsClosed', 'FailsOpen', 'Hangs', 'Mixed']),
    )
    .option('--save <file>', 'write the ChaosDemo to this file, as YAML for a cluster')
    .addOption(
      new Option('--file <file>', 'run the ChaosDemo of this file, instead of one from facts').conflicts([
        ...FACTS,
        'accept',
        'save',
      ]),
    );
  return withShowOptions(command).addHelpText(
    'after',
    `${EXIT_STATUSES}

Examples:
  chaosdemo test --start "node server.js" --path /items --limit 10 --window 60s --key-header X-Api-Key
  chaosdemo test --url http://127.0.0.1:3000/items --url http://127.0.0.1:3001/items --redis redis://127.0.0.1:6379`,
  );
}

/** The command `init`. */
export function initCommand(): Command {
  const command = new Command('init')
    .summary('write a ChaosDemo for an API on this machine')
    .description(
      'Sends requests to an API on this machine, and writes a ChaosDemo from the answers. Each line of the output is measured, found in an answer, or a guess.',
    );
  return withApiOptions(command)
    .option('--yes', 'send the requests without a question')
    .option('--save <file>', 'write the ChaosDemo to this file (default: standard output)')
    .addHelpText('after', '\nExit status: 0 written, 2 not, 64 wrong usage, 130 stopped by Ctrl-C.');
}

function withApiOptions(command: Command): Command {
  return command
    .option(
      '--url <url>',
      'the request that counts, to an instance that is running; once for each instance',
      several,
    )
    .addOption(
      new Option(
        '--start <command>',
        'start the instances with this command; each gets PORT and REDIS_URL in its environment',
      ).conflicts('url'),
    )
    .addOption(
      new Option('--instances <number>', 'with --start: how many (default: 3)')
        .argParser(wholeNumber(1, MOST_INSTANCES))
        .conflicts('url'),
    )
    .addOption(
      new Option('--path <path>', 'with --start: path of the request that counts (default: /)').conflicts(
        'url',
      ),
    )
    .option('--redis <url>', 'redis://[user:password@]127.0.0.1:6379; with --start, a new Redis by default')
    .addOption(
      new Option('--method <method>', 'method of the request')
        .choices(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
        .default('GET'),
    )
    .option(
      '--header <header>',
      "header of the request, as 'Name: value'; $(key) is the key of a caller; may be given several times",
      header,
    )
    .option('--body <text>', 'body of the request; $(key) is the key of a caller')
    .addOption(
      new Option('--key-header <name>', 'header by which the API identifies callers (default: found)')
        .argParser(headerName)
        .conflicts('identity'),
    )
    .addOption(
      new Option('--identity <kind>', 'address: the API only knows the address of a caller').choices([
        'address',
      ]),
    )
    .option('--health <path>', 'path that uses no limiter (default: found, such as /healthz)')
    .option('--limit <requests>', 'requests in one window (default: measured)', wholeNumber(1, MOST_REQUESTS))
    .option('--window <duration>', 'length of a window, such as 60s (default: found, or 60s)', duration)
    .addOption(
      new Option('--algorithm <name>', 'how the API counts (default: FixedWindow)').choices([
        'FixedWindow',
        'SlidingWindow',
        'SlidingWindowCounter',
        'TokenBucket',
      ]),
    )
    .addOption(
      new Option('--window-start <start>', 'of FixedWindow (default: found, or FirstRequest)').choices([
        'FirstRequest',
        'Clock',
      ]),
    );
}

function header(text: string, earlier: readonly Header[] = []): Header[] {
  const [, name = '', value = ''] = /^([^:]*):\s*(.*)$/.exec(text) ?? [];
  if (value === '') throw new InvalidArgumentError("Write a header as 'Name: value'.");
  return [...earlier, { name: headerName(name), value }];
}

function headerName(text: string): string {
  if (/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/.test(text)) return text;
  throw new InvalidArgumentError('Write the name of a header, such as X-Api-Key.');
}

function duration(text: string): string {
  try {
    const ms = parseDuration(text);
    if (ms >= 1000 && ms <= 3_600_000) return formatDuration(ms);
  } catch {
    // The message below has what to write.
  }
  throw new InvalidArgumentError('Write a duration from 1s to 1h, such as 60s or 15m.');
}
