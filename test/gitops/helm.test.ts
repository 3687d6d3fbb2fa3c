/** Helm's --wait on a chart with a ChaosDemo in it: it returns with the verdict. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { folderOfFile } from '../kit/folder.ts';
import { keepingTime } from '../kit/pace.ts';
import { type Outcome, runProgram, tool } from '../kit/program.ts';
import { World } from '../kit/world.ts';
import { succeeding } from './support/demos.ts';

let world: World;
const folder = folderOfFile();
let binary: string;

beforeAll(async () => {
  binary = await tool('helm');
  await writeChart(join(folder, 'release'));
  world = await World.startAlone('approximate');
});
afterAll(() => world?.stop());

/** A chart of a release that brings its gate along. */
async function writeChart(chart: string): Promise<void> {
  await mkdir(join(chart, 'templates'), { recursive: true });
  await writeFile(
    join(chart, 'Chart.yaml'),
    stringify({ apiVersion: 'v2', name: 'release', version: '1.0.0' }),
  );
  await writeFile(join(chart, 'values.yaml'), stringify({ runId: '1', expect: 'Violated' }));
  const gate = stringify(succeeding('gate', 'RUN-ID'))
    .replace('RUN-ID', '{{ .Values.runId | quote }}')
    .replace('expect: Violated', 'expect: {{ .Values.expect }}');
  await writeFile(join(chart, 'templates', 'gate.yaml'), gate);
}

async function helm(...args: string[]): Promise<Outcome> {
  return await runProgram(binary, [...args, '--namespace', 'ratelimiter', '--timeout', '9m'], {
    env: { HOME: folder, KUBECONFIG: world.environment.controlPlane.kubeconfig },
    timeoutMs: 600_000,
  });
}

describe('helm --wait', () => {
  it(
    'returns from an installation with the verdict Succeeded, not before',
    keepingTime(async () => {
      const { status, stderr } = await helm('install', 'release', join(folder, 'release'), '--wait');
      const { phase, run } = await world.status('gate');
      expect({ status, stderr, phase }).toMatchObject({ status: 0, phase: 'Succeeded' });
      expect(run).toMatchObject({ number: 1, runId: '1' });
    }),
  );

  it(
    'waits on an upgrade for the new run, not for the verdict of the last one',
    keepingTime(async () => {
      const upgraded = await helm(
        'upgrade',
        'release',
        join(folder, 'release'),
        '--wait',
        '--set-string',
        'runId=2',
      );
      const { phase, run } = await world.status('gate');
      expect({ status: upgraded.status, phase }).toEqual({ status: 0, phase: 'Succeeded' });
      expect(run).toMatchObject({ number: 2, runId: '2' });
    }),
  );

  it(
    'fails as soon as the verdict is Failed',
    keepingTime(async () => {
      const args = ['--wait', '--set-string', 'runId=3', '--set', 'expect=Held'];
      const { status, stderr } = await helm('upgrade', 'release', join(folder, 'release'), ...args);
      expect((await world.status('gate')).phase).toBe('Failed');
      expect(status).toBe(1);
      expect(stderr).toContain('ChaosDemo/ratelimiter/gate');
    }),
  );
});
