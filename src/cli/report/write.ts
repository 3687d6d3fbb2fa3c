/** A report in each of its formats, and a run as files. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reportJunit } from './junit.ts';
import { reportMarkdown } from './markdown.ts';
import type { Report, ReportSource } from './report.ts';

export const FORMATS = ['html', 'markdown', 'junit'] as const;
export type Format = (typeof FORMATS)[number];

/** File names in a folder of reports. */
const FILES: Readonly<Record<Format, string>> = {
  html: 'report.html',
  markdown: 'report.md',
  junit: 'junit.xml',
};

/** The report as text. */
export async function render(report: Report, format: Format): Promise<string> {
  if (format === 'markdown') return reportMarkdown(report);
  if (format === 'junit') return reportJunit(report);
  // The charting library takes a moment to load.
  return (await import('./html.ts')).reportHtml(report);
}

/**
 * Writes a run into a folder, which is created if missing: the report in each format, the object, and the histories if
 * there are any. @returns the paths
 */
export async function writeAll(source: ReportSource, report: Report, folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const files: [name: string, text: string][] = [];
  for (const format of FORMATS) files.push([FILES[format], await render(report, format)]);
  files.push(['chaosdemo.json', `${JSON.stringify(source.demo, null, 2)}\n`]);
  if (source.history) files.push(['history.jsonl', source.history]);
  const paths: string[] = [];
  for (const [name, text] of files) {
    const path = join(folder, name);
    await writeFile(path, text);
    paths.push(path);
  }
  return paths;
}
