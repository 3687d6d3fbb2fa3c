/** `report` and `history`: the results of a run, as files. */
import { Option } from 'commander';
import { EXIT } from '../../exit-status.ts';
import { readHistories } from '../../report/read.ts';
import { FORMATS } from '../../report/write.ts';
import { wholeNumber } from '../../whole-number.ts';
import { PluginError } from '../errors.ts';
import { type ReportOptions, writeReport } from '../report.ts';
import { demoCommand, print } from './command.ts';

export const report = demoCommand<ReportOptions>({
  name: 'report',
  summary: 'Write a report of the last run, once it has ended',
  examples: [
    'kubectl chaosdemo report demo -n ratelimiter',
    'kubectl chaosdemo report demo --format markdown | gh pr comment --body-file -',
    'kubectl chaosdemo report demo --output-dir reports',
  ],
  notes: `html is one page with plots, for people who were not there, in the file <name>-run-<number>.html; markdown is
short, for a pull request; junit is for a CI system. Both are printed. It ends with 0 when the report is written, whatever
the verdict.`,
  options: [
    new Option('--format <format>', 'what to write').choices(FORMATS).default('html'),
    new Option('--output-dir <folder>', 'write all formats: report.html, report.md, junit.xml').conflicts(
      'format',
    ),
  ],
  async run({ connection, options, signal }, demo) {
    await writeReport(connection, demo, { ...options, print, signal });
    return EXIT.done;
  },
});

export const history = demoCommand<{ readonly run?: number }>({
  name: 'history',
  summary: 'Print everything that was recorded in a run, as JSON Lines',
  examples: [
    'kubectl chaosdemo history demo -n ratelimiter | node scripts/chaosdemo.mjs check -',
    'kubectl chaosdemo history demo --run 3 > run-3.jsonl',
  ],
  notes: `A history holds every request, counter and step of a fault, so the results can be recomputed from it:
docs/evidence.md. While a fault is watched, the history ends a few seconds ago.`,
  options: [
    new Option('--run <number>', 'which run (default: the last one)').argParser(wholeNumber(1, 999_999_999)),
  ],
  async run({ connection, options, signal }, { metadata, status }) {
    const run = options.run ?? status?.run?.number;
    if (run === undefined) throw new PluginError(`${metadata.name} has not run`);
    const read = await readHistories(connection.client, metadata, run, signal);
    if ('missing' in read) throw new PluginError(`run ${run} of ${metadata.name}: ${read.missing}`);
    process.stdout.write(read.lines);
    return EXIT.done;
  },
});
