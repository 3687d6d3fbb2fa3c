/** Sends the one request that counts, as a caller would. */
import { fillIn, type SurveyedLimiter } from './runner/limiter.ts';

/** What a caller got: `other` is an answer that means neither, `nothing` none in time, or a broken connection. */
export interface Answer {
  readonly outcome: 'admitted' | 'rejected' | 'other' | 'nothing';
  readonly status?: number;
  readonly ms: number;
  /** Of the header that the limiter is described to send; else undefined. */
  readonly remaining?: number;
  /** Status and the beginning of the body, or what went wrong. */
  readonly text: string;
}

/** Sends the request of `caller`; never throws. */
export async function send(
  { request, admitted, rejected, remainingHeader }: SurveyedLimiter,
  url: string,
  caller: string,
  patienceMs: number,
): Promise<Answer> {
  const place = { key: caller };
  const headers = Object.entries(request.headers ?? {}).map(([name, text]) => [name, fillIn(text, place)]);
  const start = performance.now();
  try {
    const answer = await fetch(url + fillIn(request.path, place), {
      method: request.method,
      headers: Object.fromEntries(headers) as Record<string, string>,
      redirect: 'manual',
      signal: AbortSignal.timeout(patienceMs),
      ...(request.body === undefined ? {} : { body: fillIn(request.body, place) }),
    });
    const { status } = answer;
    const body = (await answer.text()).slice(0, 200);
    const outcome = admitted.includes(status) ? 'admitted' : rejected.includes(status) ? 'rejected' : 'other';
    const header = remainingHeader && answer.headers.get(remainingHeader);
    const remaining = header ? { remaining: Number.parseInt(header, 10) } : {};
    return { outcome, status, ms: performance.now() - start, text: `${status} ${body}`, ...remaining };
  } catch (error) {
    return { outcome: 'nothing', ms: performance.now() - start, text: String(error) };
  }
}
