/** Programs of Python that tests run, installed by pip once a machine, outside the clone. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { platform, type StepOptions } from '@chaosdemo/testbed';
import { ensureFolder } from '../binaries/cache.ts';
import { output } from '../run.ts';
import { toolsFolder } from './tools-folder.ts';

const PIP_MS = 5 * 60_000;

/**
 * The folder for PYTHONPATH with `check_jsonschema`, which has the schemas of GitHub actions and of GitLab CI in its
 * package. Throws COMMAND_FAILED with the output of pip.
 */
export async function ensureJsonSchemas(options: StepOptions): Promise<string> {
  const pin = join(toolsFolder, 'check-jsonschema', 'requirements.txt');
  const digest = createHash('sha256')
    .update(await readFile(pin))
    .digest('hex');
  const key = `programs/check-jsonschema-${digest.slice(0, 12)}-${platform}`;
  return await ensureFolder(key, options, async (partial) => {
    options.progress('installing check-jsonschema with pip');
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:'];
    const run = { cwd: partial, signal: options.signal, timeoutMs: PIP_MS };
    await output('python3', [...install, '--target', partial, '--requirement', pin], run);
  });
}
