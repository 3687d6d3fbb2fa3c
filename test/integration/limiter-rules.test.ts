/** What the API server does not accept in a rate limiter's demo, one thing at a time. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Kubectl } from '../../src/local/kubectl.ts';
import { adminKubectl, uniqueNamespace } from '../kit/control-plane.ts';

let namespace: string;
let kubectl: Kubectl;

beforeAll(async () => {
  kubectl = adminKubectl();
  namespace = await uniqueNamespace('rules');
});

/** The complaints about a spec, one a line. */
async function complaints(spec: object): Promise<string[]> {
  const metadata = { name: 'x', namespace };
  const demo = { apiVersion: 'chaosdemo.dev/v1alpha1', kind: 'ChaosDemo', metadata, spec };
  const said = await kubectl
    .run(['create', '--dry-run=server', '-f', '-'], { input: JSON.stringify(demo) })
    .then(
      () => '',
      (error: unknown) => String(error),
    );
  return [
    ...said.matchAll(
      /spec[\w.[\]]*: (?:Invalid value|Unsupported value|Required value|Too \w+)[^\n]*?(?=, spec[\w.[\]]*: |\]?\n|\]?$)/g,
    ),
  ].map(([line]) => line);
}

function withLimiter(part: object, scenario?: object): object {
  const required = {
    selector: { matchLabels: { app: 'x' } },
    redis: { service: 'redis' },
  };
  return {
    rateLimiter: { ...required, ...part },
    ...(scenario && { scenarios: [{ name: 's', ...scenario }] }),
  };
}
const drift = (counterDrift: object) => ({ type: 'CounterDrift', expect: 'Violated', counterDrift });
const ghosts = (ghostAllowing: object) => ({ type: 'GhostAllowing', expect: 'Violated', ghostAllowing });

describe('a single invalid field', () => {
  it.each<[string, object, RegExp]>([
    ['no duration', withLimiter({ health: { timeout: '.5s' } }), /health.timeout/],
    [
      'no duration among parameters',
      withLimiter({}, drift({ fault: { duration: 'ten' } })),
      /counterDrift.fault.duration/,
    ],
    [
      'a rate beyond every number',
      withLimiter({}, drift({ requestsPerSecond: 9_007_199_254_740_991 })),
      /requestsPerSecond/,
    ],
    ['a rate of none', withLimiter({}, drift({ requestsPerSecond: 0 })), /requestsPerSecond/],
    [
      'a multiplier beyond every number',
      withLimiter({}, ghosts({ multiplier: 9_007_199_254_740_991 })),
      /multiplier/,
    ],
    [
      'a limit beyond every number',
      withLimiter({ limit: { requests: 9_007_199_254_740_991 } }),
      /limit.requests/,
    ],
  ])('has no rule break over it: %s', async (_, spec, field) => {
    const lines = await complaints(spec);
    expect(lines[0]).toMatch(field);
    expect(lines.join('\n')).not.toMatch(/evaluating rule|overflow|conversion|divide/);
  });
});
