/** The negative control of a limiter behind HTTP, against real servers on loopback. */
import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { clientOfPod } from '../../../../test/fixtures/subjects/http/pods.ts';
import { limiterSpec } from '../../../../test/kit/driven-limiter.ts';
import { exhaustLimit } from '../interfaces/exhaust-limit.ts';
import { HttpCallers } from '../interfaces/http/http-callers.ts';
import { rateLimiterOf } from '../spec/schema.ts';
import { controlProblem } from './control-problem.ts';

const LIMIT = 3;

/** What the control says of a limiter that lets three through, and then answers so. */
async function problemOf(beyond: RequestListener): Promise<string | undefined> {
  let passed = 0;
  const client = await clientOfPod((request, response) => {
    passed += 1;
    if (passed > LIMIT) beyond(request, response);
    else response.writeHead(200).end();
  });
  const limiter = rateLimiterOf(limiterSpec({ http: { path: '/of/$(key)' }, limit: { requests: LIMIT } }));
  const callers = new HttpCallers(limiter.http);
  const times = { callerTimeoutMs: 300, windowMs: 60_000 };
  const options = { clients: [client], callers, key: 'demo-a', most: 20, ...times };
  const control = await exhaustLimit(options, new AbortController().signal);
  return controlProblem({ limiter }, LIMIT, control, 'health.timeout')?.message;
}

const status =
  (code: number): RequestListener =>
  (_, response) =>
    response.writeHead(code).end();

describe('whether a limiter behind HTTP denies once its limit is used up', () => {
  it('is shown by an answer that the mapping calls rejected', async () => {
    expect(await problemOf(status(429))).toBeUndefined();
  });

  it('an overloaded server is no rejection: the error names request, answer, field', async () => {
    expect(await problemOf(status(503))).toMatch(
      /GET \/of\/demo-a .*api-0 failed after 3 of 3 .*: responded with 503, .*\.rejectedStatuses/,
    );
  });

  it('is not shown by a server that gives no answer', async () => {
    expect(await problemOf(() => undefined)).toMatch(
      /GET \/of\/demo-a .*api-0 failed .*300 ms\. .*logs .*health\.timeout$/,
    );
  });
});
