import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { demoOf } from './manifest.ts';
import { textOf } from './text.ts';

const demo = demoOf({
  request: { method: 'GET', path: '/', headers: [{ name: 'X-Api-Key', value: '$(key)' }] },
  healthPath: '/healthz',
  limit: { requests: 10, window: '1m', algorithm: 'FixedWindow', windowStart: 'FirstRequest' },
  instances: 3,
  login: true,
});

describe('the text of a ChaosDemo', () => {
  it('is the object, with comments that have no control characters', () => {
    const text = textOf(demo, [
      { what: 'caller', source: 'measured', because: 'header X-Api-Key' },
      { what: 'limit', source: 'given', because: '10\u001b[31m requests' },
      { what: 'health', source: 'found', because: 'GET /healthz' },
    ]);
    expect(parse(text)).toEqual(demo);
    expect(text).toMatch(/requests: 10 # given: 10/);
    expect(text).toMatch(/http:\n +# measured: header X-Api-Key\n/);
    expect(text).toMatch(/path: \/healthz # found: GET \/healthz\n/);
    expect(text.replaceAll('\n', '')).toMatch(/^[^\p{Cc}]*$/u);
  });
});
