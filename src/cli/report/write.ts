/** A report in each of its formats, and a run as files. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../api/index.ts';
import type { Outputs } from '../outputs.ts';
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
 * Writes a run: into a folder, which is created if missing, the report in each format, the object, and the histories if
 * there are any; and what else is to be a file of its own. @returns the paths
 */
export async function writeAll(
  { demo, history }: ReportSource,
  report: Report,
  { json, junit, reportDir }: Omit<Outputs, 'save'>,
): Promise<string[]> {
  const object = `${JSON.stringify(demo, null, 2)}\n`;
  const files: [path: string, text: string][] = [];
  if (reportDir !== undefined) {
    await mkdir(reportDir, { recursive: true });
    for (const [name, render] of Object.values(FORMATS))
      files.push([join(reportDir, name), await render(report)]);
    files.push([join(reportDir, 'chaosdemo.json'), object]);
    if (history) files.push([join(reportDir, 'history.jsonl'), history]);
  }
  if (json !== undefined) files.push([json, object]);
  if (junit !== undefined) files.push([junit, reportJunit(report)]);
  for (const [path, text] of files) {
    await writeFile(path, text).catch((error: unknown) => {
      // Node.js names no path if the disk is full.
      throw new Error(`${path}: it cannot be written: ${messageOf(error)}`, { cause: error });
    });
  }
  return files.map(([path]) => path);
}
