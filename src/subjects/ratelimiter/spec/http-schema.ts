/** `spec.rateLimiter.http`: the request to a limiter behind an HTTP API, and how to read its answers. */
import { z } from 'zod';
import { cel } from '../../../api/index.ts';
import {
  HTTP_AUTH_SECRET_TYPE,
  hasPlace,
  httpAccess,
  jsonPointer,
  KEY_PLACE,
  requestFields,
  statuses,
} from '../../spec/pods-schema.ts';
import { secretName } from '../../spec/tls-schema.ts';

/** Placeholder for the identity of the caller, besides `$(key)`: as an IPv4 address, for limiters that identify callers by a forwarded address. */
export const ADDRESS_PLACE = '$(address)';

/** CEL on `self`, the mapping: whether its request identifies the caller. */
const KEYED = hasPlace(KEY_PLACE, ADDRESS_PLACE);

const decision = z
  .object({
    pointer: jsonPointer.describe('JSON Pointer (RFC 6901) to the member: /result/allowed.'),
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
    ...requestFields('GET'),
    identity: z
      .enum(['Key', 'SourceAddress'])
      .default('Key')
      .describe(
        `How the limiter identifies its callers. Key: by ${KEY_PLACE} or ${ADDRESS_PLACE} in the request. SourceAddress: only by the source address of the connection. All requests of the operator then share one limit, and a run waits until it is replenished.`,
      ),
    admittedStatuses: statuses(
      [200, 201, 202, 204],
      'Statuses of responses that mean that the request was admitted.',
    ),
    rejectedStatuses: statuses([429], 'Statuses of responses that mean that the limit is used up.'),
    decision: decision.optional(),
    ...httpAccess,
    callers: z
      .object({
        secretName: secretName.describe(
          `A Secret of this namespace, of type ${HTTP_AUTH_SECRET_TYPE}, whose key callers has one of them a line.`,
        ),
      })
      .optional()
      .describe(
        `Keys of accounts of a test environment, for an API that rejects unknown keys: each stands for ${KEY_PLACE} of one caller. Left out: the operator makes keys up. Not with identity SourceAddress.`,
      ),
  })
  .meta({
    description: `One request that the limiter counts, and the meaning of its responses. Left out: the bundled limiter. Write ${KEY_PLACE} where it takes the identity of its caller: in a header, the path, the query or the body. Write ${ADDRESS_PLACE} if that is an address, such as in X-Forwarded-For.`,
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
