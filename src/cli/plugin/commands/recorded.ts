/** `report` and `history`: the results of a run, as files. */
import { writeFile } from 'node:fs/promises';
import { Option } from 'commander';
import type { ChaosDemo } from '../../../api/index.ts';
import { EXIT } from '../../exit-status.ts';
import { wholeNumber } from '../../option-value.ts';
import { readEvidence, readSource } from '../../report/read.ts';
import { reportOf } from '../../report/report.ts';
import { FORMATS, type Format, writeAll } from '../../report/write.ts';
import { type Connection, pluginCommand } from '../connection.ts';
import { PluginError } from '../errors.ts';
import { demoCommand, print } from './command.ts';

interface ReportOptions {
  readonly format: Format;
  readonly outputDir?: string;
}

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
    new Option('--format <format>', 'what to write').choices(Object.keys(FORMATS)).default('html'),
    new Option('--output-dir <folder>', 'write all formats: report.html, report.md, junit.xml').conflicts(
      'format',
    ),
  ],
  async run({ connection, options, signal }, demo) {
    for (const path of await writeReport(connection, demo, options, signal)) print(path);
    return EXIT.done;
  },
});

/** Returns the paths of files; formats for programs are printed. @throws {PluginError} if no run has ended */
export async function writeReport(
  { client, kubectl }: Pick<Connection, 'client' | 'kubectl'>,
  demo: ChaosDemo,
  { format, outputDir }: ReportOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { metadata, status: { run } = {} } = demo;
  const source = run?.phase ? await readSource(client, demo, signal) : { demo };
  const made = reportOf(source);
  if (!made) {
    throw new PluginError(
      run ? `run ${run.number} of ${metadata.name} has not ended` : `${metadata.name} has not run`,
      `Wait for its end: ${pluginCommand('wait', { ...metadata, kubectl })}`,
    );
  }
  if (outputDir !== undefined) return await writeAll(source, made, { reportDir: outputDir });
  const text = await FORMATS[format][1](made);
  // Names of objects have no slash, but a server that poses as the API server could send one.
  const file = `${made.name.replaceAll(/[^A-Za-z0-9._-]/g, '_')}-run-${made.run.number}.html`;
  if (format === 'html') await writeFile(file, text);
  else process.stdout.write(text);
  return format === 'html' ? [file] : [];
}

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
  async run({ connection: { client }, options, signal }, demo) {
    const { metadata, status } = demo;
    const run = options.run ?? status?.run?.number;
    if (run === undefined) throw new PluginError(`${metadata.name} has not run`);
    const read = await readEvidence(client, demo, run, signal);
    const { history: lines, missing = 'its ConfigMap has no history' } = read;
    if (!lines) throw new PluginError(`run ${run} of ${metadata.name}: ${missing}`);
    process.stdout.write(lines);
    return EXIT.done;
  },
});
