/** Headers that a user gives for the requests of a probe may be secret, so a file or a terminal gets none of them. Pure. */
import { HTTP_AUTH_SECRET_TYPE } from '../../subjects/spec/pods-schema.ts';
import type { Finding } from './limit-facts.ts';
import type { ApiFacts } from './manifest.ts';
import type { Header } from './options.ts';

/** Describe a body or an answer. */
const HARMLESS = new Set(['accept', 'accept-language', 'content-type', 'user-agent']);
/** `Bearer $(key)`: the key of a caller, after the name of a scheme. */
const ONLY_A_KEY = /^(?:[A-Za-z]{1,20} )?\$\((?:key|address)\)$/;
const PLACE = /\$\((?:key|address)\)/;
const FILL_IN = 'FILL-IN-';

/** The facts without values that may be secret, and what to fill in. */
export function withoutSecrets(facts: ApiFacts): { readonly facts: ApiFacts; readonly findings: Finding[] } {
  const { place, request } = facts;
  const isSecret = ({ name, value }: Header): boolean =>
    !HARMLESS.has(name.toLowerCase()) && !ONLY_A_KEY.test(value);
  const isHidden = (header: Header): boolean => isSecret(header) && !PLACE.test(header.value);
  const hidden = request.headers.filter(isHidden).map(({ name }) => name);
  const partly = request.headers.filter((header) => isSecret(header) && !isHidden(header));
  const headers = request.headers
    .filter((header) => !isHidden(header))
    .map((header) =>
      isSecret(header) ? { ...header, value: `${FILL_IN}${PLACE.exec(header.value)?.[0]}` } : header,
    );
  const authSecretName = `${place.name}-http-auth`;
  const selector = Object.entries(place.matchLabels).map(([key, value]) => `${key}=${value}`);
  const create = `kubectl -n ${place.namespace} create secret generic ${authSecretName} --type=${HTTP_AUTH_SECRET_TYPE} --from-literal=selector=${selector.join(',')} --from-literal=headers="$HEADERS"`;
  const why = `${hidden.join(', ')}, not written here. With a line "Name: value" for each in HEADERS: ${create}`;
  const given = (what: string, because: string): Finding => ({ what, source: 'given', because });
  const filled = partly.map(({ name }) =>
    given(
      'filled header',
      `the value of ${name} is not written here: replace ${FILL_IN} with what is before and after the key`,
    ),
  );
  return {
    facts: { ...facts, request: { ...request, headers }, ...(hidden.length > 0 && { authSecretName }) },
    findings: [...(hidden.length > 0 ? [given('secret headers', why)] : []), ...filled],
  };
}
