/** ChaosDemos as any user may send them, and the steps of their lives; a seed repeats them. */
import fc from 'fast-check';
import { ANNOTATIONS, specSchema, statusSchema } from '../../src/api/index.ts';
import { type Schema, structural } from '../../src/api/structural.ts';
import { SUBJECTS } from '../../src/subjects/index.ts';
import { HOSTILE_TEXTS, valueOf } from '../fixtures/api/schema-arbitrary.ts';
import { drift, ghosts, rateLimiterOf } from '../kit/demo.ts';

/** Done to an object after its first status. */
export type Step =
  | { readonly kind: 'spec'; readonly spec: unknown }
  | { readonly kind: 'annotations'; readonly annotations: Readonly<Record<string, string>> }
  | { readonly kind: 'status'; readonly status: unknown };

/** One object and its life. */
export interface Case {
  /** 0: of a namespace that does not take part; 1: of one without pods; 2: of one whose pods and Redis spoil answers. */
  readonly place: 0 | 1 | 2;
  readonly spec: unknown;
  readonly annotations: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

const whole = structural(specSchema(SUBJECTS.map(({ definition }) => definition.api)));
const properties = whole['properties'] as Readonly<Record<string, Schema>>;

/** Redis is behind a proxy, whose connections are those of strangers. */
const open = rateLimiterOf({
  redis: { serviceName: 'redis', authSecretName: 'redis-auth', otherClients: 'Allow' },
});

/** Valid but for rules between fields: a subject that may be there, and anything else. */
const likely = fc
  .record(
    Object.fromEntries(
      Object.entries(properties)
        .filter(([name]) => name !== 'rateLimiter' && name !== 'scenarios')
        // Most deadlines are too short for the pace, which a rule refuses.
        .map(([name, schema]) => [
          name,
          name === 'activeDeadline' ? fc.constantFrom('10m', '1m', '1s') : valueOf(schema),
        ]),
    ),
    { requiredKeys: [] },
  )
  .chain((rest) =>
    fc.constantFrom<object>(
      { ...rest, rateLimiter: open },
      { rateLimiter: open, pace: { dwell: '0s' }, scenarios: [drift()] },
      { rateLimiter: open, pace: { dwell: '0s' }, scenarios: [ghosts({ countdown: '0s' })] },
      { ...rest, rateLimiter: open, pace: { dwell: '0s' } },
      { ...rest, rateLimiter: rateLimiterOf({ selector: { matchLabels: { app: '💥' } } }) },
      { rateLimiter: open, suspend: true },
    ),
  );

/** A member that the schema does not have, or has otherwise. */
const broken = fc
  .tuple(
    likely,
    fc.constantFrom('rateLimiter', 'scenarios', 'pace', 'runId', 'activeDeadline', 'x'),
    fc.jsonValue(),
  )
  .map(([spec, name, value]) => ({ ...spec, [name]: value }));

const spec = fc.oneof(
  { weight: 6, arbitrary: likely },
  { weight: 2, arbitrary: valueOf(whole) },
  { weight: 1, arbitrary: broken },
  { weight: 1, arbitrary: fc.jsonValue() },
);

/** Up to about 60 kB, of the 256 KiB that the API server takes. */
const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('1', '1/1', '1/4', ...HOSTILE_TEXTS) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  { weight: 1, arbitrary: fc.constant('a'.repeat(60_000)) },
);
const annotations = fc.dictionary(
  fc.constantFrom(
    ...Object.values(ANNOTATIONS),
    'example.com/x',
    'chaosdemo.dev/x',
    'kubectl.kubernetes.io/last-applied-configuration',
  ),
  text,
  { maxKeys: 3 },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('spec' as const), spec }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('annotations' as const), annotations }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('status' as const), status: valueOf(structural(statusSchema)) }),
  },
);

const one: fc.Arbitrary<Case> = fc.record({
  place: fc.oneof(
    { weight: 2, arbitrary: fc.constant(0 as const) },
    { weight: 3, arbitrary: fc.constant(1 as const) },
    { weight: 3, arbitrary: fc.constant(2 as const) },
  ),
  spec,
  annotations,
  steps: fc.array(step, { maxLength: 2 }),
});

/** How many are made at a time: they may be large. */
const CHUNK = 250;

/** So many cases, the same for the same seed. */
export function* casesOf(seed: number, count: number): Generator<Case> {
  for (let made = 0; made < count; made += CHUNK) {
    yield* fc.sample(one, { seed: seed + made, numRuns: Math.min(CHUNK, count - made) });
  }
}
