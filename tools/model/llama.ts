/** A model in memory, through node-llama-cpp: one question at a time, the answer held to a JSON schema. */
import { pathToFileURL } from 'node:url';
import type { ModelFiles } from './files.ts';

/** A question as a server of the OpenAI protocol gets it. */
export interface Completion {
  readonly system: string;
  readonly user: string;
  readonly maxTokens: number;
  readonly temperature: number;
  /** A JSON schema; left out: any text. */
  readonly schema?: object;
}

/** What the model wrote. */
export interface Completed {
  readonly text: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** It had more to say. */
  readonly isCutOff: boolean;
}

/** A model that answers. */
export interface Model {
  /** Tokens of question and answer together. */
  readonly contextTokens: number;
  /** Tokens of a text by the tokenizer of the model. */
  countTokens(text: string): number;
  /** One at a time. @throws the reason of `signal`, or where the schema cannot be held to */
  complete(question: Completion, signal: AbortSignal): Promise<Completed>;
  /** Frees its memory. */
  close(): Promise<void>;
}

/** The parts of node-llama-cpp that are used: it is not among the packages of this project. */
interface Library {
  getLlama(options: { gpu: false; build: 'never'; logLevel: string }): Promise<{
    loadModel(options: { modelPath: string }): Promise<LoadedModel>;
    createGrammarForJsonSchema(schema: object): Promise<object>;
    dispose(): Promise<void>;
  }>;
  readonly LlamaChatSession: new (options: {
    contextSequence: Sequence;
    systemPrompt: string;
  }) => {
    promptWithMeta(
      text: string,
      options: { grammar?: object; maxTokens: number; temperature: number; signal: AbortSignal },
    ): Promise<{ responseText: string; stopReason: string }>;
    dispose(): void;
  };
}

interface LoadedModel {
  createContext(options: { contextSize: number; sequences: 1; threads: number }): Promise<{
    getSequence(): Sequence;
  }>;
  tokenize(text: string): readonly number[];
}

interface Sequence {
  clearHistory(): Promise<void>;
  readonly tokenMeter: {
    getState(): object;
    diff(before: object): { usedInputTokens: number; usedOutputTokens: number };
  };
}

/**
 * Two threads wait for each other after every layer of so small a model: where others want the processors as well,
 * that took ten times as long.
 */
const THREADS = 1;

/** Loads the model: some 3 s and 500 MB. */
export async function loadModel(
  { library, weights }: ModelFiles,
  { contextTokens }: { contextTokens: number },
): Promise<Model> {
  const { getLlama, LlamaChatSession } = (await import(pathToFileURL(library).href)) as Library;
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error' });
  const model = await llama.loadModel({ modelPath: weights });
  const context = await model.createContext({ contextSize: contextTokens, sequences: 1, threads: THREADS });
  const sequence = context.getSequence();
  return {
    contextTokens,
    countTokens: (text) => model.tokenize(text).length,
    async complete({ maxTokens, schema, system, temperature, user }, signal) {
      const grammar = schema && (await llama.createGrammarForJsonSchema(schema));
      await sequence.clearHistory();
      const before = sequence.tokenMeter.getState();
      const session = new LlamaChatSession({ contextSequence: sequence, systemPrompt: system });
      try {
        const options = { ...(grammar && { grammar }), maxTokens, temperature, signal };
        const { responseText, stopReason } = await session.promptWithMeta(user, options);
        const used = sequence.tokenMeter.diff(before);
        return {
          text: responseText,
          promptTokens: used.usedInputTokens,
          completionTokens: used.usedOutputTokens,
          isCutOff: stopReason === 'maxTokens',
        };
      } finally {
        session.dispose();
      }
    },
    close: async () => await llama.dispose(),
  };
}
