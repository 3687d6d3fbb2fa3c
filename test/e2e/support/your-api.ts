/** An API with a limit and its Redis, as a user has them in a namespace, and the ChaosDemo for it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ChaosDemo } from '../../../src/api/index.ts';
import { root } from '../../../src/local/run.ts';
import { configuredOf } from '../../../survey/runner/demo.ts';
import type { SurveyedLimiter, Variant } from '../../../survey/runner/limiter.ts';
import { rateLimiterSpec } from '../../../survey/runner/rate-limiter-spec.ts';

/** What is deployed, and where. */
export interface YourApi {
  readonly namespace: string;
  readonly limiter: SurveyedLimiter;
  readonly variant: Variant;
  readonly image: string;
  readonly redisImage: string;
}

const PORT = 8080;
/** Of every container. */
export const HARDENED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** Three pods of the limiter with their Service, and a Redis without a password. */
export function objectsOf({ image, limiter, namespace, redisImage, variant }: YourApi): object[] {
  const { limit, windowSeconds } = configuredOf(limiter);
  const env = {
    HOST: '0.0.0.0',
    PORT,
    REDIS_URL: 'redis://redis:6379',
    LIMIT: limit,
    WINDOW_SECONDS: windowSeconds,
    ...variant.env,
  };
  const api = {
    name: 'your-api',
    image,
    imagePullPolicy: 'IfNotPresent',
    env: Object.entries(env).map(([name, value]) => ({ name, value: String(value) })),
    ports: [{ name: 'http', containerPort: PORT }],
    readinessProbe: { httpGet: { path: limiter.healthPath, port: 'http' }, periodSeconds: 1 },
    securityContext: HARDENED,
  };
  const redis = {
    name: 'redis',
    image: redisImage,
    imagePullPolicy: 'IfNotPresent',
    command: ['redis-server', '--save', '', '--appendonly', 'no', '--protected-mode', 'no', '--dir', '/tmp'],
    ports: [{ name: 'redis', containerPort: 6379 }],
    readinessProbe: {
      exec: { command: ['grep', '-qE', ':18EB [0-9A-F]+:0000 0A', '/proc/net/tcp', '/proc/net/tcp6'] },
      periodSeconds: 1,
    },
    securityContext: HARDENED,
  };
  return [...workload(namespace, redis, 1), ...workload(namespace, api, 3)];
}

/** A container with ports. */
export interface Container {
  readonly name: string;
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
}

/** Of every pod. */
export const RESTRICTED = {
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  terminationGracePeriodSeconds: 1,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 65_532,
    runAsGroup: 65_532,
    fsGroup: 65_532,
    seccompProfile: { type: 'RuntimeDefault' },
  },
};

/** A Deployment of this container, and its Service, both with the name of the container. */
export function workload(namespace: string, container: Container, replicas: number): object[] {
  const { name, ports } = container;
  const labels = { 'app.kubernetes.io/name': name };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace, name },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { ...RESTRICTED, containers: [container] },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace, name },
      spec: {
        selector: labels,
        ports: ports.map((port) => ({ name: port.name, port: port.containerPort, targetPort: port.name })),
      },
    },
  ];
}

/** manifests/samples/your-limiter.yaml with the five things that docs/your-limiter.md says to change. */
export async function yourDemo({ limiter, namespace, variant }: YourApi): Promise<ChaosDemo> {
  const sample = parse(await readFile(join(root, 'manifests/samples/your-limiter.yaml'), 'utf8')) as {
    metadata: object;
    spec: { rateLimiter: object };
  };
  const { spec } = sample;
  const rateLimiter = {
    ...spec.rateLimiter,
    ...rateLimiterSpec(limiter, variant, configuredOf(limiter)),
    redis: { service: 'redis', port: 6379 },
  };
  return {
    ...sample,
    metadata: { ...sample.metadata, namespace },
    spec: { ...spec, rateLimiter },
  } as unknown as ChaosDemo;
}
