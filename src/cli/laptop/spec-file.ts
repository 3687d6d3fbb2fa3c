/** A ChaosDemo from a file, on an API of this machine: what is of the cluster is replaced. */
import type { ChosenFault } from '@chaosdemo/redis-faults';
import { UsageError } from '@chaosdemo/settings';
import { type ScenarioSpec, scenariosOf } from '../../api/index.ts';
import { SUBJECTS } from '../../subjects/index.ts';
import { faultSchema } from '../../subjects/scenarios/store-fault.ts';
import type { PodsSpec } from '../../subjects/spec/pods-schema.ts';
import { readManifest } from '../manifest.ts';
import type { PlannedDemo } from '../plan.ts';
import type { Place } from '../probe/manifest.ts';

/** A ChaosDemo as it is in the file. */
export interface SpecFile {
  /** Those of its scenarios. */
  readonly faults: readonly ChosenFault[];
  /** The object to apply for an API at this place. */
  demoAt(place: Place): PlannedDemo;
}

/**
 * @param accept in place of what its store outages accept
 * @throws UsageError with what to change in the file
 */
export async function readSpecFile(file: string, accept?: readonly string[]): Promise<SpecFile> {
  const wrong = (why: string) => new UsageError(`--file ${file}: ${why}`);
  const demo = await readManifest('--file', file);
  const spec = demo.spec as Readonly<Record<string, unknown>> | undefined;
  const subject = SUBJECTS.find(({ definition }) => spec?.[definition.api.member] !== undefined);
  const { api } = (subject ?? SUBJECTS[0]).definition;
  const { member } = api;
  const { data, error } = api.schema.safeParse(spec?.[member]);
  if (error) {
    const [issue] = error.issues;
    throw wrong(`spec.${[member, ...(issue?.path ?? [])].join('.')}: ${issue?.message}`);
  }
  const part = data as PodsSpec & { readonly redis: { readonly count?: unknown; readonly key?: unknown } };
  const unsupported = unsupportedIn(part);
  if (unsupported !== undefined) {
    throw wrong(`${member}.${unsupported} is not supported on this machine: remove it, or test in a cluster`);
  }
  const written = spec?.['scenarios'] ?? [];
  // What is no list, the API server rejects later.
  const scenarios = Array.isArray(written) ? scenariosOf({ scenarios: written }, api) : [];
  if (accept && !scenarios.some(isOutage))
    throw wrong('--accept is for scenarios of type StoreOutage, and it has none');
  const { count, key } = part.redis;
  return {
    faults: faultsIn(spec?.['scenarios']),
    demoAt({ matchLabels, name, namespace, port, redis }) {
      const here = {
        selector: { matchLabels },
        port,
        redis: { ...redis, ...(count !== undefined && { count }), ...(key !== undefined && { key }) },
      };
      const own: object = {
        ...spec,
        [member]: { ...(spec?.[member] as object), ...here },
        ...(accept && { scenarios: scenarios.map((scenario) => accepting(scenario, accept)) }),
      };
      return { ...demo, metadata: { name, namespace }, spec: own };
    },
  };
}

const isOutage = (scenario: ScenarioSpec | null): boolean => scenario?.type === 'StoreOutage';

function accepting(scenario: ScenarioSpec, accept: readonly string[]): ScenarioSpec {
  if (!isOutage(scenario)) return scenario;
  return { ...scenario, storeOutage: { ...(scenario['storeOutage'] as object | undefined), accept } };
}

/** What is no fault, the API server rejects later. */
function faultsIn(scenarios: unknown): ChosenFault[] {
  return (Array.isArray(scenarios) ? scenarios : [])
    .flatMap((scenario: object) => Object.values(scenario ?? {}) as { fault?: unknown }[])
    .flatMap((each) => (each?.fault === undefined ? [] : (faultSchema.safeParse(each.fault).data ?? [])));
}

/** The first field that needs a cluster. */
function unsupportedIn({ http, redis }: PodsSpec): string | undefined {
  return Object.entries({
    'http.tls': http?.tls !== undefined,
    'http.authSecretName': http?.authSecretName !== undefined,
    'http.callers': http?.callers !== undefined,
    'redis.tls': redis.tls !== undefined,
    'redis.sentinel': redis.sentinel !== undefined,
  }).find(([, isSet]) => isSet)?.[0];
}
