/** A report in each of its formats, and a run as files. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import type { ChaosDemo } from '../../api/index.ts';
import { reportJunit } from './junit.ts';
import { reportMarkdown } from './markdown.ts';
import { readSource } from './read.ts';
import { type Report, type ReportSource, reportOf } from './report.ts';

export const FORMATS = ['html', 'markdown', 'junit'] as const;
export type Format = (typeof FORMATS)[number];

/** File names in a folder of reports. */
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

/** Writes all formats into a folder, which is created if missing. @returns their paths */
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

interface Files {
  /** Folder for all formats, and the histories as `history.jsonl`. */
  readonly reportDir?: string | undefined;
  /** File for the histories. */
  readonly history?: string | undefined;
}

/** Writes the requested reports of a run. @returns the paths; none if no run has ended */
export async function reportOnRun(
  { kubeconfig }: { readonly kubeconfig: string },
  demo: ChaosDemo,
  { history, reportDir }: Files,
  signal: AbortSignal,
): Promise<string[]> {
  const client = new KubeClient(loadKubeConfig(kubeconfig));
  try {
    // Waits for the end of the evidence.
    const source = await readSource(client, demo, signal);
    const report = reportOf(source);
    if (!report) return [];
    const paths = reportDir === undefined ? [] : await writeAll(report, reportDir);
    const files = [
      ...(history === undefined ? [] : [history]),
      ...(reportDir === undefined ? [] : [join(reportDir, HISTORY_FILE)]),
    ];
    return [...paths, ...(await writeHistories(source, files))];
  } finally {
    await client.close();
  }
}

/** File name of the histories in a folder of reports. */
export const HISTORY_FILE = 'history.jsonl';

/** Writes the histories of a run into each of these files. @returns their paths; none if there are no histories */
export async function writeHistories(
  { history = '' }: Pick<ReportSource, 'history'>,
  files: readonly string[],
): Promise<string[]> {
  if (history === '') return [];
  for (const file of files) await writeFile(file, history);
  return [...files];
}
