/**
 * Every row of the table of conditions, as real objects of the real operator: what
 * it says, what kstatus makes of it (and so Flux and Helm), and what Argo CD does.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANNOTATIONS, type ChaosDemo, CONDITIONS_BY_STATE } from '../../src/api/index.ts';
import type { DemoManifest } from '../kit/demo.ts';
import { runProgram, tool } from '../kit/program.ts';
import { until } from '../kit/until.ts';
import { World } from '../kit/world.ts';
import { ArgoOffline } from './support/argocd.ts';
import { demo, failing, succeeding } from './support/demos.ts';

type State = keyof typeof CONDITIONS_BY_STATE;

const STANDING = new Set(['Ready', 'Reconciling', 'Stalled', 'Finished', 'Succeeded']);

/** How each state comes about; more than one way where the table names more than one state. */
const CASES: readonly [name: string, state: State, kstatus: string, argo: string][] = [
  ['unseen', 'unseen', 'InProgress', 'Progressing'],
  ['running', 'open', 'InProgress', 'Progressing'],
  ['succeeded', 'succeeded', 'Current', 'Healthy'],
  ['suspended-afterwards', 'succeeded', 'Current', 'Healthy'],
  ['failed', 'unsuccessful', 'Failed', 'Degraded'],
  ['errored', 'unsuccessful', 'Failed', 'Degraded'],
  ['aborted', 'unsuccessful', 'Failed', 'Degraded'],
  ['refused', 'refused', 'Failed', 'Degraded'],
  ['suspended', 'suspended', 'InProgress', 'Suspended'],
];

const objects = new Map<string, ChaosDemo>();
const argo = new ArgoOffline();
let world: World;

beforeAll(async () => {
  world = await World.startAlone('approximate');
  await makeEveryState();
});
afterAll(() => world?.stop());

const of = (name: string): ChaosDemo => {
  const object = objects.get(name);
  if (!object) throw new Error(`there is no object ${name}`);
  return object;
};

describe.each(CASES)('%s', (name, state, kstatusSays, argoSays) => {
  it('has the conditions of the table, of the current generation', () => {
    const { metadata, status } = of(name);
    const conditions = status?.conditions ?? [];
    const standing = conditions.filter(({ type }) => STANDING.has(type));
    expect(Object.fromEntries(standing.map(({ type, status }) => [type, status]))).toEqual(
      CONDITIONS_BY_STATE[state],
    );
    if (state === 'unseen') return;
    expect(status?.observedGeneration).toBe(metadata.generation);
  });

  it(`is ${kstatusSays} to kstatus`, async () => {
    expect(await kstatus(of(name))).toBe(kstatusSays);
  });

  it(`is ${argoSays} to Argo CD, with a message for people`, async () => {
    const { status, message } = await argo.health(of(name));
    expect(status).toBe(argoSays);
    expect(message).not.toBe('');
  });

  it('offers a run to Argo CD exactly if none is active', async () => {
    expect(await argo.actions(of(name))).toEqual({ run: state === 'open' });
  });
});

it('an unobserved change is InProgress, although the old verdict is in the status', async () => {
  const object = of('succeeded');
  const edited = {
    ...object,
    metadata: { ...object.metadata, generation: object.metadata.generation + 1 },
  };
  expect(await kstatus(edited)).toBe('InProgress');
  expect((await argo.health(edited)).status).toBe('Progressing');
});

it('the health message of Argo CD is the chapter, and why something is Degraded', async () => {
  expect((await argo.health(of('running'))).message).toMatch(/^1\/\d+ Welcome \(waiting\)$/);
  expect((await argo.health(of('refused'))).message).toMatch(/^NoSuchPods: /);
  expect((await argo.health(of('failed'))).message).toMatch(/^UnexpectedViolation: /);
});

it('the action run of Argo CD makes a request that the operator follows, once', async () => {
  const { metadata } = of('succeeded');
  const change = await argo.act(of('succeeded'), 'run');
  const value = new RegExp(`${ANNOTATIONS.requestedAt}: "?([0-9TZ:-]+)`).exec(change)?.[1];
  expect(value).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  await kubectl('annotate', 'chaosdemo', metadata.name, `${ANNOTATIONS.requestedAt}=${value}`);
  const again = await world.untilStatus(
    metadata.name,
    'run 2',
    ({ run }) => run?.number === 2 && run.completedAt !== undefined,
  );
  expect(again.lastHandledRunRequest).toBe(value);
});

const kubectl = (...args: string[]) =>
  world.environment.controlPlane.kubectl.run(['-n', world.environment.namespace, ...args]);

/** Brings about every case, one after the other: there is one Redis. */
async function makeEveryState(): Promise<void> {
  const make = (object: DemoManifest) => world.applyObject(object);
  const keep = async (name: string): Promise<void> => void objects.set(name, await world.object(name));

  await make(succeeding('succeeded', '1'));
  await world.ended('succeeded');
  await keep('succeeded');

  const succeeded = succeeding('suspended-afterwards', '1');
  await make(succeeded);
  await world.ended('suspended-afterwards');
  await make({ ...succeeded, spec: { ...succeeded.spec, suspend: true } });
  await untilSeen('suspended-afterwards');
  await keep('suspended-afterwards');

  await make(failing('failed', '1'));
  await world.ended('failed');
  await keep('failed');

  // No process listens on this port.
  await make(demo('errored', {}, { port: 1 }));
  await world.ended('errored');
  await keep('errored');

  await make(demo('running', { pace: { mode: 'Manual' } }));
  await world.untilStatus('running', 'the run to wait for a person', ({ chapter }) =>
    /^1\/\d+ Welcome \(waiting\)$/.test(chapter ?? ''),
  );
  await keep('running');
  await kubectl('annotate', 'chaosdemo', 'running', `${ANNOTATIONS.abort}=1`);
  await world.ended('running');
  objects.set('aborted', await world.object('running'));

  await make(demo('refused', {}, { selector: { matchLabels: { 'app.kubernetes.io/name': 'nothing' } } }));
  await world.untilStatus('refused', 'the refusal', ({ conditions = [] }) =>
    conditions.some(({ type }) => type === 'Stalled'),
  );
  await keep('refused');

  await make(demo('suspended', { suspend: true }));
  await untilSeen('suspended');
  await keep('suspended');

  await world.operator.stop();
  await make(demo('unseen', {}));
  await keep('unseen');
  await kubectl('delete', 'chaosdemo', 'unseen', 'refused');
  await world.operator.start();
}

async function untilSeen(name: string): Promise<void> {
  await until(
    async () => {
      const { metadata, status } = await world.object(name);
      return status?.observedGeneration === metadata.generation;
    },
    { what: `${name} to be seen by the operator` },
  );
}

async function kstatus(object: object): Promise<string> {
  const { status, stdout, stderr } = await runProgram(await tool('kstatus'), [], {
    input: JSON.stringify(object),
  });
  if (status !== 0) throw new Error(stderr);
  return stdout.split('\t')[0] ?? '';
}
