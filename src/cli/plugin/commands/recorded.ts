/** `report` and `history`: the results of a run, as files. */
import { writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { EXIT } from '../../exit-status.ts';
import { readHistories } from '../../report/read.ts';
import { FORMATS } from '../../report/write.ts';
import { wholeNumber } from '../../whole-number.ts';
import type { Place } from '../connection.ts';
import { existingDemo } from '../demos.ts';
import { PluginError } from '../errors.ts';
import { type ReportOptions, report } from '../report.ts';
import { type CommandContext, clusterCommand, ONLY_ONE, print, withConnection } from './command.ts';

export function addReport(program: Command, context: CommandContext): void {
  clusterCommand(program, {
    name: 'report',
    summary: 'Write a report of the last run, once it has ended',
    examples: [
      'kubectl chaosdemo report demo -n ratelimiter',
      'kubectl chaosdemo report demo --format markdown | gh pr comment --body-file -',
      'kubectl chaosdemo report demo --output-dir reports',
    ],
    notes: `html is one page with plots, for people who were not there; markdown is short, for a pull request; junit is for a
CI system. It ends with 0 when the report is written, whatever the verdict.`,
  })
    .argument('[name]', ONLY_ONE)
    .addOption(new Option('--format <format>', 'what to write').choices(FORMATS).default('html'))
    .option(
      '-o, --output <file>',
      'where to; - is standard output (default: html to <name>-run-<number>.html)',
    )
    .addOption(
      new Option('--output-dir <folder>', 'write all formats: report.html, report.md, junit.xml').conflicts([
        'format',
        'output',
      ]),
    )
    .action(
      withConnection<Place & ReportOptions>(context, async (connection, options, given) => {
        const { signal } = context;
        const demo = await existingDemo(connection, given, signal);
        await report(connection, demo, { ...options, print, signal });
        return EXIT.done;
      }),
    );
}

interface HistoryOptions {
  readonly run?: number;
  readonly output?: string;
}

export function addHistory(program: Command, context: CommandContext): void {
  clusterCommand(program, {
    name: 'history',
    summary: 'Print everything that was recorded in a run, as JSON Lines',
    examples: [
      'kubectl chaosdemo history demo -n ratelimiter | node scripts/chaosdemo.mjs check -',
      'kubectl chaosdemo history demo --run 3 -o run-3.jsonl',
    ],
    notes: `A history holds every request, counter and step of a fault, so the results can be recomputed from it:
docs/evidence.md. While a fault is watched, the history ends a few seconds ago.`,
  })
    .argument('[name]', ONLY_ONE)
    .option('--run <number>', 'which run (default: the last one)', wholeNumber(1, 999_999_999))
    .option('-o, --output <file>', 'where to (default: standard output)')
    .action(
      withConnection<Place & HistoryOptions>(
        context,
        async (connection, { output, run: requested }, given) => {
          const { signal } = context;
          const { metadata, status } = await existingDemo(connection, given, signal);
          const run = requested ?? status?.run?.number;
          if (run === undefined) throw new PluginError(`${metadata.name} has not run`);
          const read = await readHistories(connection.client, metadata, run, signal);
          if ('missing' in read) throw new PluginError(`run ${run} of ${metadata.name}: ${read.missing}`);
          if (output === undefined) process.stdout.write(read.lines);
          else {
            await writeFile(output, read.lines);
            print(output);
          }
          return EXIT.done;
        },
      ),
    );
}
