/** The command lines of `chaosdemo test` and `chaosdemo init`: an API and a Redis on this machine. */
import { FAULT_TYPES, type FaultName } from '@chaosdemo/redis-faults';
import { list } from '@chaosdemo/settings/values';
import { Command, Option } from 'commander';
import { z } from 'zod';
import { EXIT_STATUSES, type ShowOptions, withShowOptions } from '../arguments.ts';
import { parserOf, wholeNumber } from '../option-value.ts';
import { duration, PROBE_OPTIONS, type ProbeOptions } from '../probe/options.ts';

/** What the user states about the API and its Redis. */
export interface ApiOptions extends ProbeOptions {
  readonly url?: readonly string[];
  readonly start?: string;
  readonly instances?: number;
  readonly path?: string;
  readonly redis?: string;
  readonly callers?: string;
  readonly save?: string;
}

/** The same, and about the run. */
export interface TestOptions extends ApiOptions, ShowOptions {
  readonly accept?: readonly string[];
  readonly fault?: readonly FaultName[];
  readonly duration?: string;
  readonly quick?: boolean;
  readonly seed?: number;
  readonly file?: string;
}

const MOST_INSTANCES = 10;

/** Options that a ChaosDemo states, or that make one. */
const OF_FILE = ['path', 'save', 'fault', 'duration', 'quick', 'seed', 'callers'];
const FACTS = [...OF_FILE, ...PROBE_OPTIONS.map((option) => option.attributeName())];

const FAULT_NAMES = FAULT_TYPES.map(({ type }) => type);
const faults = list('<types>', `some of ${FAULT_NAMES.join(', ')}`, z.enum(FAULT_NAMES));

const several = (text: string, earlier: readonly string[] = []): string[] => [...earlier, text];

/** The command `test`. */
export function testCommand(): Command {
  const command = new Command('test')
    .summary('test an API on this machine, without a cluster')
    .description(
      'Tests the rate limiter of an API on this machine: stalls the Redis of the API for 5 s or more, sends bursts, and reports the outcome for callers. Every client of that Redis stalls as well.',
    );
  withApiOptions(command)
    .addOption(
      new Option(
        '--accept <behaviors...>',
        'outcomes of the stall that are as expected (default: Enforces FailsClosed)',
      ).choices(['Enforces', 'FailsClosed', 'FailsOpen', 'Forgets', 'Hangs', 'Mixed']),
    )
    .addOption(
      new Option(
        '--fault <types>',
        `faults of Redis, one after the other: ${FAULT_NAMES.join(', ')} (default: Stall)`,
      ).argParser(parserOf(faults)),
    )
    .option('--duration <duration>', 'how long each fault lasts (default: as long as needed)', duration)
    .option('--quick', 'do not wait until limits return, and state in the result that this was not checked')
    .option(
      '--seed <number>',
      'draw the callers of an earlier run again; its report names the seed',
      wholeNumber(0, 2 ** 32 - 1),
    )
    .option('--save <file>', 'write the ChaosDemo to this file, as YAML for a cluster')
    .addOption(
      new Option('--file <file>', 'run the ChaosDemo of this file, instead of one from facts').conflicts(
        FACTS,
      ),
    );
  return withShowOptions(command).addHelpText(
    'after',
    `${EXIT_STATUSES}

Examples:
  chaosdemo test --start "node server.js" --path /items --limit 10 --window 60s --key-header X-Api-Key
  chaosdemo test --start "node server.js" --limit 10 --window 60s --fault Stall,Latency,Refuse
  chaosdemo test --url http://127.0.0.1:3000/items --url http://127.0.0.1:3001/items --redis redis://127.0.0.1:6379`,
  );
}

/** The command `init`. */
export function initCommand(): Command {
  const command = new Command('init')
    .summary('write a ChaosDemo for an API on this machine, without a run')
    .description(
      'Sends requests to an API on this machine, and writes a ChaosDemo from the responses. Each line of the output is measured, found in a response, or a guess.',
    );
  return withApiOptions(command)
    .option('--save <file>', 'write it to this file (default: standard output)')
    .addHelpText('after', '\nExit status: 0 written, 2 not, 64 wrong usage, 130 stopped by Ctrl-C.');
}

function withApiOptions(command: Command): Command {
  command
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
    .option(
      '--callers <file>',
      'keys of accounts of a test environment, one a line, if the API rejects other keys; they are not printed',
    )
    .option('--redis <url>', 'redis://[user:password@]127.0.0.1:6379; with --start, a new Redis by default');
  for (const option of PROBE_OPTIONS) command.addOption(option);
  return command;
}
