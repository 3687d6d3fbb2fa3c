import { describe, expect, it } from 'vitest';
import { specSchema } from '../../../../api/index.ts';
import { rateLimiterApi } from '../../api.ts';
import { rateLimiterOf } from '../../schema.ts';
import type { CallerRequest, Got } from '../caller-request.ts';
import { controlProblem } from './control-callers.ts';
import { limitOf } from './limit-of-spec.ts';

const spec = specSchema([rateLimiterApi]).parse({
  subject: {
    rateLimiter: {
      selector: { matchLabels: { app: 'x' } },
      limit: { requests: 2, window: '60s' },
      redis: { service: { name: 'redis' } },
      interface: { type: 'HTTP', http: { request: { path: '/$(key)' } } },
    },
  },
  scenarios: [{ name: 's', type: 'StoreOutage' }],
});
const limit = limitOf(rateLimiterOf(spec));

/** Requests one after the other, to the nodes in turn. */
function asked(answers: readonly (readonly [node: string, got: Got])[]): CallerRequest[] {
  return answers.map(([node, got], i) => ({
    node,
    caller: 'Beyond',
    got,
    sentAt: i * 20,
    endedAt: i * 20 + 1,
  }));
}

describe('what is said of a limiter that lets too many through without a fault', () => {
  it('names pods that denied none, and that they may have lost their Redis', () => {
    const requests = asked([
      ['a', 'Admitted'],
      ['b', 'Admitted'],
      ['a', 'Denied'],
      ['b', 'Admitted'],
      ['a', 'Denied'],
      ['b', 'Admitted'],
    ]);
    expect(controlProblem(limit, { requests, usedUp: false }, 'health.timeout')).toMatch(
      /^without any fault one caller was let through 4 times, and the limit allows 2: .*\. b denied none: .*lost its Redis, at its start or since its timeout for Redis is shorter than a usual answer takes/,
    );
  });

  it('says nothing of that where every pod denies in the end', () => {
    const requests = asked([
      ['a', 'Admitted'],
      ['b', 'Admitted'],
      ['a', 'Admitted'],
      ['b', 'Denied'],
      ['a', 'Denied'],
    ]);
    expect(controlProblem(limit, { requests, usedUp: true }, 'health.timeout')).toMatch(
      /identity of its caller$/,
    );
  });
});

describe('what is said where all requests are of one caller, by its source address', () => {
  const of = (answers: Parameters<typeof asked>[0], usedUp: boolean): string | undefined =>
    controlProblem(limit, { requests: asked(answers), usedUp }, 'health.timeout', 'SourceAddress');

  it('names nothing that stands in the request, but who may show each pod another address', () => {
    const said = of(
      [
        ['a', 'Admitted'],
        ['b', 'Admitted'],
        ['a', 'Admitted'],
        ['a', 'Denied'],
        ['b', 'Denied'],
      ],
      true,
    );
    expect(said).toMatch(
      /the limit allows 2: .* whether all pods see the operator under one address and count by that/,
    );
    expect(said).not.toContain('$(key)');
  });

  it('names who else may have used it up, where that was sooner than the limit', () => {
    const said = of(
      [
        ['a', 'Admitted'],
        ['b', 'Denied'],
        ['a', 'Denied'],
      ],
      true,
    );
    expect(said).toMatch(
      /denied after 1 request, and the limit allows 2: correct subject\.rateLimiter\.limit .*who else/,
    );
  });
});
