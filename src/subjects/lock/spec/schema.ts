/** The lock's part of the spec, `spec.lock`. */
import { z } from 'zod';
import { type ChaosDemoSpec, cel, durationField, parseDuration } from '../../../api/index.ts';
import {
  answerPart,
  hasPlace,
  healthSchema,
  httpAccess,
  KEY_PLACE,
  podPort,
  podSelector,
  requestFields,
  requestPath,
  requiredPart,
  statuses,
  wholeField,
} from '../../spec/pods-schema.ts';
import { redisSchema } from '../../spec/redis-schema.ts';

/** Its member of `spec`. */
export const PART = 'lock';

/** Placeholder for what shows that a release is of the holder. */
export const TOKEN_PLACE = '$(token)';

/** A run fills all of them, of each key. */
const MOST_SLOTS = 100;

const acquire = z
  .object({
    ...requestFields('POST'),
    grantedStatuses: statuses([200, 201, 204], 'Statuses of responses that grant the lock.'),
    deniedStatuses: statuses([409, 423, 429], 'Statuses of responses that mean that others hold it.'),
    token: answerPart(
      `the token of the holder, ${TOKEN_PLACE} in the release`,
      `Left out: ${TOKEN_PLACE} is a text of the operator, and may be in the request to acquire.`,
    ),
    fencing: answerPart('the fencing token', 'A whole number, which grows with each grant of a key.'),
  })
  .meta({
    description: `The request for one slot of the lock ${KEY_PLACE}. It responds at once, or waits at most as long as its caller.`,
    ...cel({
      rule: hasPlace(KEY_PLACE),
      message: `write ${KEY_PLACE} where the request has the name of the lock`,
    }),
  });

const release = z.object(requestFields('DELETE')).meta({
  description: `The request that gives the slot back, with ${KEY_PLACE}, ${TOKEN_PLACE} or both. A status from 200 to 299 confirms it.`,
  ...cel({
    rule: hasPlace(KEY_PLACE, TOKEN_PLACE),
    message: `write ${KEY_PLACE} or ${TOKEN_PLACE}, so that the right slot is given back`,
  }),
});

export const lockSchema = z
  .object({
    selector: podSelector('the API with the lock'),
    port: podPort,
    acquire,
    release,
    slots: wholeField(
      1,
      MOST_SLOTS,
      'How many may hold a key at once: 1 for a lock, more for a semaphore.',
    ).default(1),
    ttl: durationField(
      'After this time a slot is free again, whether or not it was released. If left out, it is held until it is released.',
      '1s',
      '5m',
    ).optional(),
    http: z.object(httpAccess).optional().describe('TLS and headers of a Secret for its requests.'),
    redis: redisSchema
      .extend({
        key: z
          .string()
          .max(256)
          .regex(/^[!-~]*\$\(key\)[!-~]*$/)
          .optional()
          .describe(`The key of a held lock, as lock:${KEY_PLACE}. Fault type \`DataLoss\` removes it.`),
      })
      .describe('The Redis that keeps the locks.'),
    health: healthSchema(
      requestPath
        .default('/')
        .describe(
          'Path of a GET request that needs no lock. A pod is healthy if it responds with a status from 200 to 399.',
        ),
      'the pods',
    ).prefault({}),
  })
  .meta({ description: 'A lock or a semaphore behind HTTP, with its state in Redis. Not with rateLimiter.' });

export type LockSpec = z.output<typeof lockSchema>;

/** The lock's part of a spec. @throws TypeError if it is missing */
export const lockOf = (spec: ChaosDemoSpec): LockSpec => requiredPart(spec, PART) as LockSpec;

/** After this time a slot is free, in milliseconds; infinite: once it is released. */
export const ttlOf = ({ ttl }: Pick<LockSpec, 'ttl'>): number =>
  ttl === undefined ? Number.POSITIVE_INFINITY : parseDuration(ttl);

/** The longest that a run holds a slot: shorter than its ttl; milliseconds. */
export const longestHoldMs = (lock: Pick<LockSpec, 'ttl'>): number => Math.min(3000, 0.8 * ttlOf(lock));
