/** The operator's configuration: one table of settings, from flags, environment and defaults. */
import { hostname } from 'node:os';
import { type Program, readSettings, type ValuesOf } from '@chaosdemo/settings';
import { boolean, choice, duration, file, integer, list, port, text } from '@chaosdemo/settings/values';
import { z } from 'zod';

/** Names of namespaces, by RFC 1123. */
const label = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);

const logLevel = choice('trace', 'debug', 'info', 'warn', 'error', 'fatal');
const leaseDuration = duration('2s', '10m', '4s');

const settings = {
  kubeconfig: {
    ...file,
    help: 'Kubeconfig to use (default: KUBECONFIG, else the service account of the pod)',
  },
  namespace: {
    ...text('<name>', 'the name of a namespace', label),
    env: 'POD_NAMESPACE',
    help: 'Namespace of the operator, of its leader lease and of its kill switch',
    fallback: 'chaosdemo-system',
  },
  identity: {
    ...text(
      '<name>',
      'a name of up to 253 letters, digits and ._-',
      z.string().regex(/^[A-Za-z0-9._-]{1,253}$/),
    ),
    env: 'POD_NAME',
    help: 'Name of this process in leases and events; must be unique among running operators (default: host name)',
  },
  watchNamespaces: {
    ...list('<names>', 'names of namespaces separated by commas, or nothing for all', label),
    env: 'CHAOSDEMO_WATCH_NAMESPACES',
    help: 'Namespaces to watch for ChaosDemos, separated by commas; empty: all',
    fallback: '',
  },
  concurrency: {
    ...integer(1, 64),
    env: 'CHAOSDEMO_CONCURRENCY',
    help: 'ChaosDemos reconciled at the same time',
    // A reconcile waits for the API server nearly all of its time. With 4, twenty runs at once waited for each other
    // until faults missed their time and were planned again.
    fallback: '16',
  },
  maxRuns: {
    ...integer(1, 1000),
    env: 'CHAOSDEMO_MAX_RUNS',
    help: 'Runs that are on at the same time, in all namespaces; others wait their turn',
    fallback: '50',
  },
  maxRunsPerNamespace: {
    ...integer(1, 1000),
    env: 'CHAOSDEMO_MAX_RUNS_PER_NAMESPACE',
    help: 'Runs that are on at the same time in one namespace; others wait their turn',
    fallback: '5',
  },
  leaderElection: {
    ...boolean,
    env: 'CHAOSDEMO_LEADER_ELECTION',
    help: 'Let only one of several replicas work; turn it off only if there is a single process',
    fallback: 'true',
  },
  leaseDurationMs: {
    ...leaseDuration,
    write: 'whole seconds from 2s to 10m, such as 4s',
    // The Lease holds integer seconds.
    schema: leaseDuration.schema.refine((milliseconds) => milliseconds % 1000 === 0),
    env: 'CHAOSDEMO_LEASE_DURATION',
    help: 'Time without a renewal after which another replica takes over; the leader stops working after three quarters of it',
    fallback: '4s',
  },
  httpHost: {
    ...text('<address>', 'an IPv4 or IPv6 address', z.union([z.ipv4(), z.ipv6()])),
    env: 'CHAOSDEMO_HTTP_HOST',
    help: 'Address on which /healthz, /readyz and /metrics are served (default: all)',
  },
  httpPort: {
    ...port(0),
    env: 'CHAOSDEMO_HTTP_PORT',
    help: 'Port on which they are served; 0: any free port',
    fallback: '8080',
  },
  logLevel: {
    ...logLevel,
    placeholder: '<level>',
    env: 'CHAOSDEMO_LOG_LEVEL',
    help: `Least severe lines that are logged: ${logLevel.write.replace('one of ', '')}`,
    fallback: 'info',
  },
  faultCooldownMs: {
    ...duration('0s', '10m', '60s'),
    env: 'CHAOSDEMO_FAULT_COOLDOWN',
    help: 'Shortest time from a fault to the next run on its target; a longer fault needs three times its length; 0s: no cool-down, for tests',
    fallback: '60s',
  },
  diagnosisProfiles: {
    ...file,
    env: 'CHAOSDEMO_DIAGNOSIS_PROFILES',
    help: 'File with the models that may diagnose, in YAML or JSON; read at the start (default: only rules diagnose)',
  },
} as const;

type Values = ValuesOf<typeof settings>;

/** All settings, validated; durations in milliseconds. */
export type Config = Values & { readonly identity: string };

export const OPERATOR: Program<typeof settings> = {
  about: 'Operator for ChaosDemo objects (chaosdemo.dev/v1alpha1).',
  settings,
};

/**
 * Reads flags and environment; 'help' if requested.
 * @throws UsageError that lists every setting that cannot be used
 */
export function readConfig(args: readonly string[], env: Readonly<NodeJS.ProcessEnv>): Config | 'help' {
  const values = readSettings(OPERATOR, args, env);
  return values === 'help' ? values : { ...values, identity: values.identity ?? hostname() };
}
