/** `npm run model`: a small language model on this machine, for trying out a diagnosis by a model. */
import { constants, getPriority, setPriority } from 'node:os';
import { UsageError } from '@chaosdemo/settings';
import { Command } from 'commander';
import { wholeNumber } from '../../src/cli/option-value.ts';
import { runProgram } from '../../src/cli/program.ts';
import type { ModelFiles } from './files.ts';
import { loadModel } from './llama.ts';
import { LOCAL_MODEL, LOCAL_MODEL_PORT } from './local.ts';
import { modelServer } from './server.ts';

interface Options {
  readonly host: string;
  readonly port: number;
  readonly weights?: string;
  readonly library?: string;
}

const command = new Command('npm run model --')
  .description(
    `Serves ${LOCAL_MODEL} on this machine by the OpenAI protocol, for profiles of kind openai-compatible. The first time it fetches 130 MB, which are kept in ~/.cache/chaosdemo. It takes some 500 MB of memory. Ctrl-C ends it.`,
  )
  .option('--host <address>', 'address to serve on; only 127.0.0.1 keeps others out', '127.0.0.1')
  .option('--port <port>', 'port to serve on; 0: any free one', wholeNumber(0, 65_535), LOCAL_MODEL_PORT)
  .option('--weights <file>', 'GGUF file of the model (default: fetched); needs --library')
  .option('--library <file>', 'module node-llama-cpp that loads it (default: fetched); needs --weights');

/** What the model was trained to read and write together is 8192; half of it takes half the memory. */
const CONTEXT_TOKENS = 4096;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Those that are named, or else what is fetched. An image has the first, and knows nothing of fetching. */
async function filesOf({ library, weights }: Options, signal: AbortSignal): Promise<ModelFiles> {
  if (weights !== undefined && library !== undefined) return { weights, library };
  if (weights !== library) throw new UsageError('--weights and --library go together');
  const { ensureModelFiles } = await import('./files.ts');
  return await ensureModelFiles({ progress: say, signal });
}

await runProgram<Options>(command, {
  failed: 1,
  async main(options, signal) {
    // An answer may wait; what a demo measures during it may not. One that was started as more patient stays so.
    const patient = constants.priority.PRIORITY_BELOW_NORMAL;
    if (getPriority() < patient) setPriority(patient);
    const files = await filesOf(options, signal);
    say('loading the model');
    const model = await loadModel(files, { contextTokens: CONTEXT_TOKENS });
    const server = modelServer(LOCAL_MODEL, model, say);
    try {
      const address = await server.listen({ host: options.host, port: options.port });
      say(`${LOCAL_MODEL} answers at ${address}/v1`);
      if (!signal.aborted)
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      return 0;
    } finally {
      await server.close();
      await model.close();
    }
  },
});
