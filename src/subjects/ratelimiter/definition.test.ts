import { describe, expect, it } from 'vitest';
import { type ChaosDemoSpec, scenariosOf, specSchema } from '../../api/index.ts';
import { requireCapacity } from '../scenarios/capacity.ts';
import { subjectOf } from '../subject.ts';
import { rateLimiterApi, rateLimiterKind } from './kind.ts';

const { definition } = subjectOf(rateLimiterKind);
const SCENARIOS = [
  { name: 'counter-drift', type: 'CounterDrift' },
  { name: 'ghost-allowing', type: 'GhostAllowing' },
];

function spec(change: object = {}, limiter: object = {}): ChaosDemoSpec {
  return specSchema([rateLimiterApi]).parse({
    rateLimiter: {
      selector: { matchLabels: { app: 'x' } },
      redis: { serviceName: 'redis' },
      ...limiter,
    },
    scenarios: SCENARIOS,
    ...change,
  });
}

describe('chapters', () => {
  it('are in the order of the story', () => {
    const chapters = definition.chapters(spec());
    expect(chapters.map(({ number, title }) => `${number} ${title}`)).toEqual([
      '1 Welcome',
      '2 Cluster Health',
      '3 Setup',
      '4 Counter Drift Chaos',
      '5 Counter Drift Detection',
      '6 Counter Drift Diagnosis',
      '7 Recovery',
      '8 Ghost Allowing Chaos',
      '9 Ghost Allowing Detection',
      '10 Ghost Allowing Diagnosis',
      '11 Verdict',
    ]);
    expect(chapters.filter(({ auto }) => auto).map(({ number }) => number)).toEqual([3, 7, 11]);
  });

  it('are not there for a type that the spec lacks', () => {
    const scenarios = [{ name: 'o', type: 'StoreOutage' }];
    expect(definition.chapters(spec({ scenarios })).map(({ title }) => title)).toEqual([
      'Welcome',
      'Cluster Health',
      'Setup',
      'Store Outage Chaos',
      'Store Outage Detection',
      'Store Outage Diagnosis',
      'Recovery',
      'Verdict',
    ]);
  });

  it('end with the title in the spec, whatever the pace', () => {
    const last = (pace: object) => definition.chapters(spec({ pace })).at(-1)?.title;
    expect(last({ dwell: '3s', lastChapter: 'Demo Complete' })).toBe('Demo Complete');
    expect([last({ dwell: '3s' }), last({ mode: 'Manual' })]).toEqual(['Verdict', 'Verdict']);
  });

  it('carry the names of their scenarios, in whatever order those stand', () => {
    const scenarios = [
      { name: 'second', type: 'GhostAllowing' },
      { name: 'first', type: 'CounterDrift' },
    ];
    const names = definition.chapters(spec({ scenarios })).map(({ scenario }) => scenario);
    expect(names.join()).toBe(',,,first,first,first,first,second,second,second,');
  });
});

const http = {
  http: { path: '/items', headers: [{ name: 'X-Api-Key', value: '$(key)' }] },
};

it.each([
  ['any limiter behind HTTP', http],
  ['the bundled limiter', {}],
])('a spec without scenarios is admitted for %s, with a stall of Redis', (_, limiter) => {
  const { scenarios: _scenarios, ...rest } = spec({}, limiter);
  const whole = specSchema([rateLimiterApi]).parse(rest);
  expect(scenariosOf(whole, rateLimiterApi)).toMatchObject([
    { name: 'outage', type: 'StoreOutage', expect: 'Held' },
  ]);
  expect(() => requireCapacity(rateLimiterKind, whole, { pods: 3 })).not.toThrow();
});
