/** What the API promises to those who start, step, stop and refuse runs, with the real operator. Redis is never paused. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ChaosDemoStatus } from '../../src/api/index.ts';
import { ANNOTATIONS } from '../../src/api/index.ts';
import { numbered } from '../../src/engine/chapter.ts';
import { ONE_BURST } from '../kit/demo.ts';
import { chapterOnShow, conditionText, conditionTexts, endedRunOf, runIdOf } from '../kit/status.ts';
import { World } from '../kit/world.ts';

const ENABLED = 'chaosdemo.dev/enabled';
let world: World;

beforeAll(async () => {
  world = await World.start('approximate');
});
afterAll(() => world?.stop());
afterEach(() => world.deleteAll());

const patch = (name: string, spec: object): Promise<void> => world.patch(name, { spec });

const refused = async (name: string, reason: string): Promise<ChaosDemoStatus> =>
  await world.untilStatus(
    name,
    `${name} to be refused: ${reason}`,
    (status) => conditionText(status, 'Stalled') === `True ${reason}`,
  );

/** Leads run 2 up to its first fault, and holds it there: what it needs for that has been measured by then. */
async function untilHeld(name: string): Promise<void> {
  await patch(name, { suspend: true });
  for (const chapter of [1, 2]) {
    await world.untilWaiting(name, chapter);
    await world.annotate(name, 'advance', `2/${chapter}`);
  }
  const held = await world.untilStatus(
    name,
    'the run to be held, or to end',
    ({ chapter, run }) =>
      /^4\/\d+ Counter Drift Chaos \(suspended\)$/.test(chapter ?? '') || run?.completedAt !== undefined,
  );
  expect(held.run?.phase).toBeUndefined();
}

it('a run that has ended is repeated by another runId or request, and remembered', async () => {
  await world.applySpec('again', { ...ONE_BURST, runId: 'a' });
  const first = await world.ended('again');
  expect(first.run).toMatchObject({ phase: 'Succeeded', reason: 'NoExpectation' });
  expect(conditionTexts(first)).toMatchObject({
    Ready: 'True NoExpectation',
    Finished: 'True NoExpectation',
    Succeeded: 'True NoExpectation',
    FaultActive: 'False FaultReleased',
  });
  await world.kubectl('wait', 'chaosdemo/again', '--for=condition=Finished', '--timeout=5s');
  const [described = ''] = (await world.kubectl('describe', 'chaosdemo/again')).split('\nEvents:');
  expect(described.split('\n').length, 'a status that people can still read').toBeLessThan(160);
  await patch('again', { runId: 'b' });
  const second = await world.untilStatus('again', 'run 2', (status) => endedRunOf(status) === 2);
  expect(runIdOf(second)).toBe('b');
  await world.annotate('again', 'requestedAt', 'now-1');
  const third = await world.untilStatus('again', 'run 3', (status) => endedRunOf(status) === 3);
  expect(third).toMatchObject({ lastHandledRunRequest: 'now-1' });
  expect(third.pastRuns).toEqual([
    expect.stringMatching(/^Run 2 \(b\): Succeeded /),
    expect.stringMatching(/^Run 1 \(a\): Succeeded /),
  ]);
  await world.annotate('again', 'unrelated', 'y');
  await world.annotate('again', 'requestedAt', null);
  await patch('again', { historyLimit: 3 });
  const status = await world.untilSeen('again');
  expect(status.run?.number).toBe(3);
  expect(conditionText(status, 'Ready')).toBe('True NoExpectation');
});

it('suspend starts no run until it is taken back', async () => {
  await world.applySpec('held', { ...ONE_BURST, suspend: true });
  const status = await world.untilStatus(
    'held',
    'Suspended',
    (now) => conditionText(now, 'Ready') === 'False Suspended',
  );
  expect(status.run).toBeUndefined();
  expect(status.conditions?.map(({ type }) => type)).not.toContain('Stalled');
  await patch('held', { suspend: false });
  expect((await world.ended('held')).phase).toBe('Succeeded');
});

