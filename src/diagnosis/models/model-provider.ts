/** A provider that queries a language model, by a profile. Its answer is unchecked, like that of any other. */

import type { DiagnosisProvider, ProviderAnswer, UselessAnswer } from '../provider.ts';
import { DayBudget, type TokenUse } from './day-budget.ts';
import type { ModelProfile } from './profiles.ts';
import { PROMPT_VERSION, promptOf } from './prompt.ts';
import type { ModelAnswer } from './query-model.ts';
import { readCa, readKey } from './read-profiles.ts';
import { estimateTokens } from './tokens.ts';

/** Larger than any real use: higher numbers reported by a server are ignored. */
const MAX_TOKENS = 100_000_000;

/**
 * The provider of a profile.
 * @param now milliseconds since the epoch
 */
export function modelProvider(profile: ModelProfile, now: () => number): DiagnosisProvider {
  const budget = new DayBudget(profile, now);
  return {
    name: profile.kind,
    async answer(bundle, signal) {
      const prompt = promptOf(bundle, profile.maxInputTokens);
      if (prompt === undefined) {
        throw new Error(
          `the evidence does not fit into ${profile.maxInputTokens} tokens: raise maxInputTokens in the profile, or use a model that reads more`,
        );
      }
      const key = profile.apiKeyFile === undefined ? undefined : await readKey(profile.apiKeyFile);
      const ca = profile.caFile === undefined ? undefined : await readCa(profile.caFile);
      const most = { input: prompt.tokens, output: profile.maxOutputTokens };
      let reservation = budget.reserve(most);
      const { QueryError, queryModel } = await import('./query-model.ts');
      const question = {
        profile,
        prompt,
        key,
        ca,
        // The reservation of the interrupted attempt stays.
        onBilledRetry: () => {
          reservation = budget.reserve(most);
        },
      };
      try {
        const response = await queryModel(question, signal);
        const used = usageOf(response, prompt.tokens);
        reservation.settle(used);
        return providerAnswer(response, used, profile);
      } catch (error) {
        // A cost that may have been billed stays reserved: the amount is unknown.
        if (error instanceof QueryError && !error.isBilled) reservation.settle({ input: 0, output: 0 });
        throw error;
      }
    },
  };
}

/** The usage as reported by the server, if plausible; otherwise as estimated. */
function usageOf({ text, usage }: ModelAnswer, promptTokens: number): TokenUse {
  const plausible = (count: number | undefined, estimate: number): number =>
    count !== undefined && Number.isFinite(count) && count > 0 ? Math.min(count, MAX_TOKENS) : estimate;
  return {
    input: plausible(usage.input, promptTokens),
    output: plausible(usage.output, estimateTokens(text)),
  };
}

/** Useless if there is nothing to check: no JSON, a refusal, a truncated answer. */
function providerAnswer(
  { isTruncated, isRefused, model, text }: ModelAnswer,
  used: TokenUse,
  profile: ModelProfile,
): ProviderAnswer | UselessAnswer {
  const usage = { inputTokens: used.input, outputTokens: used.output };
  if (isRefused) return { failed: 'the model refused to answer', usage };
  const answer = jsonIn(text);
  if (answer === undefined && isTruncated) {
    const failed = `the answer was cut off after ${used.output} tokens: raise maxOutputTokens in the profile (${profile.maxOutputTokens})`;
    return { failed, usage };
  }
  if (answer === undefined) {
    const failed = text.trim() === '' ? 'the model answered nothing' : 'the model did not answer in JSON';
    return { failed, usage };
  }
  return {
    answer,
    promptVersion: PROMPT_VERSION,
    ...(model !== undefined && { model }),
    usage,
  };
}

/** The JSON in a text: all of it, or the part from the first brace to the last, as in a fence. */
function jsonIn(text: string): unknown {
  for (const part of [text, text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)]) {
    try {
      const value: unknown = JSON.parse(part);
      return value;
    } catch {
      // Try the next candidate, if any.
    }
  }
  return undefined;
}
