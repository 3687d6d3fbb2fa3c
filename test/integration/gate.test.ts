/** The shipped gate of a pipeline on a forged status. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ANNOTATIONS } from '../../src/api/index.ts';
import { adminKubectl, connectAsAdmin } from '../kit/control-plane.ts';
import { Demos } from '../kit/demos.ts';
import { runProgram } from '../kit/program.ts';
import { until } from '../kit/until.ts';

const GATE = fileURLToPath(new URL('../../manifests/gitops/pipeline/gate.sh', import.meta.url));
const NAMESPACE = 'ratelimiter';
const ESC = '\u001b';
/** What a terminal and the agents of GitHub, Azure and GitLab act on. */
const HOSTILE = `${ESC}[2J\u009b31m\u202e\r\n::error::forged\n  ::add-mask::x\n##[error]x\n###vso[task.complete]\nsection_end:1:x\r${ESC}[0K`;

const client = connectAsAdmin();
const demos = new Demos(client, NAMESPACE);

/** Answers the request of the gate as an operator would, with a forged status. */
async function forge(): Promise<void> {
  const request = await until(
    async () => (await demos.object('gate')).metadata.annotations?.[ANNOTATIONS.requestedAt],
    { what: 'the gate to be applied' },
  );
  const time = '2026-01-01T00:00:00Z';
  const condition = (type: string, status: string) => ({
    type,
    status,
    observedGeneration: 1,
    lastTransitionTime: time,
    reason: 'Forged',
    message: HOSTILE,
  });
  const status = {
    observedGeneration: 1,
    phase: 'Failed',
    message: HOSTILE,
    lastHandledRunRequest: request,
    scenarios: [
      { name: '\n::error::a', type: 'CounterDrift', expect: 'Violated', summary: `\r${ESC}[1m##[group]` },
    ],
    conditions: [condition('Finished', 'True'), condition('Succeeded', 'False')],
  };
  await client.request({
    method: 'PATCH',
    path: `/apis/chaosdemo.dev/v1alpha1/namespaces/${NAMESPACE}/chaosdemos/gate/status`,
    contentType: 'application/merge-patch+json',
    body: { status },
  });
}

describe('gate.sh', () => {
  beforeAll(async () => {
    await adminKubectl().createNamespace(NAMESPACE);
  });
  afterAll(async () => {
    await demos.delete('gate');
    await client.close();
  });

  it('gate.sh writes no control character, whatever the status contains', async () => {
    const { binaries, kubeconfig } = inject('controlPlane');
    const running = runProgram('/bin/sh', [GATE, 'abc123'], {
      env: {
        PATH: `${join(binaries.kubectl, '..')}:${process.env['PATH']}`,
        HOME: join(kubeconfig, '..'),
        KUBECONFIG: kubeconfig,
      },
    });
    await forge();
    const { status, stderr, stdout } = await running;
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    // oxlint-disable-next-line no-control-regex -- these are what it is about
    expect(stdout).not.toMatch(/[^\n\u0020-\u007e]/);
    expect(stdout).not.toMatch(/^\s*::|##/m);
    // What it says is still there to read.
    expect(stdout).toMatch(/^: :error::forged$/m);
    expect(stdout).toMatch(/^Failed: /m);
  });
});
