/** `report`: the summary of a finished run, as a file. */
import { writeFile } from 'node:fs/promises';
import type { ChaosDemo } from '../../api/index.ts';
import { readSource } from '../report/read.ts';
import { type Report, reportOf } from '../report/report.ts';
import { type Format, render, writeAll } from '../report/write.ts';
import { type Connection, pluginCommand } from './connection.ts';
import { PluginError } from './errors.ts';

export interface ReportOptions {
  readonly format: Format;
  readonly outputDir?: string;
}

/** A page becomes a file, whose path is printed; other formats are printed. @throws {PluginError} if no run has ended */
export async function writeReport(
  { client, kubectl }: Connection,
  demo: ChaosDemo,
  {
    format,
    outputDir,
    print,
    signal,
  }: ReportOptions & { readonly print: (line: string) => void; readonly signal: AbortSignal },
): Promise<void> {
  const { metadata, status } = demo;
  const source = status?.run?.phase ? await readSource(client, demo, signal) : { demo };
  const made = reportOf(source);
  if (!made) {
    const { run } = status ?? {};
    throw new PluginError(
      run ? `run ${run.number} of ${metadata.name} has not ended` : `${metadata.name} has not run`,
      `Wait for its end: ${pluginCommand('wait', { kubectl, name: metadata.name, namespace: metadata.namespace })}`,
    );
  }
  if (outputDir !== undefined) {
    for (const path of await writeAll(source, made, outputDir)) print(path);
    return;
  }
  const text = await render(made, format);
  if (format !== 'html') {
    process.stdout.write(text);
    return;
  }
  const file = htmlFile(made);
  await writeFile(file, text);
  print(file);
}

/** Names of objects have no slash, but a server that poses as the API server could send one. */
function htmlFile({ name, run }: Report): string {
  return `${name.replaceAll(/[^A-Za-z0-9._-]/g, '_')}-run-${run.number}.html`;
}
