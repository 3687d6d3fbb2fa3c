/** A report in each of its formats, and a run as files. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reportJunit } from './junit.ts';
import { reportMarkdown } from './markdown.ts';
import type { Report, ReportSource } from './report.ts';

/** Each format with its name in a folder of reports, and the report as text. */
export const FORMATS = {
  // The charting library takes a moment to load.
  html: ['report.html', async (report: Report) => (await import('./html.ts')).reportHtml(report)],
  markdown: ['report.md', reportMarkdown],
  junit: ['junit.xml', reportJunit],
} as const;
export type Format = keyof typeof FORMATS;

/**
 * Writes a run into a folder, which is created if missing: the report in each format, the object, and the histories if
 * there are any. @returns the paths
 */
export async function writeAll(source: ReportSource, report: Report, folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const files: [name: string, text: string][] = [];
  for (const [name, render] of Object.values(FORMATS)) files.push([name, await render(report)]);
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
