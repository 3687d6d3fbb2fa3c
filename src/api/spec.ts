/**
 * What people write into a ChaosDemo. The CRD is generated from this schema, so
 * every description here is what `kubectl explain` shows, and every rule is
 * checked by the API server before the operator sees the object.
 *
 * Rules in CEL stand in `.meta({ 'x-kubernetes-validations': [...] })`; the ones
 * that zod itself states (bounds, patterns, enums) become plain schema.
 */
import { z } from 'zod';
import { DURATION_PATTERN } from './duration.ts';

interface CelRule {
  rule: string;
  message?: string;
  messageExpression?: string;
}

const cel = (...rules: CelRule[]) => ({ 'x-kubernetes-validations': rules });

/** A duration between two bounds, both included. */
function duration(description: string, min: string, max: string) {
  return z
    .string()
    .regex(DURATION_PATTERN)
    .max(24)
    .meta({
      description: `${description} Whole numbers with h, m, s or ms, from ${min} to ${max}.`,
      ...cel({
        rule: `duration(self) >= duration('${min}') && duration(self) <= duration('${max}')`,
        message: `must be from ${min} to ${max}`,
      }),
    });
}

const labelSelector = z
  .object({
    matchLabels: z
      .record(z.string(), z.string().max(63))
      .optional()
      .meta({ description: 'Labels that a pod must carry, all of them.', maxProperties: 16 }),
    matchExpressions: z
      .array(
        z.object({
          key: z.string().min(1).max(316).describe('The label key that the rule is about.'),
          operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']).describe('How key and values relate.'),
          values: z.array(z.string().max(63)).max(32).optional().meta({
            description: 'Values for In and NotIn; empty for the others.',
            'x-kubernetes-list-type': 'atomic',
          }),
        }),
      )
      .max(16)
      .optional()
      .meta({
        description: 'Further rules that a pod must meet, all of them.',
        'x-kubernetes-list-type': 'atomic',
      }),
  })
  .meta({
    description:
      'Which pods of this namespace are the nodes of the rate limiter. An empty selector is refused.',
    'x-kubernetes-map-type': 'atomic',
    ...cel({
      rule: '(has(self.matchLabels) && size(self.matchLabels) > 0) || (has(self.matchExpressions) && size(self.matchExpressions) > 0)',
      message:
        'an empty selector would match every pod of the namespace: name at least one label in matchLabels or matchExpressions',
    }),
  });

const redis = z
  .object({
    service: z
      .object({
        name: z.string().min(1).max(63).describe('Name of a Service of this namespace that has a selector.'),
        port: z.int().min(1).max(65535).default(6379).describe('Port of that Service.'),
      })
      .describe('The Redis that the rate limiter counts in.'),
    authSecretRef: z
      .object({ name: z.string().min(1).max(253).describe('Name of the Secret.') })
      .optional()
      .describe(
        'A Secret of this namespace, of type chaosdemo.dev/redis-auth, with the keys username, password and, for TLS, ca.crt.',
      ),
    tls: z
      .boolean()
      .default(false)
      .describe('Speak TLS. The certificate must be valid for the DNS name of the Service.'),
    allowOtherClients: z
      .boolean()
      .default(false)
      .describe('Pause writes even though clients other than the selected pods use this Redis.'),
  })
  .describe('The Redis behind the rate limiter.');

const limit = z
  .object({
    keyPrefix: z
      .string()
      .regex(/^demo-[a-z0-9-]*$/)
      .max(64)
      .default('demo-chaos-key')
      .describe(
        'Start of the names of the keys that the demo makes; must start with "demo-", so that no real key is ever touched.',
      ),
    requests: z.int().min(1).max(5000).default(10).describe('Requests that the limit allows in one window.'),
    window: duration('Length of the window.', '5s', '1h').default('60s'),
  })
  .prefault({})
  .describe('The limit that the demo sets on keys of its own.');

const health = z
  .object({
    pollInterval: duration('Time between two looks.', '250ms', '1m').default('2s'),
    timeout: duration(
      'How long one look, or one request, may take. A run keeps the one it began with.',
      '100ms',
      '30s',
    ).default('5s'),
  })
  .prefault({})
  .describe('How the health of the rate limiter is watched.');

