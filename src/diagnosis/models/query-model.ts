/**
 * Sends one question to a model through the AI SDK: both protocols, with retries that honour Retry-After and answers
 * held to a schema. Loaded on the first question only (some 20 MB); no other module imports the SDK.
 */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateText, NoObjectGeneratedError, Output, RetryError } from 'ai';
import { Agent } from 'undici';
import { messageOf } from '../../api/index.ts';
import { answerTo } from '../answer.ts';
import { BudgetError, type Reservation } from './day-budget.ts';
import type { ModelProfile } from './profiles.ts';
import type { Prompt } from './prompt.ts';
import { redacted } from './redacted.ts';
import { estimateTokens } from './tokens.ts';

export interface Question {
  readonly profile: ModelProfile;
  readonly prompt: Prompt;
  /** Sent only to the server of the profile. */
  readonly key: string | undefined;
  /** PEM. */
  readonly ca: string | undefined;
  /**
   * Called before each attempt. An attempt that cost nothing is settled; one that may be billed, and gave no answer,
   * keeps its reservation.
   * @throws {BudgetError} if no further attempt is allowed
   */
  readonly reserve: () => Reservation;
}

/** The response, unchecked. */
export interface ModelAnswer {
  readonly text: string;
  /** The server's name for it. */
  readonly model: string | undefined;
  /** As reported by the server, if plausible; otherwise as estimated. */
  readonly used: { readonly input: number; readonly output: number };
  /** It ended at the token limit. */
  readonly isTruncated: boolean;
  /** The server filtered it, or the model refused. */
  readonly isRefused: boolean;
}

const CONNECT_MS = 10_000;
/** Maximum bytes of an answer: many times the size of any answer within its tokens. */
const ANSWER_BYTES = 512 * 1024;
/** Larger than any real use: higher numbers reported by a server are ignored. */
const MAX_TOKENS = 100_000_000;
/** Length of a server's error text that is shown, in characters. */
const SERVER_WORDS = 160;

/** Failures of a connection by their codes, each as the end of a sentence about the server. */
const FAILURES: readonly {
  readonly codes: RegExp;
  readonly text: (code: string) => string;
  /** The server has received nothing of the question. */
  readonly isFree?: boolean;
}[] = [
  {
    codes: /^UND_ERR_RES_EXCEEDED_MAX_SIZE$/,
    text: () => `answered with more than ${ANSWER_BYTES} bytes`,
  },
  {
    codes: /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/,
    text: (code) =>
      `showed a certificate that is not trusted (${code}): set caFile in the profile to the authority that made it`,
    isFree: true,
  },
  {
    codes: /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/,
    text: (code) =>
      `cannot be reached (${code}): see that it runs, and that the NetworkPolicy of the operator lets it through`,
    isFree: true,
  },
  { codes: /^(ECONNRESET|EPIPE|UND_ERR_\w+)$/, text: (code) => `broke off (${code})` },
];

/** Responses of a gateway that has lost the server behind it, which may still be working on the question. */
const GIVEN_UP: ReadonlySet<number> = new Set([502, 504, 524]);

// The SDK writes warnings to the console; ours are lines of a log.
(globalThis as { AI_SDK_LOG_WARNINGS?: false }).AI_SDK_LOG_WARNINGS = false;

/**
 * Sends the question; retries if the server is busy, fails or disconnects, within the timeout of the profile.
 * @throws an error whose message is a sentence without secrets: what happened and what to do; or the reason of `signal`
 */
