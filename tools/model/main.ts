/** `npm run model`: a small language model on this machine, for trying out a diagnosis by a model. */
import { constants, setPriority } from 'node:os';
import { runProgram } from '../../src/cli/program.ts';
import { LOCAL_MODEL, LOCAL_MODEL_PORT } from '../../src/local/model.ts';
import { port } from '../../src/settings/kinds.ts';
import type { Program } from '../../src/settings/settings.ts';
import { ensureModelFiles } from './files.ts';
import { loadModel } from './llama.ts';
import { modelServer } from './server.ts';

const settings = {
  port: {
    ...port(0),
    flag: 'port',
    help: 'Port on 127.0.0.1 to serve on; 0: any free one',
    fallback: String(LOCAL_MODEL_PORT),
  },
} as const;

const MODEL: Program<typeof settings> = {
  about: `Usage: npm run model -- [flags]

Serves ${LOCAL_MODEL} on this machine by the OpenAI protocol, for profiles of kind openai-compatible. The first
time it fetches 130 MB, which are kept in ~/.cache/chaosdemo. It takes some 500 MB of memory.`,
  settings,
  notes: 'Ctrl-C ends it.',
};

/** What the model was trained to read and write together is 8192; half of it takes half the memory. */
const CONTEXT_TOKENS = 4096;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

await runProgram(MODEL, {
  failed: 1,
  async main({ port }, signal) {
    // An answer may wait; what a demo measures meanwhile may not.
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
    const files = await ensureModelFiles({ progress: say, signal });
    say('loading the model');
    const model = await loadModel(files, { contextTokens: CONTEXT_TOKENS });
    const server = modelServer(LOCAL_MODEL, model);
    try {
      const address = await server.listen({ host: '127.0.0.1', port });
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
