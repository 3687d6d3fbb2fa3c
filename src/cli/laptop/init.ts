/** `chaosdemo init`: writes a ChaosDemo for an API on this machine, from the answers to some requests. */
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { terminalLine } from '../../api/index.ts';
import { Supervisor } from '../../local/supervisor.ts';
import { UsageError } from '../../settings/settings.ts';
import type { InitOptions } from './arguments.ts';
import { demoOf } from './manifest.ts';
import { prepare } from './prepare.ts';
import { MOST_REQUESTS } from './probe.ts';
import { type Target, targetOf } from './target.ts';
import { textOf } from './text.ts';

/** Exit statuses. */
const WRITTEN = 0;
const DECLINED = 2;

/** Returns the exit status. @throws UsageError or LocalError with what to do */
export async function runInit(options: InitOptions, signal: AbortSignal): Promise<number> {
  const target = targetOf(options);
  if (!options.yes && !(await mayRequest(target, signal))) return DECLINED;
  const supervisor = new Supervisor();
  try {
    const start = {
      onProgress: (step: string, message: string) => note(`${step}: ${message}`),
      supervisor,
      signal,
    };
    const prepared = await prepare(options, target, start);
    const { facts, findings, instances, redis } = prepared;
    const demo = demoOf({ ...facts, instances: instances.length, login: redis.password !== undefined });
    const text = textOf(demo, findings);
    if (options.save === undefined) process.stdout.write(text);
    else await writeFile(options.save, text);
    return WRITTEN;
  } finally {
    await supervisor.close();
  }
}

async function mayRequest({ path }: Target, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError('there is no terminal for a question: add --yes');
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const question = `Send up to ${MOST_REQUESTS} requests to ${path}, with keys that begin with demo-probe-? [y/N] `;
    return /^y(es)?$/i.test((await questions.question(question, { signal })).trim());
  } finally {
    questions.close();
  }
}

/** Standard output may be a file. */
function note(line: string): void {
  process.stderr.write(`${terminalLine(line)}\n`);
}
