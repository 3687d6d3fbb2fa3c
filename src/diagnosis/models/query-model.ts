/**
 * Sends one question to a model through the AI SDK: both protocols, with retries that honour Retry-After and answers
 * held to a schema. Loaded on the first question only (some 20 MB); no other module imports the SDK.
 */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateText, jsonSchema, NoObjectGeneratedError, Output, RetryError } from 'ai';
import { Agent } from 'undici';
import { messageOf } from '../../api/index.ts';
import { answerForm } from './answer-form.ts';
import { BudgetError } from './day-budget.ts';
import type { ModelProfile } from './profiles.ts';
import type { Prompt } from './prompt.ts';
import { redacted } from './redacted.ts';

export interface Question {
  readonly profile: ModelProfile;
  readonly prompt: Prompt;
  /** Sent only to the server of the profile. */
  readonly key: string | undefined;
  /** PEM. */
  readonly ca: string | undefined;
  /**
   * Called before each retry after an attempt that may be billed although it gave no answer.
   * @throws {BudgetError} if no further attempt is allowed
   */
  readonly onBilledRetry?: () => void;
}

/** The response, unchecked. */
export interface ModelAnswer {
  readonly text: string;
  /** The server's name for it. */
  readonly model: string | undefined;
  /** Tokens as counted by the server. */
  readonly usage: { readonly input: number | undefined; readonly output: number | undefined };
  /** It ended at the token limit. */
  readonly isTruncated: boolean;
  /** The server filtered it, or the model refused. */
  readonly isRefused: boolean;
}

/** There is no answer. The message is a sentence without secrets: what happened and what to do. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
  /** The server may have worked on it, and may charge for it. */
  readonly isBilled: boolean;

  constructor(message: string, isBilled: boolean) {
    super(message);
    this.isBilled = isBilled;
  }
}

const CONNECT_MS = 10_000;
/** Maximum bytes of an answer: many times the size of any answer within its tokens. */
export const ANSWER_BYTES = 512 * 1024;
/** Length of a server's error text that is shown, in characters. */
const SERVER_WORDS = 160;

/** Codes of errors after which the server has received nothing of a question. */
const NOT_TRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/;
const NOT_REACHED = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;
const NOTHING_RECEIVED = new RegExp(`${NOT_TRUSTED.source}|${NOT_REACHED.source}`);

/** Responses of a gateway that has lost the server behind it, which may still be working on the question. */
const GIVEN_UP: ReadonlySet<number> = new Set([502, 504, 524]);

// The SDK writes warnings to the console; ours are lines of a log.
(globalThis as { AI_SDK_LOG_WARNINGS?: false }).AI_SDK_LOG_WARNINGS = false;

/**
 * Sends the question; retries if the server is busy, fails or disconnects, within the timeout of the profile.
 * @throws {QueryError}, or the reason of `signal`
 */
export async function queryModel(question: Question, signal: AbortSignal): Promise<ModelAnswer> {
  const { ca, key, profile, prompt } = question;
  const agent = new Agent({
    connect: { timeout: CONNECT_MS, ...(ca !== undefined && { ca }) },
    headersTimeout: profile.timeout,
    bodyTimeout: profile.timeout,
    maxHeaderSize: 16 * 1024,
    maxResponseSize: ANSWER_BYTES,
  });
  const tries = { made: 0, wasInterrupted: false };
  const counted: typeof globalThis.fetch = async (input, init) => {
    if (tries.wasInterrupted) question.onBilledRetry?.();
    tries.wasInterrupted = false;
    tries.made += 1;
    try {
      const { body, headers, method, signal: stop } = init ?? {};
      const { origin, pathname, search } = new URL(input);
      // Follows no redirect. The image has its own `fetch`, which takes no agent of this version of undici.
      const response = await agent.request({
        origin,
        path: `${pathname}${search}`,
        method: method ?? 'GET',
        headers: Object.fromEntries(new Headers(headers)),
        body: body as string,
        signal: stop ?? null,
      });
      // Read here, so that an interrupted response counts as a failure of the server.
      const bytes = await response.body.arrayBuffer();
      const { statusCode: status } = response;
      tries.wasInterrupted = GIVEN_UP.has(status);
      const named = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
      return new Response(bytes.byteLength > 0 ? bytes : null, {
        status,
        headers: named as [string, string][],
      });
    } catch (error) {
      tries.wasInterrupted = !NOTHING_RECEIVED.test(codeOf(error));
      throw error;
    }
  };
  const timeout = AbortSignal.timeout(profile.timeout);
  try {
    const result = await generateText({
      model: languageModel(profile, key, counted),
      system: prompt.system,
      prompt: prompt.user,
      output: Output.object({ schema: jsonSchema(answerForm(prompt.shown)), name: 'diagnosis' }),
      maxOutputTokens: profile.maxOutputTokens,
      ...(!profile.reasoning && { temperature: 0 }),
      maxRetries: profile.retries,
      abortSignal: AbortSignal.any([signal, timeout]),
      // Not strict: a server that does not support every keyword of the schema would reject the question.
      providerOptions: { openaiCompatible: { strictJsonSchema: false } },
    });
    return modelAnswer(result.text, result);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // A response came that is not JSON: the caller searches it for JSON.
    if (NoObjectGeneratedError.isInstance(error) && error.text !== undefined) {
      return modelAnswer(error.text, error);
    }
    const attempts = tries.made > 1 ? ` (${tries.made} attempts)` : '';
    if (timeout.aborted) {
      throw new QueryError(
        `the model's server gave no answer within ${profile.timeout / 1000} s${attempts}: use a faster one, or let it read less (maxInputTokens of the profile)`,
        tries.made > 0,
      );
    }
    throw failureOf(error, attempts, key);
  } finally {
    await agent.destroy();
  }
}

