/** `chaosdemo init`: writes a ChaosDemo for an API on this machine, from the responses to some requests. */

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Supervisor } from '@chaosdemo/testbed';
import { terminalLine } from '../../api/index.ts';
import { CALLERS_SECRET } from '../../local/target.ts';
import { EXIT } from '../exit-status.ts';
import { requireOutputs } from '../outputs.ts';
import type { ProbeResult } from '../probe/probe.ts';
import { yamlOf } from '../probe/yaml.ts';
import type { ApiOptions } from './arguments.ts';
import { HEAD, placeOf } from './place.ts';
import { prepare } from './prepare.ts';

/** Returns the exit status. @throws UsageError or TestbedError with what to do */
export async function runInit(options: ApiOptions, signal: AbortSignal): Promise<number> {
  requireOutputs(options);
  const supervisor = new Supervisor();
  try {
    // Standard output may be the file that is written.
    const onProgress = (step: string, message: string): void =>
      void process.stderr.write(`${step}: ${terminalLine(message)}\n`);
    const start = { onProgress, supervisor, signal };
    const { instances, pool, probed, redis } = await prepare(options, start);
    const { facts, findings } = probed as ProbeResult;
    const here = { place: placeOf(redis), callersSecretName: pool && CALLERS_SECRET };
    const text = yamlOf({ ...facts, ...here, instances: instances.length }, findings, HEAD);
    if (options.save === undefined) process.stdout.write(text);
    else {
      await writeFile(options.save, text);
      onProgress('demo', `wrote ${resolve(options.save)}. To run it, add --file to chaosdemo test`);
    }
    return EXIT.done;
  } finally {
    await supervisor.close();
  }
}
