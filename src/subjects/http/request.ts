/** One HTTP/1.1 request, checked and encoded. Pure. */
import type { Address } from './dial.ts';

export interface HttpRequest {
  readonly method: string;
  /** Path and query, encoded: `/check?user=a%20b`. */
  readonly path: string;
  /** The address as `host`, the length of the body and the framing are added. `host` may be set here. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as UTF-8. */
  readonly body?: string;
}

/** A request as a spec has it, with places to be filled in. */
export interface RequestTemplate {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly body?: string | undefined;
}

/**
 * @param secretHeaders sent as they are, and never shown
 * @param fill fills the places of a text in; the second argument is the part that it is of
 */
export function filledIn(
  { body, headers, method, path }: RequestTemplate,
  secretHeaders: Readonly<Record<string, string>>,
  fill: (text: string, of: 'body' | 'header' | 'path') => string,
): HttpRequest {
  return {
    method,
    path: fill(path, 'path'),
    headers: {
      ...Object.fromEntries(headers.map(({ name, value }) => [name, fill(value, 'header')])),
      ...secretHeaders,
    },
    ...(body !== undefined && { body: fill(body, 'body') }),
  };
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const TARGET = /^\/[\x21\x22\x24-\x7e]*$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Headers that define the end of a request or the reuse of its connection. */
const OURS: ReadonlySet<string> = new Set(
  'connection content-length expect keep-alive proxy-connection te trailer transfer-encoding upgrade'.split(
    ' ',
  ),
);

/** Whether a header of this name defines the end of a request or the reuse of its connection. */
export function isFraming(name: string): boolean {
  return OURS.has(name.toLowerCase());
}

/** Methods for which a body has no meaning: without a body, no length is sent. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);
/** Fits into the socket buffer of an idle connection, so that a request is written in one go. */
const MOST_BYTES = 16 * 1024;

/**
 * The request in bytes, with the headers that are added.
 * @throws TypeError for anything that would change where the request ends (line breaks, framing headers), and for more
 * than 16 KiB
 */
export function encodeRequest({ method, path, headers = {}, body }: HttpRequest, to: Address): Buffer {
  if (!TOKEN.test(method) || method === 'CONNECT') {
    throw new TypeError('the method is not one that can be sent');
  }
  if (!TARGET.test(path)) {
    throw new TypeError('the path has to begin with / and must hold no spaces or control characters');
  }
  for (const [name, value] of Object.entries(headers)) checkField(name, value);
  const hasHost = Object.keys(headers).some((name) => name.toLowerCase() === 'host');
  const content = Buffer.from(body ?? '');
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...(hasHost ? [] : [`host: ${hostOf(to)}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body !== undefined || !BODILESS.has(method) ? [`content-length: ${content.length}`] : []),
  ];
  const bytes = Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), content]);
  if (bytes.length > MOST_BYTES) {
    throw new TypeError(`the request has ${bytes.length} bytes, at most ${MOST_BYTES} are sent`);
  }
  return bytes;
}

function checkField(name: string, value: string): void {
  // Neither name nor value is repeated: a value may be a secret.
  if (!TOKEN.test(name)) throw new TypeError('a header has a name that is none');
  if (isFraming(name)) throw new TypeError(`the header ${name} cannot be set`);
  if (!VALUE.test(value)) {
    throw new TypeError(`the header ${name} holds characters that cannot be sent`);
  }
}

function hostOf({ host, port, serverName }: Address): string {
  return `${serverName ?? (host.includes(':') ? `[${host}]` : host)}:${port}`;
}
