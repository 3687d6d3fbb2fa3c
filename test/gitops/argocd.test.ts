/** The shipped configuration and Application for Argo CD, with its real repo-server and application controller. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ANNOTATIONS, type ChaosDemoSpec } from '../../src/api/index.ts';
import type { DemoManifest } from '../kit/demo.ts';
import { keepingTime } from '../kit/pace.ts';
import { until } from '../kit/until.ts';
import { World } from '../kit/world.ts';
import { ARGOCD_NAMESPACE, startArgoCd } from './support/argocd.ts';
import { demo, failing, succeeding } from './support/demos.ts';
import { Repository } from './support/repository.ts';

const APPLICATIONS = fileURLToPath(
  new URL('../../manifests/gitops/argocd/applications.yaml', import.meta.url),
);

let world: World;
let repository: Repository;
let stopArgoCd: () => Promise<void>;
let shipped: Application;

beforeAll(async () => {
  world = await World.startAlone('approximate');
  repository = await Repository.create();
  stopArgoCd = await startArgoCd(world.environment);
  shipped = await shippedGate();
});
afterAll(async () => {
  await stopArgoCd?.();
  await world?.stop();
  await repository?.remove();
});

const kubectl = () => world.environment.controlPlane.kubectl;

describe('an Application with a ChaosDemo in it', () => {
  const NAME = 'ratelimiter-gate';
  const files = (gate: object) => inFolder('gate', { 'chaosdemo.yaml': gate });

  it(
    'is Progressing while the run is on, and Healthy with the verdict Succeeded',
    keepingTime(async () => {
      const revision = await repository.commit('the gate', files(waitingFor(succeeding('gate', '1'), '5s')));
      await create(NAME, 'gate');
      const seen = await untilHealth(NAME, revision, 'Healthy');
      expect(seen).toContain('Progressing');
      expect((await world.status('gate')).run).toMatchObject({ number: 1, runId: '1' });
    }),
  );

  it(
    'leaves a request alone that is in no commit, which the action run makes',
    keepingTime(async () => {
      await kubectl().run([
        '-n',
        'ratelimiter',
        'annotate',
        'chaosdemo',
        'gate',
        `${ANNOTATIONS.requestedAt}=now`,
      ]);
      await world.untilStatus(
        'gate',
        'run 2',
        ({ run }) => run?.number === 2 && run.completedAt !== undefined,
      );
      const revision = await repository.commit('something else', { 'elsewhere.txt': 'new' });
      await untilHealth(NAME, revision, 'Healthy');
      const { metadata, status } = await world.object('gate');
      expect(metadata.annotations?.[ANNOTATIONS.requestedAt]).toBe('now');
      expect(status?.run?.number).toBe(2);
    }),
  );

  it(
    'an Application is Degraded if its run Failed, and Healthy after a revert',
    keepingTime(async () => {
      const failed = await repository.commit('a gate that is not passed', files(failing('gate', '2')));
      await untilHealth(NAME, failed, 'Degraded');
      expect((await world.status('gate')).phase).toBe('Failed');
      const mended = await repository.revert();
      await untilHealth(NAME, mended, 'Healthy');
      expect((await world.status('gate')).run).toMatchObject({ number: 4, runId: '1' });
    }),
  );
});

describe('a ChaosDemo in an early sync wave', () => {
  const NAME = 'waves';
  const files = (gate: DemoManifest, version: string) =>
    inFolder('waves', { 'chaosdemo.yaml': gate, 'release.yaml': release('waves', version, '1') });

  it(
    'a later sync wave waits for Succeeded, and a fixed commit passes',
    keepingTime(async () => {
      const first = await repository.commit(
        'version 1',
        files(waitingFor(succeeding('waves', '1'), '5s'), '1'),
      );
      await create(NAME, 'waves');
      await until(async () => (await world.status('waves')).run, { what: 'the run in wave 0' });
      expect(await versionOf('waves')).toBe('');
      expect((await operation(NAME, first)).phase).toBe('Succeeded');
      expect((await world.status('waves')).phase).toBe('Succeeded');
      expect(await versionOf('waves')).toBe('1');

      const second = await repository.commit('version 2', files(failing('waves', '2'), '2'));
      await refresh(NAME);
      await until(
        async () => {
          const { operationState } = (await application(NAME)).status ?? {};
          const here = operationState?.syncResult?.revision === second;
          return here && operationState?.message?.includes('unsuccessfully');
        },
        { what: 'the sync of version 2 to fail' },
      );
      expect((await world.status('waves')).phase).toBe('Failed');
      expect(await versionOf('waves')).toBe('1');

      const third = await repository.commit('version 3', files(succeeding('waves', '3'), '3'));
      expect((await operation(NAME, third)).phase).toBe('Succeeded');
      expect(await versionOf('waves')).toBe('3');
    }),
  );
});

interface Application {
  metadata: { name: string };
  spec: { source: object; syncPolicy: object };
  status?: {
    health?: { status: string };
    sync?: { status: string; revision?: string };
    operationState?: Operation;
  };
}

interface Operation {
  phase: string;
  finishedAt?: string;
  message?: string;
  syncResult?: { revision: string };
}

async function shippedGate(): Promise<Application> {
  const documents = parseAllDocuments(await readFile(APPLICATIONS, 'utf8'));
  const objects = documents.map((document) => document.toJS() as Application);
  const gate = objects.find(({ metadata }) => metadata.name === 'ratelimiter-gate');
  if (!gate) throw new Error('applications.yaml has no ratelimiter-gate');
  return gate;
}

/** The shipped Application of the gate, for a folder of the repository. */
async function create(name: string, path: string, syncPolicy: object = {}): Promise<void> {
  await kubectl().apply([
    {
      ...shipped,
      metadata: { name, namespace: ARGOCD_NAMESPACE },
      spec: {
        ...shipped.spec,
        source: { ...shipped.spec.source, repoURL: repository.url, path },
        syncPolicy: { ...shipped.spec.syncPolicy, ...syncPolicy },
      },
    },
  ]);
}