describe('a run that is paced by hand', () => {
  const manual = { pace: { mode: 'Manual' } };

  it('a paced run continues once by its current annotation, never by a stale one', async () => {
    await world.applySpec('manual', { ...ONE_BURST, ...manual });
    const first = await world.untilWaiting('manual', 1);
    expect(first.chapter).toBe('1/7 Welcome (waiting)');
    expect(first.message).toContain('waiting for advance "1/1"');
    expect(conditionTexts(first)).toMatchObject({
      Ready: 'False AwaitingAdvance',
      Reconciling: 'True AwaitingAdvance',
    });
    // Two people at once: the chapter is left once.
    await Promise.all([1, 2].map(() => world.annotate('manual', 'advance', '1/1')));
    await world.untilWaiting('manual', 2);
    await Promise.all([world.annotate('manual', 'advance', '1/1'), world.annotate('manual', 'noise', '1')]);
    await world.annotate('manual', 'advance', '0/2');
    const { status, metadata } = await world.object('manual');
    expect(chapterOnShow(status ?? {})).toBe(2);
    expect(metadata?.annotations?.[ANNOTATIONS.advance]).toBe('0/2');
    await patch('manual', { pace: { mode: 'Auto', dwell: '0s' } });
    const end = await world.ended('manual');
    expect(end.phase).toBe('Succeeded');
    expect(end.journal?.awaitedMilliseconds).toBeGreaterThan(0);
  });

  it('applies an annotation that was set early once the chapter is done', async () => {
    await world.applySpec('early', manual, { [ANNOTATIONS.advance]: '1/1' });
    await world.untilWaiting('early', 2);
  });

  it('is aborted, restored, and stays aborted', async () => {
    await world.applySpec('aborted', manual);
    await world.untilWaiting('aborted', 1);
    await world.annotate('aborted', 'abort', '7');
    await world.annotate('aborted', 'abort', '1');
    const status = await world.ended('aborted');
    expect(status.run).toMatchObject({ phase: 'Aborted', reason: 'Aborted' });
    expect(conditionTexts(status)).toMatchObject({
      Ready: 'False Aborted',
      Stalled: 'True Aborted',
      Finished: 'True Aborted',
      Succeeded: 'False Aborted',
    });
    expect(numbered(status)[0]?.state).toBe('Stopped');
    await world.annotate('aborted', 'abort', '2');
    await patch('aborted', { historyLimit: 3 });
    expect(await world.untilSeen('aborted')).toMatchObject({ phase: 'Aborted', run: { number: 1 } });
  });

  it('is superseded by another runId, and the new run comes as far as any', async () => {
    await world.applySpec('old', { ...manual, runId: 'old' });
    await world.untilWaiting('old', 1);
    await patch('old', { runId: 'new' });
    const status = await world.untilStatus('old', 'run 2', ({ run }) => run?.number === 2);
    expect(status.pastRuns?.[0]).toMatch(/^Run 1 \(old\): Aborted \(Superseded\), /);
    expect(runIdOf(status)).toBe('new');
    await untilHeld('old');
  });

  it('a paced run is aborted if a foreign client joins its Redis while it waits', async () => {
    await world.applySpec('joined', manual);
    await world.untilWaiting('joined', 1);
    const { host, port } = world.environment.redis;
    const { username, password } = world.environment.redisUsers.limiter;
    const stranger = connect({ host, port, localAddress: '127.0.0.77' });
    onTestFinished(() => void stranger.destroy());
    stranger.write(`AUTH ${username} ${password}\r\n`);
    await once(stranger, 'data');
    for (const chapter of [1, 2]) {
      await world.untilWaiting('joined', chapter);
      await world.annotate('joined', 'advance', `1/${chapter}`);
    }
    const { message, run, scenarios } = await world.ended('joined');
    expect(run).toMatchObject({ phase: 'Aborted', reason: 'SharedRedis' });
    expect(message).toContain('127.0.0.77');
    expect(scenarios?.[0]?.fault).toBeUndefined();
  });

  it('is gone when it is deleted, and leaves no lease', async () => {
    await world.applySpec('gone', manual);
    await world.untilWaiting('gone', 1);
    await world.delete('gone', 60_000);
    await world.untilNoLeases();
  });
});

describe('who may be touched', () => {
  const manual = { pace: { mode: 'Manual' } };

  it('loses its run with the label of its namespace, and gets the next one with it', async () => {
    const { kubectl: admin } = world.environment.controlPlane;
    const label = async (value: string): Promise<string> =>
      await admin.run([
        'label',
        'namespace',
        world.environment.namespace,
        '--overwrite',
        `${ENABLED}=${value}`,
      ]);
    onTestFinished(async () => void (await label('true')));
    await world.applySpec('labelled', manual);
    await world.untilWaiting('labelled', 1);
    await label('false');
    expect((await world.ended('labelled')).run).toMatchObject({
      phase: 'Aborted',
      reason: 'NamespaceNotEnabled',
    });
    await patch('labelled', { runId: '2' });
    const { message } = await refused('labelled', 'NamespaceNotEnabled');
    expect(message).toContain(ENABLED);
    await label('true');
    await world.untilWaiting('labelled', 1);
  });

  it('a run is not accepted while a stranger uses Redis, and runs once it left', async () => {
    const stranger = await world.redisAs('limiter');
    onTestFinished(() => stranger.disconnect());
    await world.applySpec('shared', ONE_BURST);
    const status = await refused('shared', 'SharedRedis');
    expect(status.message).toContain('127.0.0.1');
    stranger.disconnect();
    expect((await world.ended('shared')).phase).toBe('Succeeded');
  });

  it('waits for another demo on the same Redis, and reports for which', async () => {
    await world.applySpec('one', manual);
    await world.untilWaiting('one', 1);
    await world.applySpec('two', ONE_BURST);
    const status = await world.untilStatus(
      'two',
      'two to wait',
      (now) => conditionText(now, 'Ready') === 'False RedisInUse',
    );
    expect(status.message).toContain('one');
    expect(conditionText(status, 'Reconciling')).toBe('True RedisInUse');
    await world.annotate('one', 'abort', '1');
    expect((await world.ended('two')).phase).toBe('Succeeded');
  });

  it('is stopped by the kill switch, and not started while it is active', async () => {
    const { controlPlane, system } = world.environment;
    const admin = (...args: string[]) => controlPlane.kubectl.run(['-n', system, ...args]);
    const killSwitch = ['configmap', 'chaosdemo-kill-switch'];
    const remove = () => admin('delete', ...killSwitch, '--ignore-not-found');
    onTestFinished(async () => void (await remove()));
    await world.applySpec('killed', manual);
    await world.untilWaiting('killed', 1);
    await admin('create', ...killSwitch, '--from-literal=stop=true');
    expect((await world.ended('killed')).run).toMatchObject({
      phase: 'Aborted',
      reason: 'KillSwitch',
    });
    await world.applySpec('after', ONE_BURST);
    await refused('after', 'KillSwitch');
    await remove();
    expect((await world.ended('after')).phase).toBe('Succeeded');
  });
});
