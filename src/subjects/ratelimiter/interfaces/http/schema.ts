/** `spec.subject.rateLimiter.interface.http`: how a limiter behind an HTTP API is asked, and what its answers mean. */
import { z } from 'zod';
import { cel, GROUP } from '../../../../api/index.ts';

/** Written where the limiter takes the identity of its caller: the key that the demo uses. */
export const KEY_PLACE = '$(key)';
/** The same as an IPv4 address, for limiters that know their callers by a forwarded address. */
export const ADDRESS_PLACE = '$(address)';

/** Whether the operator can be one caller after another, or is the same one with each request. */
export const IDENTITIES = ['Key', 'SourceAddress'] as const;

/** Of `self`, the mapping in CEL: whether its request says who the caller is. */
const KEYED = `([self.request.path, has(self.request.body) ? self.request.body : ''].exists(t, t.contains('${KEY_PLACE}') || t.contains('${ADDRESS_PLACE}')) || self.request.headers.exists(h, h.value.contains('${KEY_PLACE}') || h.value.contains('${ADDRESS_PLACE}')))`;

/** Type of the Secret that the operator takes for the pods of a limiter behind HTTP. */
export const HTTP_AUTH_SECRET_TYPE = `${GROUP}/http-auth`;

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** Visible characters, and spaces between them. */
const HEADER_VALUE = /^[!-~]([ -~]*[!-~])?$/;

const header = z.object({
  name: z.string().min(1).max(128).regex(HEADER_NAME).describe('Name of the header.'),
  value: z.string().min(1).max(1024).regex(HEADER_VALUE).describe('Value of the header.'),
});

const request = z
  .object({
    method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET').describe('Its method.'),
    path: z
      .string()
      .min(1)
      .max(1024)
      .regex(/^\/[!"$-~]*$/)
      .default('/')
      .describe('Its path and query, encoded.'),
    headers: z
      .array(header)
      .max(16)
      .default([])
      .meta({ description: 'Headers that it carries.', 'x-kubernetes-list-type': 'atomic' }),
    body: z.string().max(4096).optional().describe('Its body, in UTF-8.'),
  })
  .describe(
    `One request that the limiter counts. Write ${KEY_PLACE} where it takes the identity of its caller (a header, the path, the query or the body), or ${ADDRESS_PLACE} where that is an address such as X-Forwarded-For.`,
  );

function answers(statuses: number[], what: string) {
  return z
    .object({
      statuses: z
        .array(z.int().min(200).max(599))
        .min(1)
        .max(16)
        .default(statuses)
        .meta({ description: 'One of these statuses.', 'x-kubernetes-list-type': 'atomic' }),
      member: z
        .object({
          pointer: z
            .string()
            .max(256)
            .regex(/^(\/[^/]*)+$/)
            .describe('JSON Pointer (RFC 6901) into the body: /result/allowed.'),
          value: z
            .string()
            .max(256)
            .describe('Its value: a string, or a number or boolean as JSON writes it.'),
        })
        .optional()
        .describe('And this member of the JSON body, if the status is not sufficient.'),
    })
    .prefault({})
    .describe(what);
}

export const httpInterfaceSchema = z
  .object({
    request: request.describe('The request that counts.'),
    identity: z
      .enum(IDENTITIES)
      .default('Key')
      .describe(
        `How the limiter identifies its callers. Key: by ${KEY_PLACE} or ${ADDRESS_PLACE} in the request. SourceAddress: only by the source address of the connection. All requests of the operator then share one limit, and a run waits until it is replenished.`,
      ),
    admitted: answers([200, 201, 202, 204], 'Answers that mean that the request was admitted.'),
    rejected: answers([429], 'Answers that mean that the limit is used up.'),
    remaining: z
      .object({
        header: z
          .string()
          .min(1)
          .max(128)
          .regex(HEADER_NAME)
          .describe('Name of the header: X-RateLimit-Remaining, RateLimit-Remaining or RateLimit.'),
      })
      .optional()
      .describe(
        'Header in which answers report the remaining quota of their caller. It is a whole number, or the combined field of the IETF for one policy. CounterDrift uses it if redis.count is not set. Setup of every run checks it.',
      ),
    health: z
      .object({
        path: z
          .string()
          .min(1)
          .max(1024)
          .regex(/^\/[!"$-~]*$/)
          .default('/')
          .describe(
            'Path of a GET request that uses no limit. A pod is healthy if it answers with a status from 200 to 399.',
          ),
      })
      .prefault({})
      .describe('Health check of each pod.'),
    tls: z
      .object({
        serverName: z
          .string()
          .min(1)
          .max(253)
          .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/)
          .describe('DNS name that the certificate of every pod must be valid for: your-api.shop.svc.'),
      })
      .optional()
      .describe('Send requests with HTTPS. The certificate is always checked.'),
    authSecretRef: z
      .object({ name: z.string().min(1).max(253).describe('Name of the Secret.') })
      .optional()
      .describe(
        `A Secret of this namespace, of type ${HTTP_AUTH_SECRET_TYPE}. It holds headers of the request that must not be in the spec, and the authority of the certificates.`,
      ),
  })
  .meta({
    description: 'A rate limiter behind an HTTP API of any kind.',
    ...cel({
      rule: `(self.identity == 'Key') == ${KEYED}`,
      message: `write ${KEY_PLACE} (or ${ADDRESS_PLACE}) where the rate limiter takes the identity of its caller: in path, a header's value or body. If it only uses the source address of the connection, set identity to SourceAddress and leave both out`,
    }),
  });

export type HttpInterfaceSpec = z.output<typeof httpInterfaceSchema>;
export type AnswersSpec = HttpInterfaceSpec['admitted'];
