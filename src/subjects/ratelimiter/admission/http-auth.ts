/**
 * Reads the Secret of a limiter behind HTTP: headers that must not be in a spec, and the CA to trust. As with the
 * Secret of a Redis, its type protects every other Secret, and its own keys name the pods that it may be used with.
 */
import type { Secret } from '../../cluster.ts';
import { Refusal } from '../../targets/refusal.ts';
import { authorityOf, decode, listOf } from '../../targets/secret-keys.ts';
import { isFraming } from '../http/request.ts';
import { HTTP_AUTH_SECRET_TYPE, PART, type RateLimiterSpec } from '../spec/schema.ts';
import type { HttpAuth } from '../target/target.ts';

/** The limiter that a Secret is to be used for. */
export type HttpAuthUse = Pick<RateLimiterSpec, 'selector'> & {
  readonly http: Pick<RateLimiterSpec['http'], 'headers' | 'tlsServerName'>;
};

const MOST_HEADERS = 16;
/** Characters of all headers of a Secret; the complete request has to fit into 16 KiB. */
const MOST_OF_HEADERS = 8 * 1024;
const HEADER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}):[ \t]*([!-~](?:[ -~]*[!-~])?)[ \t]*$/;
const LABEL = /^([^=\s,]+)=([^=\s,]*)$/;

/**
 * The content of a Secret. Anyone who can create ChaosDemos chooses the pods, the method and the path. If every Secret
 * could be used with every pod, its headers could be read from any pod that shows or logs its requests. So a Secret
 * names labels that the selector has to include.
 * @throws {Refusal} HTTPAuthInvalid for another type, for invalid keys, and for another use. No value is repeated.
 */
export function readHttpAuth(secret: Secret, { http, selector: { matchLabels } }: HttpAuthUse): HttpAuth {
  const { name } = secret.metadata;
  const refuse = (why: string): never => {
    throw new Refusal('HTTPAuthInvalid', `Secret ${name} ${why}`);
  };
  if (secret.type !== HTTP_AUTH_SECRET_TYPE) {
    refuse(
      `is of type ${secret.type ?? 'Opaque'} and was not read further: make a new one with --type=${HTTP_AUTH_SECRET_TYPE} (a type cannot be changed) and the keys selector, headers and, for TLS, ca.crt`,
    );
  }
  const labels = labelsOf(listOf(secret, 'selector', refuse));
  if (labels === undefined) {
    return refuse(
      'has no key selector that can be read: write the labels of the pods that it is for, such as app.kubernetes.io/name=your-api',
    );
  }
  if (labels.some(([key, value]) => !Object.hasOwn(matchLabels, key) || matchLabels[key] !== value)) {
    refuse(
      `is for pods with other labels: ${PART}.selector.matchLabels must contain every label in its key selector. Correct the selector or the Secret`,
    );
  }
  const lines = (decode(secret, 'headers') ?? '').split(/\r?\n/).filter((line) => line.trim() !== '');
  const ca = authorityOf(secret, http.tlsServerName ? undefined : `${PART}.http.tlsServerName`, refuse);
  if (lines.length === 0 && ca === undefined)
    refuse('has neither headers nor ca.crt: add what the pods require');
  if (lines.length > MOST_HEADERS) refuse(`has more than ${MOST_HEADERS} headers: leave some out`);
  if (lines.join('').length > MOST_OF_HEADERS) {
    refuse(`has more than ${MOST_OF_HEADERS} characters of headers: shorten them`);
  }
  const headers = new Map<string, string>();
  const taken = new Set(http.headers.map(({ name: header }) => header.toLowerCase()));
  for (const [i, line] of lines.entries()) {
    const [, header, value] = HEADER.exec(line) ?? [];
    if (header === undefined || value === undefined) {
      return refuse(
        `has a header that cannot be read, number ${i + 1}: write one a line, its name, a colon and its value, in printable ASCII`,
      );
    }
    if (isFraming(header))
      refuse(`sets the header ${header}, which is not for a caller to set: leave it out`);
    if (taken.has(header.toLowerCase())) {
      refuse(`sets the header ${header}, which it or ${PART}.http.headers sets already: leave one out`);
    }
    taken.add(header.toLowerCase());
    headers.set(header, value);
  }
  return {
    ...(headers.size > 0 && { headers: Object.fromEntries(headers) }),
    ...(ca !== undefined && { ca }),
  };
}

/** The labels that a Secret names; undefined if there are none, or one is malformed. */
function labelsOf(selector: readonly string[]): [key: string, value: string][] | undefined {
  const labels: [string, string][] = [];
  for (const part of selector) {
    const [, key, value] = LABEL.exec(part) ?? [];
    if (key === undefined || value === undefined) return undefined;
    labels.push([key, value]);
  }
  return labels.length > 0 ? labels : undefined;
}
