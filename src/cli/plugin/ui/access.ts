/** Access control: decided from the head of a request only. Pure. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** The credentials that a request must have. */
export interface Credentials {
  readonly port: number;
  /** Known to the reader of the terminal, and to the browser opened from it. */
  readonly token: string;
  /** One-time alternative to the token; undefined: it was used, or there is none. */
  readonly key?: string | undefined;
}

export interface RequestHead {
  readonly method?: string | undefined;
  /** Path and query, as sent. */
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** enter: the token or the key was in the address; redirect with a cookie in its place. */
export type AccessDecision =
  | { readonly kind: 'admit'; readonly path: string }
  | { readonly kind: 'enter'; readonly cookie: string; readonly byKey: boolean }
  | { readonly kind: 'refuse'; readonly status: 403 | 405; readonly why: string };

/** Cookies ignore ports: two of these pages at once must not share one. */
function cookieName(port: number): string {
  return `chaosdemo-ui-${port}`;
}

export function authorize(
  { headers, method, url = '' }: RequestHead,
  { key, port, token }: Credentials,
): AccessDecision {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  // DNS rebinding: pages of a foreign name that resolves to this address may send requests, and must get nothing.
  if (!hosts.includes(headers.host ?? '')) return refuse(403, NOT_SERVED);
  const { origin } = headers;
  if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`)) {
    return refuse(403, 'Cross-origin requests are not accepted.');
  }
  if (method !== 'GET') return refuse(405, 'Method not allowed: use GET.');
  const address = URL.parse(url, 'http://localhost');
  if (!url.startsWith('/') || url.startsWith('//') || !address) return refuse(403, NOT_SERVED);
  const path = address.pathname;
  const given = address.searchParams.get('token');
  if (given !== null) {
    const byKey = key !== undefined && isSame(given, key);
    if (!byKey && !isSame(given, token)) return refuse(403, NO_TOKEN);
    return {
      kind: 'enter',
      byKey,
      cookie: `${cookieName(port)}=${token}; Path=/; HttpOnly; SameSite=Strict`,
    };
  }
  const cookies = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  const shown = cookies.find((pair) => pair.startsWith(`${cookieName(port)}=`))?.split('=')[1];
  return shown !== undefined && isSame(shown, token) ? { kind: 'admit', path } : refuse(403, NO_TOKEN);
}

const NOT_SERVED = 'This address is not served here.';
const NO_TOKEN = 'Open the address that was printed in the terminal, with its token.';

function refuse(status: 403 | 405, why: string): AccessDecision {
  return { kind: 'refuse', status, why };
}

/** Constant-time comparison. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
