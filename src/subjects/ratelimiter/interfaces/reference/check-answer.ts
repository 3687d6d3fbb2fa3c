/** What the reference limiter answers to `POST /check`, read strictly. Pure. */
import { z } from 'zod';
import { truncate } from '../../../../api/index.ts';
import type { HttpAnswer } from '../../http/answer.ts';
import { parseJson } from '../../http/json-body.ts';

const windowFields = { windowId: z.string().min(1).max(128), windowEndsAt: z.number() };
const checkAnswer = z.object({ allowed: z.boolean(), ...windowFields });
const errorAnswer = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** `windowEndsAt` is in milliseconds since the epoch by the clock of Redis. */
export type CheckAnswer = z.infer<typeof checkAnswer>;

/**
 * @returns whether the request was admitted, and in which window
 * @throws Error that says what is wrong with the answer: `answered 503: REDIS_UNAVAILABLE: ...`
 */
export function readCheck({ status, body }: Pick<HttpAnswer, 'status' | 'body'>): CheckAnswer {
  const json = parseJson(body);
  if (status !== 200 && status !== 429) throw new Error(`answered ${status}: ${reasonOf(json)}`);
  const { success, data, error } = checkAnswer.safeParse(json);
  if (!success) {
    const [issue] = error.issues;
    const where = issue ? `${issue.path.join('.') || 'the body'}: ${issue.message}` : 'not as documented';
    throw new Error(`answered ${status} with a body that is wrong at ${where}`);
  }
  if (data.allowed !== (status === 200)) throw new Error(`answered ${status} with allowed ${data.allowed}`);
  return data;
}

/** What an answer with an error gives as its reason. */
export function reasonOf(json: unknown): string {
  const refusal = errorAnswer.safeParse(json);
  if (!refusal.success) return 'no reason given';
  return truncate(`${refusal.data.error.code}: ${refusal.data.error.message}`, 200);
}
