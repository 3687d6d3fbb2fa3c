/**
 * Reads the Secret of pods behind HTTP: headers that must not be in a spec, or keys of accounts. As with the Secret of a
 * Redis, its type protects every other Secret, and its own keys name the pods that it may be used with.
 */
import type { Secret } from '../cluster.ts';
import { isFraming } from '../http/request.ts';
import { HTTP_AUTH_SECRET_TYPE, type PodsSpec } from '../spec/pods-schema.ts';
import { decode, listOf, type Refuse, refusing, type SecretKind } from '../targets/secret-keys.ts';
import type { Accounts, HttpAuth } from '../targets/target.ts';

/** The pods that a Secret is to be used for. */
export type HttpAuthUse = Pick<PodsSpec, 'http' | 'selector'>;

export const HTTP_AUTH: SecretKind = { type: HTTP_AUTH_SECRET_TYPE, reason: 'HTTPAuthInvalid', part: 'http' };

const MOST_HEADERS = 16;
/** Characters of all headers of a Secret; the complete request has to fit into 16 KiB. */
const MOST_OF_HEADERS = 8 * 1024;
const HEADER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}):[ \t]*([!-~](?:[ -~]*[!-~])?)[ \t]*$/;
/** Keys of accounts, and their form: nothing that a header or JSON would have to escape. */
const MOST_ACCOUNTS = 10_000;
const ACCOUNT = /^[A-Za-z0-9._~+/=:@-]{1,1024}$/;
const LABEL = /^([^=\s,]+)=([^=\s,]*)$/;

/**
 * The content of a Secret. Anyone who can create ChaosDemos chooses the pods, the method and the path. If every Secret
 * could be used with every pod, its headers could be read from any pod that shows or logs its requests. So a Secret
 * names labels that the selector has to include.
 * @throws {Refusal} HTTPAuthInvalid for another type, for invalid keys, and for another use. No value is repeated.
 */
export function readHttpAuth(secret: Secret, part: string, use: HttpAuthUse): HttpAuth {
  const refuse: Refuse = refusingFor(use, secret, part);
  const lines = (decode(secret, 'headers') ?? '').split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length === 0) refuse('has no headers: add what the pods require');
  if (lines.length > MOST_HEADERS) refuse(`has more than ${MOST_HEADERS} headers: leave some out`);
  if (lines.join('').length > MOST_OF_HEADERS) {
    refuse(`has more than ${MOST_OF_HEADERS} characters of headers: shorten them`);
  }
  const headers = new Map<string, string>();
  const taken = new Set(use.http?.headers?.map(({ name: header }) => header.toLowerCase()));
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
      refuse(`sets the header ${header}, which it or ${part}.http.headers sets already: leave one out`);
    }
    taken.add(header.toLowerCase());
    headers.set(header, value);
  }
  return { headers: Object.fromEntries(headers) };
}

/**
 * The keys of accounts in a Secret, one a line.
 * @throws {Refusal} as {@link readHttpAuth}
 */
export function readAccounts(secret: Secret, part: string, use: HttpAuthUse): Accounts {
  const refuse = refusingFor(use, secret, part);
  const keys = accountsIn(decode(secret, 'callers') ?? '', refuse);
  return { secretName: secret.metadata.name, keys };
}

/** The keys in a text, one a line; each once. `refuse`: with what is wrong, and no key. */
export function accountsIn(text: string, refuse: Refuse): string[] {
  const keys = [...new Set(text.split(/\r?\n/).filter((line) => line !== ''))];
  if (keys.length === 0) refuse('has no callers: write the key of one account a line');
  if (keys.length > MOST_ACCOUNTS) refuse(`has more than ${MOST_ACCOUNTS} callers: leave some out`);
  const wrong = keys.findIndex((key) => !ACCOUNT.test(key));
  if (wrong >= 0)
    refuse(
      `has a caller that cannot be sent, number ${wrong + 1}: a key has up to 1024 of the characters A-Z a-z 0-9 . _ ~ + / = : @ -`,
    );
  return keys;
}

/** @throws {Refusal} at once for a Secret that is for other pods */
function refusingFor({ http, selector: { matchLabels } }: HttpAuthUse, secret: Secret, part: string): Refuse {
  const refuse: Refuse = refusing(HTTP_AUTH, secret, http?.tls);
  const labels = listOf(secret, 'selector', refuse).map((label) => LABEL.exec(label) ?? []);
  if (labels.length === 0 || labels.some(([label]) => label === undefined)) {
    refuse(
      'has no key selector that can be read: write the labels of the pods that it is for, such as app.kubernetes.io/name=your-api',
    );
  }
  if (labels.some(([, key = '', value]) => !Object.hasOwn(matchLabels, key) || matchLabels[key] !== value)) {
    refuse(
      `is for pods with other labels: ${part}.selector.matchLabels must contain every label in its key selector. Correct the selector or the Secret`,
    );
  }
  return refuse;
}
