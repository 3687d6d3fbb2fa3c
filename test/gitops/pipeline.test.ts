/** The gate of a pipeline, as it is shipped, run by a shell. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { type Outcome, runProgram } from '../kit/program.ts';
import { World } from '../kit/world.ts';

const GATE = fileURLToPath(new URL('../../manifests/gitops/pipeline/gate.sh', import.meta.url));

/** Runs it as a pipeline does: kubectl is in PATH, and its configuration in the environment. */
async function gate(world: World, runId: string, kubeconfig?: string): Promise<Outcome> {
  const { controlPlane } = world.environment;
  return await runProgram('/bin/sh', [GATE, runId], {
    env: {
      PATH: `${join(controlPlane.kubectl.binary, '..')}:${process.env['PATH']}`,
      HOME: controlPlane.folder,
      KUBECONFIG: kubeconfig ?? controlPlane.kubeconfig,
    },
    timeoutMs: 600_000,
  });
}

describe('gate.sh on an approximate limiter', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.startAlone('approximate');
  });
  afterAll(() => world?.stop());

  it('exits with 2 without a verdict: the cluster rejects the credentials', async () => {
    const nowhere = await world.environment.controlPlane.kubeconfigFor('unknown', 'no-token');
    const { status, stderr } = await gate(world, 'abc124', nowhere);
    expect(stderr).toMatch(/^gate\.sh: no verdict: .*applied/m);
    expect(status).toBe(2);
  });

  it(
    'exits with 1, and prints each violation',
    keepingTime(async () => {
      const { status, stdout } = await gate(world, 'abc123');
      expect(stdout).toMatch(/^outage: Violated \(FailsOpen/m);
      expect(stdout).toMatch(/^ghost-allowing: Violated \((>= )?\d+\/10, \d\/3 trials\)$/m);
      expect(stdout).toMatch(/^Failed: /m);
      expect(status).toBe(1);
      expect((await world.status('gate')).run).toMatchObject({
        number: 1,
        runId: 'abc123',
        phase: 'Failed',
      });
    }),
  );
});

describe.skipIf(withoutRealTime)('gate.sh on a strict limiter', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.startAlone('strict');
  });
  afterAll(() => world?.stop());

  it(
    'exits with 0',
    keepingTime(async () => {
      const { status, stdout } = await gate(world, 'r1');
      expect(stdout).toMatch(
        /^outage: Held \(FailsClosed.*\nghost-allowing: Held \(10\/10, 0\/3 .*\nSucceeded: /m,
      );
      expect(status).toBe(0);
    }),
  );
});