const rateLimiter = z
  .object({
    selector: labelSelector,
    port: z
      .union([z.int(), z.string()])
      .default('http')
      .meta({
        description: 'Port of the pods that speaks HTTP: a number, or the name of a container port.',
        'x-kubernetes-int-or-string': true,
        ...cel({
          rule: "type(self) == int ? self >= 1 && self <= 65535 : string(self).matches('^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$')",
          message: 'must be a port from 1 to 65535 or the name of a container port',
        }),
      }),
    redis,
    limit,
    health,
  })
  .describe('The rate limiter under test; set where type is RateLimiter.');

const subject = z
  .object({
    type: z.enum(['RateLimiter']).default('RateLimiter').describe('What is put to the test.'),
    displayName: z
      .string()
      .min(1)
      .max(64)
      .default('Rate Limiter')
      .describe('What to call it in messages. Changing it starts no run.'),
    rateLimiter: rateLimiter.optional(),
  })
  .meta({
    description: 'What is put to the test.',
    ...cel({
      rule: "self.type != 'RateLimiter' || has(self.rateLimiter)",
      message: 'type RateLimiter needs subject.rateLimiter with a selector and a redis',
    }),
  });

const counterDrift = z
  .object({
    pause: duration('How long Redis takes no writes.', '1s', '1m').default('10s'),
    requestsPerSecond: z
      .int()
      .min(1)
      .max(1000)
      .default(30)
      .describe('Steady traffic over all pods together while the pause lasts.'),
    threshold: z
      .int()
      .min(0)
      .max(100_000)
      .default(5)
      .describe('Drift above this, plus the lag measured without a fault, breaks the invariant.'),
    settle: duration('How long to go on watching after the fault.', '1s', '1m').default('5s'),
  })
  .describe('Pauses the writes of Redis and watches the counters part; for type CounterDrift.');

const ghostAllowing = z
  .object({
    multiplier: z.int().min(2).max(100).default(2).describe('The burst is limit.requests times this.'),
    settle: duration('How long to go on watching after the burst.', '1s', '1m').default('5s'),
  })
  .describe('Sends a burst to all pods at once and counts what is admitted; for type GhostAllowing.');

const scenario = z
  .object({
    name: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)
      .max(32)
      .describe('Name of the scenario, unique in the list.'),
    type: z.enum(['CounterDrift', 'GhostAllowing']).describe('Which failure is brought about.'),
    expect: z
      .enum(['Detected', 'NotDetected', 'Any'])
      .default('Detected')
      .describe(
        'The outcome that makes the run a success. NotDetected makes a gate for limiters that must not fail in this way.',
      ),
    countdown: duration('Time between the announcement and the fault.', '0s', '1m').default('3s'),
    counterDrift: counterDrift.optional(),
    ghostAllowing: ghostAllowing.optional(),
  })
  .meta({
    ...cel(
      {
        rule: "self.type == 'CounterDrift' || !has(self.counterDrift)",
        message: 'counterDrift belongs to a scenario of type CounterDrift',
      },
      {
        rule: "self.type == 'GhostAllowing' || !has(self.ghostAllowing)",
        message: 'ghostAllowing belongs to a scenario of type GhostAllowing',
      },
    ),
  });

const DEFAULT_SCENARIOS = [
  { name: 'counter-drift', type: 'CounterDrift' as const },
  { name: 'ghost-allowing', type: 'GhostAllowing' as const },
];

/** Time a scenario needs in its key's window, in CEL; the same sum as `timeNeeded` in src/subjects. */
const NEEDED =
  "duration(s.countdown) + duration(self.subject.rateLimiter.health.timeout) + (s.type == 'CounterDrift' ? duration(has(s.counterDrift) ? s.counterDrift.pause : '10s') + duration(has(s.counterDrift) ? s.counterDrift.settle : '5s') : duration(self.subject.rateLimiter.health.timeout) + duration(has(s.ghostAllowing) ? s.ghostAllowing.settle : '5s'))";

