/** A provider that queries a language model, by a profile. Its answer is unchecked, like that of any other. */

import type { DiagnosisProvider, ProviderAnswer } from '../provider.ts';
import { DayBudget } from './day-budget.ts';
import type { ModelProfile } from './profiles.ts';
import { PROMPT_VERSION, promptOf } from './prompt.ts';
import type { ModelAnswer } from './query-model.ts';
import { readCa, readKey } from './read-profiles.ts';

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
      const most = prompt.tokens + profile.maxOutputTokens;
      const { queryModel } = await import('./query-model.ts');
      const question = { profile, prompt, key, ca, reserve: () => budget.reserve(most) };
      return providerAnswer(await queryModel(question, signal), profile);
    },
  };
}

/** @throws if there is nothing to check: no JSON, a refusal, a truncated answer */
function providerAnswer(
  { isTruncated, isRefused, model, text, used }: ModelAnswer,
  profile: ModelProfile,
): ProviderAnswer {
  const answer = jsonIn(text);
  if (answer !== undefined && !isRefused)
    return { answer, promptVersion: PROMPT_VERSION, ...(model !== undefined && { model }) };
  const cutOff = `the answer was cut off after ${used.output} tokens: raise maxOutputTokens in the profile (${profile.maxOutputTokens})`;
  const nothing = text.trim() === '' ? 'the model answered nothing' : 'the model did not answer in JSON';
  throw new Error(isRefused ? 'the model declined to answer' : isTruncated ? cutOff : nothing);
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
