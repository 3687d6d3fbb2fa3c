import { type Command, Option } from 'commander';
import { FORMATS } from '../../report/write.ts';
import type { Place } from '../connection.ts';
import { chooseName, getDemo } from '../demos.ts';
import { EXIT } from '../errors.ts';
import { type ReportOptions, report } from '../report.ts';
import { type CommandContext, clusterCommand, connected, ONLY_ONE, say } from './command.ts';

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
      connected<Place & ReportOptions>(context, async (connection, options, given) => {
        const { signal } = context;
        const name = await chooseName(connection, given, signal);
        await report(connection, await getDemo(connection, name, signal), { ...options, say, signal });
        return EXIT.done;
      }),
    );
}
