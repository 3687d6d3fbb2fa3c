/** The fault of a scenario in the API, the same for each type of scenario, and which specs permit it. */
import {
  type CountPlace,
  FAULT_TYPES,
  type FaultName,
  type FaultType,
  type Mechanism,
  mechanismOf,
  type StoreFault,
  VIAS,
} from '@chaosdemo/redis-faults';
import { z } from 'zod';
import { cel, durationField, parseDuration } from '../../../api/index.ts';
import type { RateLimiterSpec } from '../spec/schema.ts';
import type { Toolkit } from '../tools.ts';
import type { ScenarioPlan } from './scenario-type.ts';

/** How long each command or write waits, if the spec does not set it. */
const DEFAULT_LATENCY = '300ms';

const TYPES: readonly FaultType[] = FAULT_TYPES;
export const quoted = (texts: readonly string[]): string =>
  `[${texts.map((text) => `'${text}'`).join(', ')}]`;
export const named = (types: readonly string[]): string => types.map((type) => `\`${type}\``).join(', ');
const typesWith = (parameter: 'latency' | 'scripts'): string[] =>
  TYPES.filter(({ parameters = [] }) => parameters.includes(parameter)).map(({ type }) => type);
/** Types with a mechanism of this kind. */
export const typesBy = (via: (typeof VIAS)[number]): string[] =>
  TYPES.filter(({ mechanisms }) => mechanisms[via]).map(({ type }) => type);

/** Types of which a mechanism lasts so. */
export const typesThatLast = (lasts: Mechanism['lasts']): string[] =>
  TYPES.filter(({ mechanisms }) =>
    Object.values(mechanisms).some((mechanism: Mechanism) => mechanism.lasts === lasts),
  ).map(({ type }) => type);

export const faultSchema = z
  .object({
    type: z
      .enum(FAULT_TYPES.map(({ type }) => type) as [FaultName, ...FaultName[]])
      .default('Stall')
      .describe(
        `${TYPES.map(({ meaning, type }) => `\`${type}\`: ${meaning}.`).join(' ')} See docs/faults.md for what each needs.`,
      ),
    via: z
      .enum(VIAS)
      .optional()
      .describe(
        `How it is injected. Redis: by commands to it, for ${named(typesBy('Redis'))}. Proxy: by redis.faultProxy, for ${named(typesBy('Proxy'))}. Default: Redis, if the type has both; of ${named(TYPES.flatMap(({ prefersProxy, type }) => (prefersProxy ? [type] : [])))}: Proxy, if there is one.`,
      ),
    duration: durationField(
      'How long the fault lasts. Of `StalePrimary`: before the limiter has to recover, while connections stay stale. Of `DataLoss`: how long callers are watched after it. Of `Failover` by Sentinel: how long it may take.',
      '1s',
      '1m',
    ).default('10s'),
    latency: durationField(
      `How long each waits. Default: \`${DEFAULT_LATENCY}\`.`,
      '50ms',
      '500ms',
    ).optional(),
    scripts: z
      .boolean()
      .optional()
      .describe(
        'Of `DataLoss`: Redis forgets all scripts, too, of every client; needs the right +script|flush.',
      ),
  })
  .prefault({})
  .meta({
    description: 'What happens to Redis.',
    ...cel(
      {
        rule: `(!has(self.latency) || self.type in ${quoted(typesWith('latency'))}) && (!has(self.scripts) || self.type in ${quoted(typesWith('scripts'))})`,
        message: `latency is of type ${typesWith('latency').join(', ')}, and scripts of type ${typesWith('scripts').join(', ')}: leave it out, or set the type`,
      },
      {
        rule: `!has(self.via) || self.type in (self.via == 'Redis' ? ${quoted(typesBy('Redis'))} : ${quoted(typesBy('Proxy'))})`,
        message: `via Redis is for types ${named(typesBy('Redis'))}, and via Proxy for ${named(typesBy('Proxy'))}: leave it out, or set the type`,
      },
    ),
  });

export type FaultParameters = z.output<typeof faultSchema>;

/** The mechanism of a fault of this spec. */
export function mechanismIn(fault: FaultParameters, { redis }: Pick<RateLimiterSpec, 'redis'>): Mechanism {
  return mechanismOf(fault, redis.faultProxy !== undefined);
}

/**
 * The fault for one attempt. Opens no connection yet.
 * @param counts that Redis may lose
 */
export function createFault(
  toolkit: Toolkit,
  { lingerMs, mechanism, parameters }: ScenarioPlan<{ fault: FaultParameters }> & { mechanism: Mechanism },
  fixture: () => string,
  counts: () => readonly CountPlace[] = () => [],
): StoreFault {
  const { latency = DEFAULT_LATENCY, scripts = false } = parameters.fault;
  return mechanism.create(toolkit, { latencyMs: parseDuration(latency), lingerMs, fixture, counts, scripts });
}
