/** The small language model of `npm run model`, for a demo: one that runs already, or a process of our own. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, type Supervisor } from '@chaosdemo/testbed';
import { root } from '../../src/local/root.ts';

/** What the model is called by its server. */
export const LOCAL_MODEL = 'smollm2-135m-instruct';
/** Where `npm run model` serves it by default. */
export const LOCAL_MODEL_PORT = 8099;

/** The first time 200 MB are fetched. */
const READY_MS = 15 * 60_000;
const ASK_MS = 2000;

/** How the model is started. */
export interface LocalModelOptions {
  readonly supervisor: Supervisor;
  readonly onProgress: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** The baseURL of the model, once it answers. What is started ends with the supervisor. */
export async function startLocalModel({
  onProgress,
  signal,
  supervisor,
}: LocalModelOptions): Promise<string> {
  const usual = baseURL(LOCAL_MODEL_PORT);
  if (await answers(usual).catch(() => false)) {
    onProgress(`using the one that answers at ${usual}`);
    return usual;
  }
  const port = await freePort();
  const logFile = join(supervisor.temporaryFolder('model'), 'model.log');
  const model = await supervisor.start({
    name: 'model',
    command: process.execPath,
    args: [join(root, 'tools/model/main.ts'), `--port=${port}`],
    logFile,
  });
  let printed = 0;
  const isReady = async (): Promise<boolean> => {
    const lines = (await readFile(logFile, 'utf8')).split('\n').slice(0, -1);
    for (const line of lines.slice(printed)) onProgress(line);
    printed = lines.length;
    return await answers(baseURL(port));
  };
  await model.untilReady(isReady, READY_MS, signal);
  return baseURL(port);
}

/** A file for `--diagnosis-profiles` with the one profile `local`. */
export async function writeLocalProfile(baseURL: string, supervisor: Supervisor): Promise<string> {
  const file = join(supervisor.temporaryFolder('diagnosis'), 'profiles.json');
  const local = {
    name: 'local',
    kind: 'openai-compatible',
    baseURL,
    model: LOCAL_MODEL,
    timeout: '50s',
    retries: 1,
    // What it reads and writes in less than ten seconds on one processor.
    maxInputTokens: 1400,
    maxOutputTokens: 400,
  };
  await writeFile(file, JSON.stringify({ profiles: [local] }));
  return file;
}

function baseURL(port: number): string {
  return `http://127.0.0.1:${port}/v1`;
}

/** Whether the model is served there. */
async function answers(url: string): Promise<boolean> {
  const response = await fetch(`${url}/models`, { redirect: 'error', signal: AbortSignal.timeout(ASK_MS) });
  const { data } = (await response.json()) as { data?: readonly { id?: unknown }[] };
  return data?.some(({ id }) => id === LOCAL_MODEL) ?? false;
}
