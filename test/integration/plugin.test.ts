/** `kubectl chaosdemo` against a real API server and a real operator: how it ends, and what it writes. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { ANNOTATIONS } from '../../src/api/index.ts';
import { demo, demoSpec, drift, ghosts, ONE_BURST, rateLimiterOf } from '../kit/demo.ts';
import { folderOfFile } from '../kit/folder.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { chapterOnShow } from '../kit/status.ts';
import { World } from '../kit/world.ts';
import { startPlugin } from './support/plugin.ts';

let world: World;
const folder = folderOfFile();
beforeAll(async () => {
  world = await World.start('approximate');
});
afterAll(() => world?.stop());

const plugin = (...args: string[]) => startPlugin(world, args);

/** Writes a ChaosDemo of this spec into a file. */
async function fileOf(name: string, spec: object): Promise<string> {
  const path = join(folder, `${name}.yaml`);
  await writeFile(path, stringify(demo({ name, namespace: world.namespace }, demoSpec(spec))));
  return path;
}

const run = async (name: string, spec: object) => await plugin('run', '-f', await fileOf(name, spec)).ended;

describe.skipIf(withoutRealTime)('run -f of a run that tests something', () => {
  it(
    'run -f shows the story, exits 0 if the run Succeeded, and runs again each time',
    keepingTime(async () => {
      const first = await run('good', { scenarios: [ghosts()] });
      expect(first.stderr).toBe('');
      expect(first.stdout).toMatch(/^\S+ +Running +\d+\/\d+ Ghost Allowing Chaos/m);
      expect(first.stdout).toMatch(/^ {3}★ ghosts Violated: /m);
      expect(first.stdout).toContain('Verdict: Succeeded (ExpectationsMet), 1/1 as expected');
      expect(first.status).toBe(0);
      expect((await run('good', { scenarios: [ghosts()] })).status).toBe(0);
      expect((await world.status('good')).run?.number).toBe(2);
    }),
  );

  it(
    'exits with 1 if the run Failed',
    keepingTime(async () => {
      const { status, stdout } = await run('gate', { scenarios: [ghosts({ expect: 'Held' })] });
      expect(stdout).toContain('Verdict: Failed (UnexpectedViolation)');
      expect(status).toBe(1);
    }),
  );
});

describe('run -f', () => {
  it('exits with 2 if the object is not accepted, and points to the doctor', async () => {
    const noPods = { rateLimiter: rateLimiterOf({ selector: { matchLabels: { app: 'absent' } } }) };
    const { status, stderr } = await run('refused', noPods);
    expect(stderr).toMatch(/refused .*\(NoSuchPods\): "app=absent" .*no /);
    expect(stderr).toContain('kubectl chaosdemo doctor refused -n ');
    expect(status).toBe(2);
  });

  it('exits with 3 if the run was aborted', async () => {
    const running = plugin(
      'run',
      '-f',
      await fileOf('aborted', { scenarios: [drift({ countdown: '30s' })] }),
    );
    await world.untilStatus('aborted', 'a run to be on', ({ phase }) => phase === 'Running');
    const abort = await plugin('abort', 'aborted').ended;
    expect(abort.stdout).toContain(`(${ANNOTATIONS.abort}=1)`);
    expect(abort.status).toBe(0);
    const { status, stdout } = await running.ended;
    expect(stdout).toContain('Verdict: Aborted (Aborted)');
    expect(status).toBe(3);
  });

  it('repeats what the API server has against a spec, and ends with 2', async () => {
    const { status, stderr } = await run('invalid', { pace: { mode: 'Sometimes' } });
    expect(stderr).toMatch(/spec\.pace\.mode/);
    expect(status).toBe(2);
  });
});

it('advance continues a run and rerun repeats it, as the annotations do', async () => {
  await world.applySpec('hand', { ...ONE_BURST, pace: { mode: 'Manual' } });
  for (const chapter of [1, 2]) {
    await world.untilWaiting('hand', chapter);
    const { status, stdout } = await plugin('advance', 'hand').ended;
    expect(status).toBe(0);
    expect(stdout).toContain(`${ANNOTATIONS.advance}=1/${chapter}`);
    expect((await world.object('hand')).metadata.annotations?.[ANNOTATIONS.advance]).toBe(`1/${chapter}`);
  }
  await world.untilStatus('hand', 'chapter 3 or later', (status) => chapterOnShow(status) > 2);
  await world.patch('hand', { spec: { pace: { mode: 'Auto', dwell: '0s' } } });
  const waited = await plugin('wait', 'hand').ended;
  expect(waited.stdout).toContain('Verdict: Succeeded (NoExpectation)');
  expect(waited.status).toBe(0);

  const nothing = await plugin('advance', 'hand').ended;
  expect(nothing.stderr).toContain('no active run');
  expect(nothing.stderr).toContain('kubectl chaosdemo rerun hand');
  expect(nothing.status).toBe(2);

  const again = await plugin('rerun', 'hand').ended;
  const requested = (await world.object('hand')).metadata.annotations?.[ANNOTATIONS.requestedAt];
  expect(again.stdout).toContain(`${ANNOTATIONS.requestedAt}=${requested}`);
  expect((await plugin('wait', 'hand').ended).status).toBe(0);
  const status = await world.status('hand');
  expect(status.run?.number).toBe(2);
  expect(status.lastHandledRunRequest).toBe(requested);
});

describe('a command that cannot be carried out', () => {
  it('names the existing objects if the name is wrong', async () => {
    await world.applySpec('there', { suspend: true });
    const { status, stderr } = await plugin('wait', 'their').ended;
    expect(stderr).toMatch(/no ChaosDemo their .*\nThere is: .*there/);
    expect(status).toBe(2);
  });

  it('gives up in time, and reports the state of the object', async () => {
    await world.applySpec('held', { suspend: true });
    const { status, stderr } = await plugin('wait', 'held', '--timeout', '1s').ended;
    expect(stderr).toMatch(/no verdict of held .*1 s; .*Pending/);
    expect(status).toBe(2);
  });
});
