/** What is installed, looked at for what commonly goes wrong. Exemptions stand with their reasons in the manifests. */
import { beforeAll, describe, expect, it } from 'vitest';
import { runProgram, tool } from '../kit/program.ts';
import { CHART_VALUES, helmTemplate, kustomize } from './support/render.ts';

let kubeScore: string;
let helm: string;

beforeAll(async () => {
  kubeScore = await tool('kube-score');
  helm = await tool('helm');
});

/** One line for each thing that kube-score would change. */
async function findings(manifest: string): Promise<string[]> {
  const { stdout, stderr } = await runProgram(
    kubeScore,
    [
      'score',
      // A throttled operator or limiter measures itself.
      '--ignore-container-cpu-limit',
      '--kubernetes-version=v1.31',
      '--output-format=ci',
      '-',
    ],
    { input: manifest },
  );
  const lines = stdout.trim().split('\n');
  if (!lines.some((line) => line.startsWith('[OK]')))
    throw new Error(`kube-score found nothing to look at: ${stderr}`);
  return lines.filter((line) => /^\[(WARNING|CRITICAL)\]/.test(line));
}

describe('kube-score', () => {
  it.each([
    'manifests/operator',
    'manifests/operator-with-models',
    'manifests/model',
    'manifests/ratelimiter/overlays/approximate',
    'manifests/ratelimiter/overlays/strict',
    'manifests/ratelimiter/overlays/fault-proxy',
  ])('would change nothing in %s', async (folder) => {
    expect(await findings(await kustomize(folder))).toEqual([]);
  });

  it('would change nothing in the chart with everything in it', async () => {
    expect(await findings(await helmTemplate(helm, CHART_VALUES.everything))).toEqual([]);
  });
});
