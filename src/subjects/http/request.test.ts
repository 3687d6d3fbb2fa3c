import { describe, expect, it } from 'vitest';
import { encodeRequest, type HttpRequest } from './request.ts';

const TO = { host: '10.0.0.1', port: 8080 };
const encoded = (request: HttpRequest, to = TO): string => encodeRequest(request, to).toString('latin1');

describe('a request', () => {
  it('has the Host and the length of its body in bytes', () => {
    const request = { method: 'POST', path: '/check', headers: { 'x-user': 'a' }, body: 'ä' };
    expect(encoded(request)).toBe(
      'POST /check HTTP/1.1\r\nhost: 10.0.0.1:8080\r\nx-user: a\r\ncontent-length: 2\r\n\r\n\xc3\xa4',
    );
  });

  it('may name another host than its address', () => {
    expect(encoded({ method: 'GET', path: '/', headers: { Host: 'api.test' } })).toBe(
      'GET / HTTP/1.1\r\nHost: api.test\r\n\r\n',
    );
  });

  it.each<[string, HttpRequest]>([
    ['a method with a space', { method: 'GET /', path: '/' }],
    ['CONNECT', { method: 'CONNECT', path: '/' }],
    ['a path with a line break', { method: 'GET', path: '/ HTTP/1.1\r\nx: y' }],
    ['a path with a fragment', { method: 'GET', path: '/a#b' }],
    ['a whole URL', { method: 'GET', path: 'http://elsewhere.test/' }],
    ['a header name with a colon', { method: 'GET', path: '/', headers: { 'a:': 'b' } }],
    ['a header value with a line break', { method: 'GET', path: '/', headers: { a: 'b\r\nc: d' } }],
    ['a header value beyond Latin 1', { method: 'GET', path: '/', headers: { a: '→' } }],
    ['its own length', { method: 'POST', path: '/', headers: { 'Content-Length': '0' } }],
    ['its own framing', { method: 'POST', path: '/', headers: { 'transfer-encoding': 'chunked' } }],
    ['more than 16 KiB', { method: 'POST', path: '/', body: 'a'.repeat(16 * 1024) }],
  ])('is refused with %s', (_, request) => {
    expect(() => encodeRequest(request, TO)).toThrow(TypeError);
  });

  it('does not repeat a header value, which may be a secret', () => {
    const request = { method: 'GET', path: '/', headers: { authorization: 'secret\n' } };
    expect(() => encodeRequest(request, TO)).toThrow(/^(?!.*secret)/);
  });
});
