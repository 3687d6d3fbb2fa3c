import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FACTS } from '../../../test/fixtures/cli/probe/facts.ts';
import { type ApiFacts, runOf } from './manifest.ts';
import type { Header } from './options.ts';
import { yamlOf } from './yaml.ts';

const facts = (...headers: Header[]): ApiFacts => ({
  ...FACTS,
  request: { ...FACTS.request, headers: [...FACTS.request.headers, ...headers] },
});

describe('the YAML of a ChaosDemo', () => {
  it('is the object, with comments that have no control characters', () => {
    const text = yamlOf(
      facts(),
      [
        { what: 'caller', source: 'measured', because: 'header X-Api-Key' },
        { what: 'limit', source: 'given', because: '10\u001b[31m requests' },
        { what: 'health', source: 'found', because: 'GET /healthz' },
      ],
      ' head',
    );
    expect(parse(text)).toEqual(runOf(facts()).demo);
    expect(text).toMatch(/^# head\n/);
    expect(text).toMatch(/requests: 10 # given: 10/);
    expect(text).toMatch(/http:\n +# measured: header X-Api-Key\n/);
    expect(text).toMatch(/path: \/healthz # found: GET \/healthz\n/);
    expect(text).toMatch(/accept: \[Enforces, FailsClosed\] # .*FailsOpen, Hangs/);
    expect(text.replaceAll('\n', '')).toMatch(/^[^\p{Cc}]*$/u);
  });

  it.each<[string, Header, object]>([
    ['a token', { name: 'Authorization', value: 'Bearer s3cret' }, { authSecretName: 'api-http-auth' }],
    [
      'a cookie around the key',
      { name: 'Cookie', value: 'sid=s3cret; u=$(key)' },
      { headers: [{}, { name: 'Cookie', value: 'FILL-IN-$(key)' }] },
    ],
  ])('does not have the value of %s, and what to fill in', (_, header, http) => {
    const text = yamlOf(facts(header), [], '');
    expect(text).not.toContain('s3cret');
    expect(text).toContain(header.name);
    expect(parse(text)).toMatchObject({ spec: { rateLimiter: { http } } });
  });

  it.each<Header>([
    { name: 'Content-Type', value: 'application/json' },
    { name: 'Authorization', value: 'Bearer $(key)' },
  ])('has $name: $value', (header) => {
    const { spec } = parse(yamlOf(facts(header), [], '')) as { spec: { rateLimiter: { http: object } } };
    expect(spec.rateLimiter.http).toMatchObject({ headers: [{}, header] });
    expect(spec.rateLimiter.http).not.toHaveProperty('authSecretName');
  });
});
