/** `npm run model`: a small language model on this machine, for trying out a diagnosis by a model. */
import { constants, getPriority, setPriority } from 'node:os';
import { z } from 'zod';
import { runProgram } from '../../src/cli/program.ts';
import { file, port, text } from '../../src/settings/kinds.ts';
import type { Program, ValuesOf } from '../../src/settings/settings.ts';
import type { ModelFiles } from './files.ts';
import { loadModel } from './llama.ts';
import { LOCAL_MODEL, LOCAL_MODEL_PORT } from './local.ts';
import { modelServer } from './server.ts';

const settings = {
  host: {
    ...text('<address>', 'an IPv4 or IPv6 address', z.union([z.ipv4(), z.ipv6()])),
    flag: 'host',
    help: 'Address to serve on; whoever reaches another than that of loopback may ask',
    fallback: '127.0.0.1',
  },
  port: {
    ...port(0),
    flag: 'port',
    help: 'Port to serve on; 0: any free one',
    fallback: String(LOCAL_MODEL_PORT),
  },
  weights: {
    ...file,
    flag: 'weights',
    help: 'GGUF file of the model (default: fetched); needs --library',
  },
  library: {
    ...file,
    flag: 'library',
    help: 'Module node-llama-cpp that loads it (default: fetched); needs --weights',
  },
} as const;

function conflicts({ library, weights }: Partial<ValuesOf<typeof settings>>): string[] {
  return (library === undefined) === (weights === undefined) ? [] : ['--weights and --library go together'];
}

const MODEL: Program<typeof settings> = {
  about: `Usage: npm run model -- [flags]

Serves ${LOCAL_MODEL} on this machine by the OpenAI protocol, for profiles of kind openai-compatible. The first
time it fetches 130 MB, which are kept in ~/.cache/chaosdemo. It takes some 500 MB of memory.`,
  settings,
  conflicts,
  notes: 'Ctrl-C ends it.',
};

/** What the model was trained to read and write together is 8192; half of it takes half the memory. */
const CONTEXT_TOKENS = 4096;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Those that are named, or else what is fetched. An image has the first, and knows nothing of fetching. */
async function filesOf(
  { library, weights }: ValuesOf<typeof settings>,
  signal: AbortSignal,
): Promise<ModelFiles> {
  if (weights !== undefined && library !== undefined) return { weights, library };
  const { ensureModelFiles } = await import('./files.ts');
  return await ensureModelFiles({ progress: say, signal });
}

await runProgram(MODEL, {
  failed: 1,
  async main(options, signal) {
    // An answer may wait; what a demo measures meanwhile may not. One that was started as more patient stays so.
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
