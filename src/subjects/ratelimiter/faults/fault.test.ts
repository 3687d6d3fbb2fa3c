import { describe, expect, it } from 'vitest';
import { type ChaosDemoSpec, specSchema, termsInCel } from '../../../api/index.ts';
import { requireProvable } from '../admission/connector.ts';
import { rateLimiterApi } from '../api.ts';
import { FAULTS, faultOf } from './index.ts';

function spec(scenario: object, limit: object = {}): ChaosDemoSpec {
  return specSchema([rateLimiterApi]).parse({
    subject: {
      rateLimiter: {
        selector: { matchLabels: { app: 'x' } },
        redis: { service: { name: 'redis' } },
        limit,
      },
    },
    scenarios: [{ name: 's', ...scenario }],
  });
}

const drift = (counterDrift: object, expect?: string): object => ({
  type: 'CounterDrift',
  counterDrift,
  ...(expect && { expect }),
});
const ghosts = (expect: string): object => ({ type: 'GhostAllowing', expect });

describe('a spec that no run on so many pods can meet', () => {
  it.each<[string, object, object, number, RegExp]>([
    [
      'counters that cannot drift so far',
      drift({ threshold: 20 }),
      { requests: 5 },
      3,
      /3 pods x limit.requests 5 = 15, and counterDrift.threshold is 20: lower counterDrift.threshold/,
    ],
    [
      'fewer checks than the drift that is looked for',
      drift({ pause: '1s', requestsPerSecond: 5 }),
      {},
      3,
      /sends 5 checks \(5 a second for 1s\), and its threshold is 5: raise counterDrift.requestsPerSecond/,
    ],
    [
      'too few checks to prove that each pod keeps the limit',
      drift({ pause: '2s', requestsPerSecond: 10 }, 'NotDetected'),
      {},
      3,
      /10 checks on each of 3 pods = 30, and counterDrift sends 20/,
    ],
    [
      'a burst that leaves pods out, where each has to be seen',
      ghosts('NotDetected'),
      { requests: 2 },
      5,
      /a request to each of 5 pods, and the burst has limit.requests 2 x ghostAllowing.multiplier 2 = 4/,
    ],
  ])('is refused: %s', (_, scenario, limit, pods, message) => {
    const act = (): void => requireProvable({ spec: spec(scenario, limit) }, pods);
    expect(act).toThrow(message);
    expect(act).toThrow(expect.objectContaining({ reason: 'UnprovableSpec' }));
  });

  it.each<[string, object, object, number]>([
    ['the defaults', drift({}), {}, 3],
    ['the defaults as a gate', drift({}, 'NotDetected'), {}, 30],
    ['just enough checks for each pod', drift({ pause: '2s', requestsPerSecond: 15 }, 'NotDetected'), {}, 3],
    ['few checks, where a detection is enough', drift({ pause: '2s', requestsPerSecond: 10 }, 'Any'), {}, 3],
    ['just more checks than the threshold', drift({ pause: '1s', requestsPerSecond: 6 }), {}, 3],
    ['one pod', drift({}), {}, 1],
    [
      'a burst that leaves pods out, where an anomaly may show all the same',
      ghosts('Any'),
      { requests: 2 },
      5,
    ],
    ['a burst with a request for each pod', ghosts('NotDetected'), { requests: 2 }, 4],
  ])('is let through: %s', (_, scenario, limit, pods) => {
    requireProvable({ spec: spec(scenario, limit) }, pods);
  });

  it('is let through as a dry run, which tests no scenario', () => {
    const dry = { ...spec(drift({ threshold: 20 }), { requests: 5 }), dryRun: true };
    requireProvable({ spec: dry }, 3);
  });
});

describe('the rules of a fault in CEL', () => {
  const rules = rateLimiterApi.rules.map(({ rule }) => rule);

  it('reckon with the defaults of the schema where the parameters are left out', () => {
    const [story] = rules;
    expect(story).toContain(
      "duration(s.countdown) + duration((has(s.counterDrift) ? s.counterDrift.pause : '10s')) + duration((has(s.counterDrift) ? s.counterDrift.settle : '5s')) + duration(self.subject.rateLimiter.health.timeout) < duration(self.subject.rateLimiter.limit.window)",
    );
  });

  it('say nothing where the part of the subject is missing, or a duration is none', () => {
    for (const rule of rules) expect(rule).toMatch(/^!has\(self\.subject\.rateLimiter\) \|\| /);
    for (const { api, story } of FAULTS) {
      const rule = rules.find((text) => text.includes(api.type) && text.includes('limit.window'));
      const guards = termsInCel(story, api, 'rateLimiter').map((term) => `!${term}.matches(`);
      expect(guards.filter((guard) => !rule?.includes(guard))).toEqual([]);
    }
  });

  it('are of types that the subject has', () => {
    expect(() => faultOf('StoreOutage')).toThrow('no fault of type StoreOutage');
  });
});
