/** `spec.rateLimiter.http`: the request to a limiter behind an HTTP API, and how to read its answers. */
import { z } from 'zod';
import { cel, GROUP } from '../../../api/index.ts';

/** Placeholder for the identity of the caller: the key that the demo uses. */
export const KEY_PLACE = '$(key)';
/** The same as an IPv4 address, for limiters that identify callers by a forwarded address. */
export const ADDRESS_PLACE = '$(address)';

/** Whether each request can have its own caller identity, or all share one. */
export const IDENTITIES = ['Key', 'SourceAddress'] as const;

/** CEL on `self`, the mapping: whether its request identifies the caller. */
const KEYED = `([self.path, has(self.body) ? self.body : ''].exists(t, t.contains('${KEY_PLACE}') || t.contains('${ADDRESS_PLACE}')) || self.headers.exists(h, h.value.contains('${KEY_PLACE}') || h.value.contains('${ADDRESS_PLACE}')))`;

/** Type of the Secret that the operator accepts for the pods of a limiter behind HTTP. */
export const HTTP_AUTH_SECRET_TYPE = `${GROUP}/http-auth`;

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** Visible characters, and spaces between them. */
const HEADER_VALUE = /^[!-~]([ -~]*[!-~])?$/;

const header = z.object({
  name: z.string().min(1).max(128).regex(HEADER_NAME).describe('Name of the header.'),
  value: z.string().min(1).max(1024).regex(HEADER_VALUE).describe('Value of the header.'),
});

/** Path and query of a request, encoded. */
export const requestPath = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^\/[!"$-~]*$/);

const statuses = (defaults: number[], description: string) =>
  z
    .array(z.int().min(200).max(599))
    .min(1)
    .max(16)
    .default(defaults)
    .meta({ description, 'x-kubernetes-list-type': 'atomic' });

const decision = z
  .object({
    pointer: z
      .string()
      .max(256)
      .regex(/^(\/[^/]*)+$/)
      .describe('JSON Pointer (RFC 6901) to the member: /result/allowed.'),
    admitted: decisionValue('Its value if the request was admitted; default: any that is not rejected.'),
    rejected: decisionValue('Its value if the request was rejected; default: any that is not admitted.'),
  })
  .describe(
    'The member of the JSON body that gives the decision, if the status is not sufficient. A value is a string, or a number or boolean as JSON writes it.',
  );

function decisionValue(description: string) {
  return z.string().max(256).optional().describe(description);
}

export const httpInterfaceSchema = z
  .object({
    method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET').describe('Its method.'),
    path: requestPath.default('/').describe('Its path and query, encoded.'),
    headers: z
      .array(header)
      .max(16)
      .default([])
      .meta({ description: 'Headers that it carries.', 'x-kubernetes-list-type': 'atomic' }),
    body: z.string().max(4096).optional().describe('Its body, in UTF-8.'),
    identity: z
      .enum(IDENTITIES)
      .default('Key')
      .describe(
        `How the limiter identifies its callers. Key: by ${KEY_PLACE} or ${ADDRESS_PLACE} in the request. SourceAddress: only by the source address of the connection. All requests of the operator then share one limit, and a run waits until it is replenished.`,
      ),
    admittedStatuses: statuses(
      [200, 201, 202, 204],
      'Statuses of answers that mean that the request was admitted.',
    ),
    rejectedStatuses: statuses([429], 'Statuses of answers that mean that the limit is used up.'),
    decision: decision.optional(),
    tlsServerName: z
      .string()
      .min(1)
      .max(253)
      .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/)
      .optional()
      .describe(
        'Send requests with HTTPS; the certificate of every pod must be valid for this DNS name: your-api.shop.svc.',
      ),
    authSecretName: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe(
        `A Secret of this namespace, of type ${HTTP_AUTH_SECRET_TYPE}. It holds headers of the request that must not be in the spec, and the authority of the certificates.`,
      ),
    callers: z
      .object({
        secretName: z
          .string()
          .min(1)
          .max(253)
          .describe(
            `A Secret of this namespace, of type ${HTTP_AUTH_SECRET_TYPE}, whose key callers has one of them a line.`,
          ),
      })
      .optional()
      .describe(
        `Keys of accounts of a test environment, for an API that rejects unknown keys: each stands for ${KEY_PLACE} of one caller. Left out: the operator makes keys up.`,
      ),
  })
  .meta({
    description: `One request that the limiter counts, and what its answers mean. Left out: the bundled limiter. Write ${KEY_PLACE} where it takes the identity of its caller: in a header, the path, the query or the body. Write ${ADDRESS_PLACE} if that is an address, such as in X-Forwarded-For.`,
    ...cel(
      {
        rule: `(self.identity == 'Key') == ${KEYED}`,
        message: `write ${KEY_PLACE} (or ${ADDRESS_PLACE}) where the rate limiter takes the identity of its caller: in path, a header's value or body. If it only uses the source address of the connection, set identity to SourceAddress and leave both out`,
      },
      {
        rule: "!has(self.callers) || self.identity == 'Key'",
        message: 'callers stand for keys, and with identity SourceAddress there are none: leave callers out',
      },
    ),
  });

export type HttpInterfaceSpec = z.output<typeof httpInterfaceSchema>;
