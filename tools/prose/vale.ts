/** Runs Vale with the rules in `styles`. */

import { join } from 'node:path';
import { attempt, type RunOptions } from '@chaosdemo/testbed';
import { ToolError } from '../errors.ts';
import type { Passage } from './surfaces.ts';

export const STYLE = join(import.meta.dirname, 'styles', 'ChaosDemo');
const CONFIG = join(import.meta.dirname, 'vale.ini');

/** A rule that a text breaks. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  /** Name of the rule's file. */
  readonly rule: string;
  readonly match: string;
  readonly message: string;
}

type Alerts = Record<string, { Check: string; Line: number; Match: string; Message: string }[]>;

/** Findings in Markdown files. @throws ToolError COMMAND_FAILED if a rule or the configuration is wrong */
export async function checkFiles(vale: string, files: readonly string[]): Promise<Finding[]> {
  return await run(vale, files, {});
}

/** Findings in passages of `file`. @throws as {@link checkFiles} */
export async function checkPassages(
  vale: string,
  file: string,
  passages: readonly Passage[],
): Promise<Finding[]> {
  const input = passages.map(({ text }) => text).join('\n\n');
  const found = await run(vale, ['--ext=.markdown'], { input });
  return found.map((each) => ({ ...each, file, line: passages[(each.line - 1) / 2]?.line ?? 0 }));
}

async function run(vale: string, args: readonly string[], options: RunOptions): Promise<Finding[]> {
  const { stdout, errorText } = await attempt(vale, ['--config', CONFIG, '--output=JSON', ...args], options);
  const alerts = alertsIn(stdout);
  if (!alerts) throw new ToolError('COMMAND_FAILED', `vale: ${errorText}`);
  return Object.entries(alerts).flatMap(([file, found]) =>
    found.map(({ Check, Line, Match, Message }) => ({
      file,
      line: Line,
      rule: Check.split('.')[1] ?? Check,
      match: Match,
      message: Message,
    })),
  );
}

/** Alerts by file; undefined for an error of Vale, which is an object as well. */
function alertsIn(stdout: string): Alerts | undefined {
  try {
    const parsed = JSON.parse(stdout) as Alerts | { Code: string };
    return 'Code' in parsed ? undefined : parsed;
  } catch {
    return undefined;
  }
}
