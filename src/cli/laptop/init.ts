/** `chaosdemo init`: writes a ChaosDemo for an API on this machine, from the answers to some requests. */

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Supervisor } from '@chaosdemo/testbed';
import { shellWord, terminalLine } from '../../api/index.ts';
import { requireOutputs } from '../outputs.ts';
import { requestsText } from '../probe/probe.ts';
import { confirmed } from '../probe/questions.ts';
import { yamlOf } from '../probe/yaml.ts';
import { readPool } from './accounts.ts';
import type { ApiOptions, InitOptions } from './arguments.ts';
import { HEAD, placeOf } from './place.ts';
import { prepare } from './prepare.ts';
import { targetOf, withoutLogin } from './target.ts';

/** Exit statuses. */
const WRITTEN = 0;
const DECLINED = 2;

/** Returns the exit status. @throws UsageError or TestbedError with what to do */
export async function runInit(options: InitOptions, signal: AbortSignal): Promise<number> {
  requireOutputs(options);
  const target = targetOf(options);
  if (!options.yes && !(await confirmed(`Send ${requestsText(target.path)}?`, signal))) return DECLINED;
  const supervisor = new Supervisor();
  try {
    const start = {
      onProgress: (step: string, message: string) => note(`${step}: ${message}`),
      supervisor,
      signal,
    };
    const pool = await readPool(options.callers);
    const prepared = await prepare(options, target, start, {
      pool,
      isPatient: true,
      onWait: note,
    });
    const { facts, findings, instances, redis } = prepared;
    if (!facts) throw new TypeError('nothing was found out');
    const known = {
      ...facts,
      place: placeOf(redis),
      instances: instances.length,
      hasAccounts: pool !== undefined,
    };
    const text = yamlOf(known, findings, HEAD);
    if (options.save === undefined) {
      process.stdout.write(text);
      return WRITTEN;
    }
    await writeFile(options.save, text);
    note(`wrote ${resolve(options.save)}. To run it: ${testOf(options, options.save)}`);
    return WRITTEN;
  } finally {
    await supervisor.close();
  }
}

/** The command that runs the file on the same API. A login is left out: it may be a secret. */
export function testOf({ instances, redis, start, url = [] }: ApiOptions, file: string): string {
  const given = {
    '--start': start === undefined ? [] : [start],
    '--instances': instances === undefined ? [] : [String(instances)],
    '--url': url,
    '--redis': redis === undefined ? [] : [withoutLogin(redis)],
    '--file': [file],
  };
  const words = Object.entries(given).flatMap(([option, values]) =>
    values.flatMap((value) => [option, shellWord(value)]),
  );
  return ['chaosdemo test', ...words].join(' ');
}

/** Standard output may be a file. */
function note(line: string): void {
  process.stderr.write(`${terminalLine(line)}\n`);
}