export async function queryModel(question: Question, signal: AbortSignal): Promise<ModelAnswer> {
  const { ca, key, profile, prompt, reserve } = question;
  const agent = new Agent({
    connect: { timeout: CONNECT_MS, ...(ca !== undefined && { ca }) },
    maxHeaderSize: 16 * 1024,
    maxResponseSize: ANSWER_BYTES,
  });
  const attempts: Reservation[] = [];
  const send: typeof globalThis.fetch = async (input, init) => {
    const attempt = reserve();
    attempts.push(attempt);
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
      if (!isSuccess(status) && !GIVEN_UP.has(status)) attempt.settle(0);
      const named = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
      return new Response(bytes.byteLength > 0 ? bytes : null, {
        status,
        headers: named as [string, string][],
      });
    } catch (error) {
      if (failureBy(codeOf(error))?.isFree) attempt.settle(0);
      throw error;
    }
  };
  const answered = (
    text: string,
    { finishReason, response, usage }: Pick<NoObjectGeneratedError, 'finishReason' | 'response' | 'usage'>,
  ): ModelAnswer => {
    const used = {
      input: plausible(usage?.inputTokens, prompt.tokens),
      output: plausible(usage?.outputTokens, estimateTokens(text)),
    };
    attempts.at(-1)?.settle(used.input + used.output);
    return {
      text,
      model: response?.modelId,
      used,
      isTruncated: finishReason === 'length',
      isRefused: finishReason === 'content-filter',
    };
  };
  const timeout = AbortSignal.timeout(profile.timeout);
  try {
    const result = await generateText({
      model: languageModel(profile, key, send),
      system: prompt.system,
      prompt: prompt.user,
      output: Output.object({ schema: answerTo(prompt.shown), name: 'diagnosis' }),
      maxOutputTokens: profile.maxOutputTokens,
      ...(!profile.reasoning && { temperature: 0 }),
      maxRetries: profile.retries,
      abortSignal: AbortSignal.any([signal, timeout]),
      // Not strict: a server that does not support every keyword of the schema would reject the question.
      providerOptions: { openaiCompatible: { strictJsonSchema: false } },
    });
    return answered(result.text, result);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // A response came that is not as the schema has it: the caller searches it for JSON, and checks that.
    if (NoObjectGeneratedError.isInstance(error) && error.text !== undefined) {
      return answered(error.text, error);
    }
    const tried = attempts.length > 1 ? `after ${attempts.length} attempts, ` : '';
    const failure = timeout.aborted
      ? `gave no answer within ${profile.timeout / 1000} s: use a faster one, or let it read less (maxInputTokens of the profile)`
      : failureOf(error, attempts.length > 0, key);
    throw withoutCause(`${tried}the model's server ${failure}`);
  } finally {
    await agent.destroy();
  }
}

/** The cause may quote the key. */
function withoutCause(message: string): Error {
  return new Error(message);
}

function plausible(count: number | undefined, estimate: number): number {
  return count !== undefined && Number.isFinite(count) && count > 0 ? Math.min(count, MAX_TOKENS) : estimate;
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
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

/** A failure in our own words. Text from the server is cut, made printable and stripped of the key. */
function failureOf(thrown: unknown, wasAsked: boolean, key: string | undefined): string {
  const error = RetryError.isInstance(thrown) ? thrown.lastError : thrown;
  const safeText = (text: string): string => redacted(text, key, SERVER_WORDS);
  if (APICallError.isInstance(error) && error.statusCode !== undefined) {
    const { message, statusCode } = error;
    if (isSuccess(statusCode))
      return 'answered what is not of its protocol: see that the kind and the baseURL of the profile are right';
    const words = safeText(message).trim();
    return `answered ${statusCode}${words === '' ? '' : `: ${words}`}${adviceOn(statusCode)}`;
  }
  const cause = causeOf(error);
  if (cause instanceof BudgetError) return `is not asked${wasAsked ? ' again' : ''}: ${cause.message}`;
  const code = codeOf(cause);
  return failureBy(code)?.text(safeText(code)) ?? `could not be asked: ${safeText(messageOf(cause))}`;
}

function failureBy(code: string) {
  return FAILURES.find(({ codes }) => codes.test(code));
}

function codeOf(error: unknown): string {
  return (causeOf(error) as Partial<NodeJS.ErrnoException> | undefined)?.code ?? '';
}

/** The root cause of an error. */
function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? causeOf(error.cause) : error;
}

function adviceOn(status: number): string {
  if (status >= 300 && status < 400)
    return '; it is a redirect, and none is followed: write the URL that it leads to';
  if (status === 401 || status === 403) return '; see that the API key in the Secret is right';
  if (status === 404) return '; see that baseURL and model of the profile are right';
  return '';
}
