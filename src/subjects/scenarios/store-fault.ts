/** The fault of a scenario in the API, the same for each type of scenario, and which specs permit it. */
import {
  type ChosenFault,
  type CountPlace,
  FAULT_TYPES,
  type FaultName,
  type FaultType,
  LONGEST_PROXIED_MS,
  MAX_PAUSE_MS,
  type Mechanism,
  type StoreFault,
  VIAS,
} from '@chaosdemo/redis-faults';
import { z } from 'zod';
import {
  type CelRule,
  cel,
  durationField,
  formatDuration,
  ifDurations,
  parseDuration,
} from '../../api/index.ts';
import type { ScenarioPlan } from './scenario-plan.ts';
import type { Toolkit } from './tools.ts';

/**
 * The shortest time that a failover may take by Sentinel; milliseconds. A Sentinel makes a replica of the former primary
 * 8 s after the switch at the earliest, and checks that every 10 s: 11 s to 12 s were measured.
 */
const LEAST_FAILOVER_MS = 15_000;
/** The longest fault by Redis, and by a fault proxy. */
const [BY_REDIS, BY_PROXY] = [formatDuration(MAX_PAUSE_MS), formatDuration(LONGEST_PROXIED_MS)] as const;
/** How long each command waits, if the spec does not set it. */
const DEFAULT_LATENCY = '300ms';

const TYPES: readonly FaultType[] = FAULT_TYPES;
export const quoted = (texts: readonly string[]): string =>
  `[${texts.map((text) => `'${text}'`).join(', ')}]`;
export const named = (types: readonly string[]): string => types.map((type) => `\`${type}\``).join(', ');
const typesWhere = (is: (type: FaultType) => unknown): string[] => TYPES.filter(is).map(({ type }) => type);
const typesWith = (parameter: 'latency' | 'scripts'): string[] =>
  typesWhere(({ parameters }) => parameters?.includes(parameter));
/** Types with a mechanism of this kind. */
const typesBy = (via: (typeof VIAS)[number]): string[] => typesWhere(({ mechanisms }) => mechanisms[via]);

/** Types that only a fault proxy injects. */
const ONLY_PROXIED = typesBy('Proxy').filter((type) => !typesBy('Redis').includes(type));
/** Whether the fault of this name in CEL is injected by a fault proxy. */
const isProxied = (fault: string): string =>
  `(has(${fault}.via) && ${fault}.via == 'Proxy') || ${fault}.type in ${quoted(ONLY_PROXIED)}`;

/** Types of which a mechanism lasts so. */
export const typesThatLast = (lasts: Mechanism['lasts']): string[] =>
  typesWhere(({ mechanisms }) => Object.values(mechanisms).some((mechanism) => mechanism.lasts === lasts));

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
        `How it is injected. Redis: by commands to it, for ${named(typesBy('Redis'))}. Proxy: by redis.faultProxy, for ${named(typesBy('Proxy'))}. Default: Redis, if the type has both.`,
      ),
    duration: durationField(
      `How long the fault lasts. \`StalePrimary\`: how long until the pods have to recover, while connections stay stale. \`DataLoss\`: how long callers are watched after it. \`Failover\` by Sentinel: how long it can take. More than ${BY_REDIS} only by a fault proxy.`,
      '1s',
      BY_PROXY,
    ).default('10s'),
    latency: durationField(
      `\`Latency\` only. How long each command waits. Default: \`${DEFAULT_LATENCY}\`.`,
      '50ms',
      '500ms',
    ).optional(),
    scripts: z
      .boolean()
      .optional()
      .describe(
        '`DataLoss` only. Redis also forgets all scripts of every client. Needs the right +script|flush.',
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
      {
        // The API server evaluates it for the default of the fault as well, which is empty.
        rule: `!has(self.duration) || ${ifDurations(['self.duration'], `duration(self.duration) <= duration('${BY_REDIS}') || ${isProxied('self')}`)}`,
        message: `a duration of more than ${BY_REDIS} needs a fault proxy: set via Proxy or type ${named(ONLY_PROXIED)}, or shorten duration`,
      },
    ),
  });

export type FaultParameters = z.output<typeof faultSchema>;

/** A fault of this type and length: by a fault proxy if nothing else injects one so long. */
export const faultOf = (type: FaultName, duration: string): ChosenFault & { readonly duration: string } => ({
  type,
  ...(parseDuration(duration) > MAX_PAUSE_MS && typesBy('Proxy').includes(type) && { via: 'Proxy' as const }),
  duration,
});

/**
 * The fault for one attempt. Opens no connection yet.
 * @param counts that Redis may lose
 */
