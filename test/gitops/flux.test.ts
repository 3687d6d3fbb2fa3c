/** The shipped objects for Flux, with its real controllers: what is committed is run, and waited for. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { keepingTime } from '../kit/pace.ts';
import { until } from '../kit/until.ts';
import { World } from '../kit/world.ts';
import { failing, succeeding } from './support/demos.ts';
import { FLUX_NAMESPACE, startFlux } from './support/flux.ts';
import { Repository } from './support/repository.ts';

const shipped = fileURLToPath(new URL('../../manifests/gitops', import.meta.url));
const GATE = 'manifests/gitops/pipeline';

let world: World;
let repository: Repository;

beforeAll(async () => {
  world = await World.startAlone('approximate');
  repository = await Repository.create();
  await startFlux(world.environment);
  const metadata = { namespace: FLUX_NAMESPACE };
  const source = await object(`${shipped}/flux/source.yaml`);
  const gate = await object(`${shipped}/flux/gate.yaml`);
  await kubectl().apply([
    {
      ...source,
      metadata: { ...source.metadata, ...metadata },
      spec: { ...source.spec, url: repository.url, interval: '1s' },
    },
    // The operator and the limiters are there already; nothing else is different from what is shipped.
    { ...gate, metadata: { ...gate.metadata, ...metadata }, spec: { ...gate.spec, dependsOn: [] } },
    {
      ...gate,
      metadata: { ...metadata, name: 'release' },
      spec: {
        ...gate.spec,
        path: './release',
        targetNamespace: 'ratelimiter',
        dependsOn: [{ name: 'ratelimiter-gate' }],
      },
    },
  ]);
});
afterAll(async () => {
  if (world) {
    // Their finalizers need the controllers.
    try {
      await kubectl().run(['-n', FLUX_NAMESPACE, 'delete', 'kustomizations,gitrepositories', '--all']);
    } finally {
      await world.stop();
    }
  }
  await repository?.remove();
});

const kubectl = () => world.environment.controlPlane.kubectl;

describe('a ChaosDemo in Git', () => {
  it(
    'a Kustomization runs the ChaosDemo of a commit, and is Ready with its verdict',
    keepingTime(async () => {
      const revision = await commit('the gate', succeeding('gate', '1'), '1');
      const ready = await settled('ratelimiter-gate', revision);
      const { run, phase } = await world.status('gate');
      expect(run).toMatchObject({ number: 1, runId: '1' });
      expect(phase).toBe('Succeeded');
      expect(ready).toMatchObject({ status: 'True', reason: 'ReconciliationSucceeded' });
      expect(seconds(ready.lastTransitionTime)).toBeGreaterThanOrEqual(seconds(run?.completedAt));
      await untilReleased('1');
    }),
  );

  it(
    'is run again by the commit of another runId, and again when that is reverted',
    keepingTime(async () => {
      const second = await commit('run it again', succeeding('gate', '2'), '2');
      expect(await settled('ratelimiter-gate', second)).toMatchObject({ status: 'True' });
      expect((await world.status('gate')).run).toMatchObject({ number: 2, runId: '2' });

      const third = await repository.revert();
      expect(await settled('ratelimiter-gate', third)).toMatchObject({ status: 'True' });
      expect((await world.status('gate')).run).toMatchObject({ number: 3, runId: '1' });
      await untilReleased('1');
    }),
  );

  it(
    'a Kustomization fails once its ChaosDemo Failed, and holds up its dependents',
    keepingTime(async () => {
      const revision = await commit('a gate that is not passed', failing('gate', '5'), '5');
      const ready = await settled('ratelimiter-gate', revision);
      const { phase } = await world.status('gate');
      expect(phase).toBe('Failed');
      expect(ready).toMatchObject({ status: 'False', reason: 'HealthCheckFailed' });
      expect(ready.message).toContain('ChaosDemo/ratelimiter/gate');
      const release = await kustomization('release');
      expect(release.status?.lastAppliedRevision).not.toContain(revision);
      expect(await released()).toBe('1');
    }),
  );
});

interface FluxObject {
  metadata: { name: string; generation?: number };
  spec: object;
  status?: {
    lastAttemptedRevision?: string;
    lastAppliedRevision?: string;
    observedGeneration?: number;
    conditions?: FluxCondition[];
  };
}

interface FluxCondition {
  type: string;
  status: string;
  reason: string;
  message: string;
  lastTransitionTime: string;
}

/** Commits the gate as the pipeline has it, and something to be released once it is passed. */
async function commit(message: string, gate: object, release: string): Promise<string> {
  return await repository.commit(message, {
    [`${GATE}/kustomization.yaml`]: await readFile(`${shipped}/pipeline/kustomization.yaml`, 'utf8'),
    [`${GATE}/chaosdemo.yaml`]: gate,
    'release/release.yaml': {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'release' },
      data: { version: release },
    },
  });
}

async function object(file: string): Promise<FluxObject> {
  return parse(await readFile(file, 'utf8')) as FluxObject;
}

async function kustomization(name: string): Promise<FluxObject> {
  return await kubectl().json<FluxObject>(['-n', FLUX_NAMESPACE, 'get', 'kustomization', name]);
}

/** What a Kustomization says of a revision once it has made up its mind. */
async function settled(name: string, revision: string): Promise<FluxCondition> {
  return await until(
    async () => {
      const { status } = await kustomization(name);
      if (!status?.lastAttemptedRevision?.includes(revision)) return undefined;
      const ready = status.conditions?.find(({ type }) => type === 'Ready');
      return ready && ready.status !== 'Unknown' ? ready : undefined;
    },
    { what: `Kustomization ${name} to make up its mind about ${revision}`, everyMs: 250 },
  );
}

async function released(): Promise<string> {
  return await kubectl().run([
    '-n',
    'ratelimiter',
    'get',
    'configmap',
    'release',
    '-o',
    'jsonpath={.data.version}',
  ]);
}

async function untilReleased(version: string): Promise<void> {
  await until(async () => (await released()) === version, { what: `version ${version} to be released` });
}

function seconds(time = ''): number {
  return Math.floor(Date.parse(time) / 1000);
}
