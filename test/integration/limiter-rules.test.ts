/** What the API server refuses of a rate limiter's demo: what can only fail, and one thing at a time. */
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
  const required = { selector: { matchLabels: { app: 'x' } }, redis: { service: { name: 'redis' } } };
  return {
    subject: { rateLimiter: { ...required, ...part } },
    ...(scenario && { scenarios: [{ name: 's', ...scenario }] }),
  };
}
const drift = (counterDrift: object, expect = 'Detected') => ({ type: 'CounterDrift', counterDrift, expect });
const ghosts = (ghostAllowing: object) => ({ type: 'GhostAllowing', ghostAllowing });

describe('a spec that can only fail', () => {
  it.each<[string, object, RegExp]>([
    [
      'too little traffic for the drift that is looked for',
      withLimiter({}, drift({ pause: '1s', requestsPerSecond: 1, threshold: 5 })),
      /counterDrift.requestsPerSecond x pause must be more than counterDrift.threshold/,
    ],
    [
      'just as much traffic as drift',
      withLimiter({}, drift({ pause: '2500ms', requestsPerSecond: 2, threshold: 5 })),
      /must be more than counterDrift.threshold/,
    ],
    [
      'fewer checks than a single pod needs for a proof',
      withLimiter({}, drift({ pause: '1s', requestsPerSecond: 9 }, 'NotDetected')),
      /requestsPerSecond x pause must reach limit.requests for each pod/,
    ],
    [
      'a story as long as the window, the fault by its defaults',
      withLimiter({ limit: { window: '23s' } }, { type: 'CounterDrift' }),
      /^spec: .*countdown \+ counterDrift.pause \+ counterDrift.settle \+ health.timeout must be less than limit.window/,
    ],
    [
      'a burst whose story is as long as the window',
      withLimiter({ limit: { window: '18s' } }, { type: 'GhostAllowing' }),
      /countdown \+ health.timeout \+ ghostAllowing.settle \+ health.timeout must be less/,
    ],
    [
      'a burst of more than can be sent at once',
      withLimiter({ limit: { requests: 5000 } }, ghosts({ multiplier: 3 })),
      /at most 10000 requests/,
    ],
  ])('is refused with one complaint: %s', async (_, spec, message) => {
    expect(await complaints(spec)).toEqual([expect.stringMatching(message)]);
  });

  it.each<[string, object]>([
    ['just more traffic than drift', withLimiter({}, drift({ pause: '2501ms', requestsPerSecond: 2 }))],
    [
      'just enough checks for one pod',
      withLimiter({}, drift({ pause: '1s', requestsPerSecond: 10 }, 'NotDetected')),
    ],
    [
      'few checks where a detection is enough',
      withLimiter({}, drift({ pause: '1s', requestsPerSecond: 9 }, 'Any')),
    ],
    [
      'a story just shorter than the window',
      withLimiter({ limit: { window: '23001ms' } }, { type: 'CounterDrift' }),
    ],
  ])('is not seen where there is none: %s', async (_, spec) => {
    expect(await complaints(spec)).toEqual([]);
  });
});

describe('a field that is wrong by itself', () => {
  it.each<[string, object, RegExp]>([
    ['no duration', withLimiter({ health: { timeout: '0.5s' } }), /health.timeout/],
    ['no duration among parameters', withLimiter({}, drift({ pause: 'ten' })), /counterDrift.pause/],
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
      'a threshold beyond every number',
      withLimiter({ limit: { requests: 5000 } }, drift({ threshold: 9_007_199_254_740_991 })),
      /threshold/,
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
