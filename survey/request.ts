/** Sends the one request that counts, and reads its answer, as a run does. */

import { outcomeOf } from '../src/subjects/http/caller-request.ts';
import { PodClient } from '../src/subjects/http/pod-client.ts';
import { HttpCallers } from '../src/subjects/ratelimiter/interfaces/http/http-callers.ts';
import { httpInterfaceSchema } from '../src/subjects/ratelimiter/spec/http-schema.ts';
import type { SurveyedLimiter } from './runner/limiter.ts';
import { httpSpec } from './runner/rate-limiter-spec.ts';

/** The outcome of a request, as in a history. */
export interface Answer {
  readonly outcome: 'Admitted' | 'Rejected' | 'Error' | 'Timeout';
  readonly status?: number;
  readonly ms: number;
  /** Of the header that the limiter is described to send; else undefined. */
  readonly remaining?: number;
  /** The problem, and the beginning of the body. */
  readonly text: string;
}

const { signal } = new AbortController();
const now = (): number => performance.timeOrigin + performance.now();

/** Sends the request of `caller`. */
export async function send(
  limiter: SurveyedLimiter,
  url: string,
  caller: string,
  patienceMs: number,
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const client = new PodClient({ name: url, host: hostname, port: Number(port) }, now);
  const callers = new HttpCallers(httpInterfaceSchema.parse(httpSpec(limiter)));
  try {
    const result = await client.send(callers.requestOf(caller), patienceMs, signal);
    const { answer, endedAt, sentAt } = result;
    const { outcome, problem = '' } = outcomeOf(result, callers) ?? { outcome: 'Error' };
    const header = answer?.headers?.[limiter.remainingHeader?.toLowerCase() ?? ''];
    return {
      outcome,
      ms: endedAt - sentAt,
      text: `${problem} ${answer?.body.toString().slice(0, 200) ?? ''}`,
      ...(answer && { status: answer.status }),
      ...(header !== undefined && { remaining: Number.parseInt(String(header), 10) }),
    };
  } finally {
    client.close();
  }
}