function inFolder(folder: string, files: Record<string, object>): Record<string, object> {
  const resources = Object.keys(files);
  const all = { ...files, 'kustomization.yaml': { namespace: 'ratelimiter', resources } };
  return Object.fromEntries(Object.entries(all).map(([name, content]) => [`${folder}/${name}`, content]));
}

function release(name: string, version: string, wave: string): object {
  const annotations = { 'argocd.argoproj.io/sync-wave': wave };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations }, data: { version } };
}

async function versionOf(name: string): Promise<string> {
  const args = ['get', 'configmap', name, '--ignore-not-found', '-o', 'jsonpath={.data.version}'];
  return await kubectl().run(['-n', 'ratelimiter', ...args]);
}

/** The same demo with a countdown, which is time enough to be seen at it. */
function waitingFor({ metadata, spec }: DemoManifest, countdown: string): DemoManifest {
  const { runId, scenarios } = spec as ChaosDemoSpec;
  const waiting = scenarios.map((scenario) => ({ ...scenario, countdown }));
  return demo(metadata.name, { runId, scenarios: waiting });
}

async function application(name: string): Promise<Application> {
  return await kubectl().json<Application>(['-n', ARGOCD_NAMESPACE, 'get', 'application', name]);
}

/** Requests a refresh from Git now rather than in a few seconds. */
async function refresh(name: string): Promise<void> {
  const annotation = 'argocd.argoproj.io/refresh=normal';
  await kubectl().run(['-n', ARGOCD_NAMESPACE, 'annotate', '--overwrite', 'application', name, annotation]);
}

/** Waits until a revision is applied and has this health; returns every health that was seen on the way. */
async function untilHealth(name: string, revision: string, health: string): Promise<string[]> {
  const seen = new Set<string>();
  await refresh(name);
  await until(
    async () => {
      const { status } = await application(name);
      if (status?.health) seen.add(status.health.status);
      const applied = status?.operationState?.phase === 'Succeeded' && status.sync?.status === 'Synced';
      return applied && status?.sync?.revision === revision && status.health?.status === health;
    },
    { what: `Application ${name} to be ${health}`, everyMs: 100 },
  );
  return [...seen];
}

/** The operation that synced a revision, once it has ended. */
async function operation(name: string, revision: string): Promise<Operation> {
  await refresh(name);
  return await until(
    async () => {
      const { operationState } = (await application(name)).status ?? {};
      const ended = operationState && ['Succeeded', 'Failed', 'Error'].includes(operationState.phase);
      return ended && operationState.syncResult?.revision === revision ? operationState : undefined;
    },
    { what: `the sync of ${revision} by ${name} to end`, everyMs: 100 },
  );
}
