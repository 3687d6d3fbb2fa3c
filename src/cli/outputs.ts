/** The paths of files that a command writes at its end: checked before work that takes minutes. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../settings/settings.ts';
import type { ShowOptions } from './arguments.ts';

type Outputs = Pick<ShowOptions, 'reportDir'> & { readonly save?: string };

/** @throws UsageError for a path that cannot be written */
export function requireOutputs({ reportDir, save }: Outputs): void {
  if (save !== undefined) requireFile(`--save ${save}`, resolve(save));
  if (reportDir !== undefined) requireFolder(`--report-dir ${reportDir}`, existing(resolve(reportDir)));
}

function requireFile(what: string, path: string): void {
  if (!existsSync(path)) return requireFolder(what, dirname(path));
  if (statSync(path).isDirectory()) throw new UsageError(`${what}: it is a folder: write the path of a file`);
  requireRight(what, path);
}

function requireFolder(what: string, folder: string): void {
  if (!existsSync(folder)) throw new UsageError(`${what}: create the folder ${folder} first`);
  if (!statSync(folder).isDirectory()) throw new UsageError(`${what}: ${folder} is not a folder`);
  requireRight(what, folder);
}

function requireRight(what: string, path: string): void {
  try {
    accessSync(path, constants.W_OK);
  } catch {
    throw new UsageError(`${what}: you have no permission to write ${path}`);
  }
}

/** The folder itself, or the nearest one around it, since missing ones are created. */
function existing(folder: string): string {
  return existsSync(folder) ? folder : existing(dirname(folder));
}
