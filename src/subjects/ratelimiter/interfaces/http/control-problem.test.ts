import { describe, expect, it } from 'vitest';
import type { CallerRequest, RequestOutcome } from '../../../history/events.ts';
import type { RateLimit } from '../../limits/rate-limit.ts';
import { httpInterfaceSchema } from '../../spec/http-schema.ts';
import { limitProblem } from './control-problem.ts';

const LIMIT: RateLimit = { algorithm: 'SlidingWindow', requests: 10, windowMs: 60_000 };
const PODS = ['api-0', 'api-1', 'api-2'];

/** Three pods that get requests in turn, 20 ms apart, until all have rejected twice in a row; at most 70 requests. */
function control(admits: (pod: string, admitted: ReadonlyMap<string, number>) => boolean, pods = PODS) {
  const admitted = new Map<string, number>();
  const requests: CallerRequest[] = [];
  for (let i = 0, denials = 0; i < 70 && denials < 2 * pods.length; i += 1) {
    const node = pods[i % pods.length] ?? '';
    const outcome: RequestOutcome = admits(node, admitted) ? 'Admitted' : 'Rejected';
    if (outcome === 'Admitted') admitted.set(node, (admitted.get(node) ?? 0) + 1);
    denials = outcome === 'Rejected' ? denials + 1 : 0;
    requests.push({ pod: node, caller: 'Drawn', outcome, sentAt: i * 20, endedAt: i * 20 + 1 });
  }
  return {
    requests,
    exhausted: requests.slice(-2 * pods.length).every(({ outcome }) => outcome === 'Rejected'),
  };
}

/** Of pods with separate counts. */
const LIMITS = new Map([
  ['api-0', 9],
  ['api-1', 4],
  ['api-2', 7],
]);

const totalOf = (admitted: ReadonlyMap<string, number>): number =>
  [...admitted.values()].reduce((sum, n) => sum + n, 0);

function problemOf(seen: ReturnType<typeof control>, http: object = {}, limit: RateLimit = LIMIT) {
  const spec = httpInterfaceSchema.parse({
    headers: [{ name: 'X', value: '$(key)' }],
    ...http,
  });
  return limitProblem(limit, spec, seen);
}

describe('a limiter that admits more than its limit without a fault', () => {
  it('is a violation, and a limit of the spec that is too small is the likelier cause', () => {
    const error = problemOf(control((_, admitted) => totalOf(admitted) < 19));
    expect(error?.name).toBe('LimitNotKeptError');
    expect(error?.message).toMatch(
      /admitted 19 times, .* 10\. .*every pod rejected.* rateLimiter\.limit\.requests is 19 rather than 10/,
    );
  });

  it('is found to count in each pod alone', () => {
    const error = problemOf(control((pod, admitted) => (admitted.get(pod) ?? 0) < 10));
    expect(error?.name).toBe('LimitNotKeptError');
    expect(error?.message).toMatch(/admitted 30 times, .* 10\. .*3 pods x 10, .*separately/);
  });

  it('names the one pod that has another limit', () => {
    const error = problemOf(control((pod, admitted) => totalOf(admitted) < (pod === 'api-2' ? 20 : 10)));
    expect(error?.name).toBe('LimitNotKeptError');
    expect(error?.message).toMatch(/Only api-2 admitted .*\(10\)/);
  });

  it('names the one pod that never rejects', () => {
    const error = problemOf(control((pod, admitted) => pod === 'api-1' || totalOf(admitted) < 10));
    expect(error?.name).toBe('LimitNotKeptError');
    expect(error?.message).toMatch(/api-1 rejected none, .*api-2, api-0 .*lost connection to Redis/);
  });

  it('decides on counts that are out of date if pods admit again after a rejection', () => {
    const error = problemOf(control((pod, admitted) => (admitted.get(pod) ?? 0) < (LIMITS.get(pod) ?? 0)));
    expect(error?.message).toMatch(/20 times.* out of date/);
  });

  it('checks the addresses if the pods identify callers by them', () => {
    const spec = { path: '/', identity: 'SourceAddress' };
    const error = problemOf(
      control((pod, admitted) => (admitted.get(pod) ?? 0) < 10),
      spec,
    );
    expect(error?.message).toMatch(/3 pods x 10.*under one address/);
    expect(error?.message).not.toContain('$(key)');
  });
});

it('a limiter that rejects nothing proves no violation, since no limit was seen', () => {
  const error = problemOf(control(() => true));
  expect(error?.name).toBe('Error');
  expect(error?.message).toMatch(/admitted 70 times, .*No pod rejected.*\$\(key\).*lost connection to Redis/);
});

describe('a limiter that rejects before its limit', () => {
  it('is first checked for the place of the identity if it rejects the first request', () => {
    expect(problemOf(control(() => false))?.message).toMatch(
      /rejected after 0 requests, .* 10\. .*Put \$\(key\) .*header\. .*rateLimiter\.limit\.requests/,
    );
  });

  it('names who else may have used the limit of the address up', () => {
    const spec = { path: '/', identity: 'SourceAddress' };
    expect(
      problemOf(
        control((_, admitted) => totalOf(admitted) < 9),
        spec,
      )?.message,
    ).toMatch(/who else/);
  });
});

it('keeps the limit if exactly that is admitted', () => {
  expect(problemOf(control((_, admitted) => totalOf(admitted) < 10))).toBeUndefined();
});