export function createFault(
  toolkit: Toolkit,
  { lingerMs, mechanism, parameters }: FaultPlan,
  fixture: () => string,
  counts: () => readonly CountPlace[] = () => [],
): StoreFault {
  const { latency = DEFAULT_LATENCY, scripts = false } = parameters.fault;
  return mechanism.create(toolkit, { latencyMs: parseDuration(latency), lingerMs, fixture, counts, scripts });
}

/** A scenario has one expectation: accepted behaviors in `accept`, or a violation in `expect`. */
export const acceptRule = (member: string, schema: z.ZodType<{ accept: string[] }>): CelRule => ({
  rule: `self.scenarios.all(s, s.expect != 'Violated' || !has(s.${member}) || s.${member}.accept == ${quoted(schema.parse({}).accept)})`,
  message: `with expect Violated, leave ${member}.accept out: it lists the behaviors that are no violation`,
});

/**
 * What faults of the members `of` need of the Redis of a part of the spec, in CEL.
 * @param losing when data may be lost, and why it may not otherwise
 */
export function faultRules(
  part: string,
  of: readonly string[],
  losing: Required<Pick<CelRule, 'message' | 'rule'>>,
): CelRule[] {
  /** No scenario has a fault for which `is` holds, a condition about `f`. */
  const noFault = (is: string): string => {
    const members = of.map((name) => `(!has(s.${name}) || ![s.${name}.fault].exists(f, ${is}))`);
    return `self.scenarios.all(s, ${members.join(' && ')})`;
  };
  const ofType = (types: readonly string[]): string => `f.type in ${quoted(types)}`;
  const redis = `self.${part}.redis`;
  const [lost, lasting] = [typesThatLast('Moment'), typesThatLast('ForGood')];
  return [
    {
      rule: `has(${redis}.faultProxy) || ${noFault(isProxied('f'))}`,
      message: `via Proxy, and the types ${named(ONLY_PROXIED)}, need a fault proxy between the pods and Redis: see docs/fault-proxy.md, and name it in ${part}.redis.faultProxy`,
    },
    {
      rule: `${redis}.failover == 'Allow' || ${noFault(ofType(lasting))}`,
      message: `${named(lasting)} is not undone: roles stay swapped, and writes that were acknowledged can be lost. To permit it, set ${part}.redis.failover to Allow`,
    },
    { rule: `${losing.rule} || ${noFault(ofType(lost))}`, message: `${named(lost)} ${losing.message}` },
  ];
}

/** What happens, and that callers continue. */
export function titleOf({ faultMs, mechanism }: Pick<FaultPlan, 'faultMs' | 'mechanism'>): string {
  const { lasts, title } = mechanism;
  const duration = formatDuration(faultMs);
  if (lasts === 'Moment') return `${title}, and callers continue for ${duration}`;
  return `${title}${lasts === 'ForGood' ? ' within' : ' for'} ${duration}, and callers continue`;
}

type FaultPlan = ScenarioPlan<{ fault: FaultParameters }> & { mechanism: Mechanism };

/** Why the fault cannot be injected, or not past or by the fault proxy, with what to change; undefined: it can. */
export function faultProblem(
  { called, failsOver, faultMs, lingerMs, mechanism, parameters, part: { redis } }: FaultPlan,
  part: string,
  member: string,
): string | undefined {
  const { duration, type: name } = parameters.fault;
  const type = `${called}: ${member}.fault.type ${name}`;
  if (failsOver && redis.sentinel && faultMs < LEAST_FAILOVER_MS) {
    return `${type} takes some 12 s, and fault.duration is ${duration}: set ${member}.fault.duration to at least ${formatDuration(LEAST_FAILOVER_MS)}, or better 20s`;
  }
  if (redis.faultProxy && mechanism.seesPods) {
    return `${type} needs the connections of the pods at Redis, and ${part}.redis.faultProxy is between: use Refuse, or run it without the proxy`;
  }
  if (mechanism.lasts !== 'Lingers') return undefined;
  if (redis.tls) {
    return `${type} replies to commands in place of Redis, and with ${part}.redis.tls the fault proxy cannot read them: use Refuse`;
  }
  const staleMs = faultMs + lingerMs;
  if (staleMs <= LONGEST_PROXIED_MS) return undefined;
  return `${type} keeps connections stale for fault.duration, settle, 1 s and callerTimeout, ${formatDuration(staleMs)} in all, and a fault proxy keeps no fault longer than ${BY_PROXY}: shorten ${member}.fault.duration or settle`;
}
