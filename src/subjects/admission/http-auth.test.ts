import { describe, expect, it } from 'vitest';
import { secretOf } from '../../../test/fixtures/subjects/secret.ts';
import { expectRefusal } from '../../../test/fixtures/subjects/targets/refusal.ts';
import type { Secret } from '../cluster.ts';
import { type HttpAuthUse, readAccounts, readHttpAuth } from './http-auth.ts';

const secret = (values: Record<string, string>, type = 'chaosdemo.dev/http-auth') =>
  secretOf(type, { selector: 'app=api', ...values }, 'api-auth');

const tls = { serverName: 'api.shop.svc', caSecretName: 'api-auth' };
const http = { tls, headers: [{ name: 'X-Api-Key', value: 'x' }] };
const use: HttpAuthUse = { http, selector: { matchLabels: { app: 'api', tier: 'web' } } };
const ca = '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n';

describe('the Secret of a limiter behind HTTP', () => {
  it('has headers, one a line', () => {
    const given = secret({ headers: 'Authorization: Bearer a:b\r\n\nCookie:c=d \n' });
    expect(readHttpAuth(given, 'rateLimiter', use)).toEqual({
      headers: { Authorization: 'Bearer a:b', Cookie: 'c=d' },
    });
  });

  it('is for pods with a certificate of its ca.crt', () => {
    const given = secret({ headers: 'a: hunter2', 'ca.crt': ca });
    expect(readHttpAuth(given, 'rateLimiter', use)).toEqual({ headers: { a: 'hunter2' } });
    for (const other of [undefined, { serverName: 'api.shop.svc' }, { ...tls, caSecretName: 'another' }])
      expectRefused(given, { ...use, http: { ...http, tls: other } });
  });

  it.each<[string, Secret]>([
    ['another type', secret({ headers: 'a: hunter2' }, 'Opaque')],
    ['the Secret of a Redis', secret({ password: 'hunter2' }, 'chaosdemo.dev/redis-auth')],
    ['nothing of use', secret({ header: 'a: hunter2' })],
    ['too many headers', secret({ headers: 'a: hunter2\n'.repeat(17) })],
    ['headers that are too long', secret({ headers: `a: ${'hunter2'.repeat(2000)}` })],
    ['a line that is no header', secret({ headers: 'a: b\nhunter2' })],
    ['a control character', secret({ headers: 'a: hunter2\u0000' })],
    ['a header of the framing', secret({ headers: 'Content-Length: 7' })],
    ['a header that the spec has, too', secret({ headers: 'x-api-key: hunter2' })],
    ['a header twice', secret({ headers: 'a: hunter2\nA: hunter2' })],
    ['a selector of 700 KB', secret({ headers: 'a: b', selector: 'app=api '.repeat(90_000) })],
    ['no selector', secret({ headers: 'a: hunter2', selector: '' })],
    ['a selector of sets', secret({ headers: 'a: hunter2', selector: 'app in (api)' })],
  ])('is refused with %s, and no value is repeated', (_, given) => {
    expectRefused(given, use);
  });

  it('is for pods whose labels it names, and no others', () => {
    const given = secret({ headers: 'a: hunter2', selector: 'app=api, tier=web\n' });
    expect(readHttpAuth(given, 'rateLimiter', use)).toEqual({ headers: { a: 'hunter2' } });
    for (const matchLabels of [{}, { app: 'api' }, { app: 'api', tier: 'other' }, { tier: 'web' }]) {
      expectRefused(given, { http, selector: { matchLabels } });
    }
    // What every object inherits is no label.
    const inherited = secret({ headers: 'a: hunter2', selector: 'constructor=' });
    expectRefused(inherited, use);
  });
});

function expectRefused(given: Secret, how: HttpAuthUse): void {
  expectRefusal(() => readHttpAuth(given, 'rateLimiter', how), 'HTTPAuthInvalid');
}

describe('the Secret with accounts for callers', () => {
  it('has one a line, each once', () => {
    expect(
      readAccounts(secret({ callers: 'sk_1\r\nsk_2\n\nsk_1\nab+/=:@~.-_9\n' }), 'rateLimiter', use),
    ).toEqual({
      secretName: 'api-auth',
      keys: ['sk_1', 'sk_2', 'ab+/=:@~.-_9'],
    });
  });

  it.each<[string, Secret]>([
    ['another type', secret({ callers: 'hunter2' }, 'Opaque')],
    ['other labels', secret({ callers: 'hunter2', selector: 'app=shop' })],
    ['no callers', secret({ headers: 'a: hunter2' })],
    ['too many', secret({ callers: Array.from({ length: 10_001 }, (_, i) => `k${i}`).join('\n') })],
    ['a space', secret({ callers: 'fine\nhunter2 b' })],
    ['a quote', secret({ callers: 'hunter2"' })],
    ['a key that is too long', secret({ callers: 'hunter2'.repeat(200) })],
  ])('is refused with %s, and no key is repeated', (_, given) => {
    expectRefusal(() => readAccounts(given, 'rateLimiter', use), 'HTTPAuthInvalid');
  });
});
