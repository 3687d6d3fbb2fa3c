/** The parts of a spec that every subject behind HTTP has: its pods, and how to reach them. */
import { z } from 'zod';
import {
  type ChaosDemoSpec,
  cel,
  durationField,
  GROUP,
  parseDuration,
  subjectPart,
} from '../../api/index.ts';
import type { RedisSpec } from './redis-schema.ts';
import { secretName, serverName, tlsSchema } from './tls-schema.ts';

/** Type of the Secret that the operator accepts for pods behind HTTP. */
export const HTTP_AUTH_SECRET_TYPE = `${GROUP}/http-auth`;

/** Placeholder in a request for the key that the demo uses. */
export const KEY_PLACE = '$(key)';

/** A whole number between two bounds, both included. Chain the default, if any, after it. */
export const wholeField = (min: number, max: number, description: string) =>
  z.int().min(min).max(max).describe(description);

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** Visible characters, and spaces between them. */
const HEADER_VALUE = /^[!-~]([ -~]*[!-~])?$/;

export const headerName = z.string().min(1).max(128).regex(HEADER_NAME).describe('Name of the header.');

const header = z.object({
  name: headerName,
  value: z.string().min(1).max(1024).regex(HEADER_VALUE).describe('Value of the header.'),
});

/** Path and query of a request, encoded. */
export const requestPath = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^\/[!"$-~]*$/);

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** A request to a pod. */
export const requestFields = (method: (typeof METHODS)[number]) => ({
  method: z.enum(METHODS).default(method).describe('Its method.'),
  path: requestPath.default('/').describe('Its path and query, encoded.'),
  headers: z
    .array(header)
    .max(16)
    .default([])
    .meta({ description: 'Headers that it carries.', 'x-kubernetes-list-type': 'atomic' }),
  body: z.string().max(4096).optional().describe('Its body, in UTF-8.'),
});

/** JSON Pointer (RFC 6901). */
export const jsonPointer = z
  .string()
  .max(256)
  .regex(/^(\/[^/]*)+$/);

/** A part of an answer. */
export const answerPart = (what: string, more: string) =>
  z
    .object({
      header: headerName.optional(),
      pointer: jsonPointer.optional().describe('JSON Pointer (RFC 6901) to a member of the body: /token.'),
    })
    .meta({
      description: `Place of ${what} in the response: a header, or a member of a JSON body. ${more}`,
      ...cel({ rule: 'has(self.header) != has(self.pointer)', message: 'write header or pointer' }),
    })
    .optional();

/** CEL on `self`, a request: whether a part of it has one of these places. */
export function hasPlace(...places: readonly string[]): string {
  const contains = (text: string): string =>
    places.map((place) => `${text}.contains('${place}')`).join(' || ');
  return `([self.path, has(self.body) ? self.body : ''].exists(t, ${contains('t')}) || self.headers.exists(h, ${contains('h.value')}))`;
}

export const statuses = (defaults: number[], description: string) =>
  z
    .array(z.int().min(200).max(599))
    .min(1)
    .max(16)
    .default(defaults)
    .meta({ description, 'x-kubernetes-list-type': 'atomic' });

/** @param what runs in them, for the description */
export const podSelector = (what: string) =>
  z
    .object({
      matchLabels: z.record(z.string(), z.string().max(63)).meta({
        description: 'Labels that a pod must carry, all of them.',
        minProperties: 1,
        maxProperties: 16,
      }),
    })
    .meta({
      description: `Which pods of this namespace ${what} runs in.`,
      'x-kubernetes-map-type': 'atomic',
    });

export const podPort = z
  .union([z.int(), z.string()])
  .default('http')
  .meta({
    description: 'Port on which the pods serve HTTP: a number, or the name of a container port.',
    'x-kubernetes-int-or-string': true,
    ...cel({
      rule: "type(self) == int ? self >= 1 && self <= 65535 : string(self).matches('^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$')",
      message: 'must be a port from 1 to 65535 or the name of a container port',
    }),
  });

/** @param path of the check; `of`: what is checked, for the description */
export const healthSchema = <T extends z.ZodType>(path: T, of: string) =>
  z
    .object({
      path,
      timeout: durationField(
        'How long one check or one request may take. A run keeps the timeout it began with.',
        '100ms',
        '30s',
      ).default('5s'),
    })
    .describe(`How the operator checks the health of ${of}, every 2 s.`);

/** How requests reach pods that need more than plain HTTP. */
export const httpAccess = {
  tls: tlsSchema(
    serverName.describe('DNS name that the certificate of every pod must be valid for: your-api.shop.svc.'),
    HTTP_AUTH_SECRET_TYPE,
    'Send requests with HTTPS.',
  ),
  authSecretName: secretName
    .optional()
    .describe(
      `A Secret of this namespace, of type ${HTTP_AUTH_SECRET_TYPE}, with headers of the request that must not be in the spec.`,
    ),
};

/** What a run needs to know of the part of a spec, whatever the subject. */
export interface PodsSpec {
  readonly selector: z.output<ReturnType<typeof podSelector>>;
  readonly port: z.output<typeof podPort>;
  readonly redis: RedisSpec;
  readonly health: { readonly path?: string | undefined; readonly timeout: string };
  readonly http?:
    | (z.output<z.ZodObject<typeof httpAccess>> & {
        /** Of its requests. */
        readonly headers?: readonly { readonly name: string }[];
        readonly callers?: { readonly secretName: string } | undefined;
      })
    | undefined;
}

/** @throws TypeError if a spec has no such part, which the API server's validation rules out */
export function requiredPart(spec: ChaosDemoSpec, part: string): unknown {
  const found = subjectPart(spec, part);
  if (found === undefined) throw new TypeError(`spec.${part} is missing`);
  return found;
}

/** How long one request to a pod may take; milliseconds. */
export const timeoutOf = ({ health }: { readonly health: { readonly timeout: string } }): number =>
  parseDuration(health.timeout);
