/** A report in each of its formats, and as files. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reportJunit } from './junit.ts';
import { reportMarkdown } from './markdown.ts';
import type { Report } from './report.ts';

export const FORMATS = ['html', 'markdown', 'junit'] as const;
export type Format = (typeof FORMATS)[number];

/** What each is called in a folder of reports. */
export const FILES: Readonly<Record<Format, string>> = {
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

/** Writes all formats into a folder, which is made where it is not there. @returns their paths */
export async function writeAll(report: Report, folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  for (const format of FORMATS) {
    const path = join(folder, FILES[format]);
    await writeFile(path, await render(report, format));
    paths.push(path);
  }
  return paths;
}
