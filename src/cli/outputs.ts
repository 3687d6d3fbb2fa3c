/** The paths of files that a command writes at its end: checked before work that takes minutes. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from '@chaosdemo/settings';
import { messageOf } from '../api/index.ts';
import type { ShowOptions } from './arguments.ts';

/** Files and a folder. */
export type Outputs = Pick<ShowOptions, 'json' | 'junit' | 'reportDir'> & { readonly save?: string };

/** @throws UsageError for a path that cannot be written */
export function requireOutputs({ json, junit, reportDir, save }: Outputs): void {
  for (const [option, path] of Object.entries({ json, junit, save })) {
    if (path === undefined) continue;
    const file = resolve(path);
    requireWritable(`--${option} ${path}`, existsSync(file) ? file : dirname(file), existsSync(file));
  }
  if (reportDir !== undefined) {
    requireWritable(`--report-dir ${reportDir}`, existing(resolve(reportDir)), false);
  }
}

function requireWritable(what: string, path: string, isFile: boolean): void {
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new UsageError(`${what}: it cannot be written: ${messageOf(error)}`);
  }
  if (statSync(path).isDirectory() !== isFile) return;
  throw new UsageError(
    `${what}: ${path} is ${isFile ? 'a folder: write the path of a file' : 'not a folder'}`,
  );
}

/** The folder itself, or the nearest one around it, since missing ones are created. */
function existing(folder: string): string {
  return existsSync(folder) ? folder : existing(dirname(folder));
}