function modelAnswer(
  text: string,
  { finishReason, response, usage }: Pick<NoObjectGeneratedError, 'finishReason' | 'response' | 'usage'>,
): ModelAnswer {
  return {
    text,
    model: response?.modelId,
    usage: { input: usage?.inputTokens, output: usage?.outputTokens },
    isTruncated: finishReason === 'length',
    isRefused: finishReason === 'content-filter',
  };
}

function languageModel(profile: ModelProfile, key: string | undefined, fetch: typeof globalThis.fetch) {
  const { baseURL, model } = profile;
  if (profile.kind === 'anthropic') return createAnthropic({ baseURL, apiKey: key ?? '', fetch })(model);
  return createOpenAICompatible({
    name: 'model',
    baseURL,
    ...(key !== undefined && { apiKey: key }),
    fetch,
    supportsStructuredOutputs: true,
    ...(profile.reasoning && {
      transformRequestBody: ({ max_tokens, ...body }: Record<string, unknown>) => ({
        ...body,
        max_completion_tokens: max_tokens,
      }),
    }),
  })(model);
}

/** Converts a failure to our own message. Text from the server is cut, made printable and stripped of the key. */
function failureOf(thrown: unknown, attempts: string, key: string | undefined): QueryError {
  const error = RetryError.isInstance(thrown) ? thrown.lastError : thrown;
  const safeText = (text: string): string => redacted(text, key, SERVER_WORDS);
  const server = "the model's server";
  if (APICallError.isInstance(error) && error.statusCode !== undefined) {
    const { statusCode } = error;
    if (statusCode >= 200 && statusCode < 300) {
      return new QueryError(
        `${server} answered what is not of its protocol${attempts}: see that the kind and the baseURL of the profile are right`,
        true,
      );
    }
    const words = safeText(error.message).trim();
    return new QueryError(
      `${server} answered ${statusCode}${attempts}${words === '' ? '' : `: ${words}`}${adviceOn(statusCode)}`,
      GIVEN_UP.has(statusCode),
    );
  }
  const cause = causeOf(error);
  if (cause instanceof BudgetError) {
    return new QueryError(
      `${server} gave no answer${attempts}, and is not asked again: ${cause.message}`,
      true,
    );
  }
  const code = codeOf(cause);
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return new QueryError(`${server} answered with more than ${ANSWER_BYTES} bytes${attempts}`, true);
  }
  if (NOT_TRUSTED.test(code)) {
    return new QueryError(
      `${server} showed a certificate that is not trusted (${safeText(code)}): set caFile in the profile to the authority that made it`,
      false,
    );
  }
  if (NOT_REACHED.test(code)) {
    return new QueryError(
      `${server} cannot be reached (${code})${attempts}: see that it runs, and that the NetworkPolicy of the operator lets it through`,
      false,
    );
  }
  if (/^(ECONNRESET|EPIPE|UND_ERR_\w+)$/.test(code)) {
    return new QueryError(`${server} broke off (${code})${attempts}`, true);
  }
  return new QueryError(`${server} could not be asked${attempts}: ${safeText(messageOf(cause))}`, true);
}

function codeOf(error: unknown): string {
  return (causeOf(error) as Partial<NodeJS.ErrnoException> | undefined)?.code ?? '';
}

/** The root cause of an error. */
function causeOf(error: unknown): unknown {
  let current = error;
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    if (!(current.cause instanceof Error)) return current;
    current = current.cause;
  }
  return current;
}

function adviceOn(status: number): string {
  if (status >= 300 && status < 400)
    return '; it is a redirect, and none is followed: write the URL that it leads to';
  if (status === 401 || status === 403) return '; see that the API key in the Secret is right';
  if (status === 404) return '; see that baseURL and model of the profile are right';
  return '';
}
