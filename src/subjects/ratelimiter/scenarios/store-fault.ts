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
  viaOf,
} from '@chaosdemo/redis-faults';
import { z } from 'zod';
import { cel, durationField, formatDuration, parseDuration } from '../../../api/index.ts';
import { PART, type RateLimiterSpec } from '../spec/schema.ts';
import type { Toolkit } from '../tools.ts';

/** How long each command or write waits, if the spec does not set it. */
const DEFAULT_LATENCY = '300ms';
/** A fault proxy keeps no fault longer; milliseconds. */
const LONGEST_PROXIED_MS = 60_000;

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

type Proxied = Pick<RateLimiterSpec, 'redis'>;

/** The mechanism of a fault of this spec. */
export function mechanismIn(fault: FaultParameters, { redis }: Proxied): Mechanism {
  return mechanismOf(fault, redis.faultProxy !== undefined);
}

/** What a fault has to know of its scenario. */
export interface FaultPlace {
  readonly fixture: () => string;
  readonly lingerMs?: number;
  readonly counts?: () => readonly CountPlace[];
}

/** The fault for one attempt. Opens no connection yet. */
export function createFault(
  toolkit: Toolkit,
  fault: FaultParameters,
  { counts = () => [], fixture, lingerMs = 0 }: FaultPlace,
): StoreFault {
  const { latency = DEFAULT_LATENCY, scripts = false } = fault;
  const latencyMs = parseDuration(latency);
  return mechanismIn(fault, toolkit.limiter).create(toolkit, {
    latencyMs,
    lingerMs,
    fixture,
    counts,
    scripts,
  });
}

/**
 * Why this fault cannot be injected into the Redis of this spec, with what to change.
 * @param field of the scenario that has the fault
 * @param lingerMs how long it stays after its planned end; milliseconds
 */
export function proxyUnprovable(
  fault: FaultParameters,
  { redis }: Proxied,
  { field, lingerMs, name }: { readonly name: string; readonly field: string; readonly lingerMs: number },
): string | undefined {
  const what = `scenario ${name}: ${field}.type ${fault.type}`;
  if (redis.faultProxy && mechanismIn(fault, { redis }).seesPods) {
    return `${what} needs the connections of the pods at Redis, and ${PART}.redis.faultProxy is between: use Refuse, or run it without the proxy`;
  }
  if (viaOf(fault, redis.faultProxy !== undefined) !== 'Proxy') return undefined;
  if (mechanismIn(fault, { redis }).lasts !== 'Lingers') return undefined;
  if (redis.tls) {
    return `${what} answers commands in place of Redis, and with ${PART}.redis.tls the fault proxy cannot read them: use Refuse`;
  }
  const staleMs = parseDuration(fault.duration) + lingerMs;
  if (staleMs <= LONGEST_PROXIED_MS) return undefined;
  return `${what} keeps connections stale for fault.duration, settle, 1 s and callerTimeout, ${formatDuration(staleMs)} in all, and a fault proxy keeps no fault longer than ${formatDuration(LONGEST_PROXIED_MS)}: shorten ${field}.duration or settle`;
}