export const specSchema = z
  .object({
    subject,
    scenarios: z
      .array(scenario)
      .min(1)
      .max(8)
      .prefault(DEFAULT_SCENARIOS)
      .meta({
        description: 'The failures to bring about. The chapters of a type that is left out are Skipped.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        ...cel({
          rule: 'self.all(s, self.exists_one(t, t.type == s.type))',
          message: 'each scenario type may stand in the list once',
        }),
      }),
    diagnosis: z
      .object({
        profile: z
          .string()
          .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)
          .max(63)
          .default('rules')
          .describe("A profile of the operator's own configuration."),
      })
      .prefault({})
      .describe('Who explains what was detected.'),
    pace: z
      .object({
        mode: z
          .enum(['Auto', 'Manual'])
          .default('Auto')
          .describe('Auto goes on by itself; Manual waits for the advance annotation after each chapter.'),
        dwell: duration('How long a finished chapter stays on show in Auto.', '0s', '10m').default('3s'),
      })
      .prefault({})
      .describe('How the story is told. Applies live.'),
    runId: z.string().max(128).default('').describe('Change it to run again.'),
    rerun: z
      .enum(['OnRequest', 'OnPodTemplateChange'])
      .default('OnRequest')
      .describe(
        'What starts another run by itself. OnRequest: nothing. OnPodTemplateChange: a rollout, once all selected pods are Ready and of one template that is not that of the last run. Pods without the label pod-template-hash or controller-revision-hash start none.',
      ),
    suspend: z
      .boolean()
      .default(false)
      .describe('Start no run, and hold a running one before its next fault.'),
    dryRun: z
      .boolean()
      .default(false)
      .describe('Check discovery, permissions and health only; inject no fault. Counts for the next run.'),
    activeDeadline: duration(
      'Longest time a run may take; time spent awaiting a hand does not count.',
      '1m',
      '24h',
    ).default('10m'),
    historyLimit: z.int().min(0).max(20).default(5).describe('How many past runs the status remembers.'),
  })
  .meta({
    description: 'What is put to the test, how, and how the story is told.',
    ...cel(
      {
        rule: `self.scenarios.all(s, !has(self.subject.rateLimiter) || ${NEEDED} < duration(self.subject.rateLimiter.limit.window))`,
        message:
          'countdown + fault + settle + health timeout must be less than limit.window, so that the whole story of a fault fits into one window: shorten the pause or settle, or lengthen the window (the fault is the pause, or for a burst the health timeout)',
      },
      {
        rule: "self.scenarios.all(s, s.type != 'CounterDrift' || !has(self.subject.rateLimiter) || (has(s.counterDrift) ? s.counterDrift.threshold : 5) < self.subject.rateLimiter.limit.requests)",
        message:
          'counterDrift.threshold must be less than limit.requests: a node cannot drift further than its limit',
      },
      {
        rule: "self.scenarios.all(s, s.type != 'GhostAllowing' || !has(self.subject.rateLimiter) || (has(s.ghostAllowing) ? s.ghostAllowing.multiplier : 2) * self.subject.rateLimiter.limit.requests <= 10000)",
        message: 'limit.requests x ghostAllowing.multiplier must be at most 10000 requests',
      },
    ),
  });

/** A spec as the API server hands it out: defaults filled in. */
export type ChaosDemoSpec = z.output<typeof specSchema>;
export type ScenarioSpec = ChaosDemoSpec['scenarios'][number];
export type ScenarioType = ScenarioSpec['type'];
export type Expectation = ScenarioSpec['expect'];
export type RateLimiterSpec = NonNullable<ChaosDemoSpec['subject']['rateLimiter']>;

/** The parameters of a CounterDrift scenario, defaults filled in. */
export type CounterDriftSpec = z.output<typeof counterDrift>;
/** The parameters of a GhostAllowing scenario, defaults filled in. */
export type GhostAllowingSpec = z.output<typeof ghostAllowing>;

/**
 * The parameters of a scenario with defaults filled in where the member was left
 * out (a CRD cannot default a union member by the type beside it).
 */
export function counterDriftOf(scenario: ScenarioSpec): CounterDriftSpec {
  return scenario.counterDrift ?? counterDrift.parse({});
}

/** As {@link counterDriftOf}, for GhostAllowing. */
export function ghostAllowingOf(scenario: ScenarioSpec): GhostAllowingSpec {
  return scenario.ghostAllowing ?? ghostAllowing.parse({});
}
