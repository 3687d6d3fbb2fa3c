/** The paths of files that a command writes at its end: checked before work that takes minutes. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from '@chaosdemo/settings';
import { messageOf } from '../api/index.ts';
import type { ShowOptions } from './arguments.ts';

type Outputs = Pick<ShowOptions, 'reportDir'> & { readonly save?: string };

/** @throws UsageError for a path that cannot be written */
export function requireOutputs({ reportDir, save }: Outputs): void {
  if (save !== undefined) {
    const file = resolve(save);
    requireWritable(`--save ${save}`, existsSync(file) ? file : dirname(file), existsSync(file));
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
