/** The commands of docs/gitops.md and docs/your-limiter.md, as written, on a rate limiter that people run. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { withoutRealTime } from '../kit/pace.ts';
import { World } from '../kit/world.ts';
import { startYourApi } from './support/your-api.ts';

const ROOT = new URL('../../', import.meta.url);

let world: World;
beforeAll(async () => {
  world = await World.start('approximate');
  await startYourApi(world, {
    limiter: 'rate-limiter-flexible',
    variant: 'timeout',
    configured: { limit: 10, windowSeconds: 20 },
  });
}, 300_000);
afterAll(() => world?.stop());

/** The commands of the gate, and the sample, both for the namespace of this test. */
async function written(change: (sample: string) => string) {
  const page = await readFile(new URL('docs/gitops.md', ROOT), 'utf8');
  const commands = /```bash\n([^`]*)```/.exec(page)?.[1] ?? expect.unreachable('no commands of a gate');
  const shipped = await readFile(new URL('manifests/samples/your-limiter.yaml', ROOT), 'utf8');
  const sample = change(shipped)
    // The result waits for the end of a window.
    .replace('window: 60s', 'window: 20s')
    .replace('namespace: ratelimiter', `namespace: ${world.namespace}`)
    // Processes of one machine reach Redis from its address, and not from those of their pods.
    .replace('    redis:\n', '    redis:\n      otherClients: Allow\n');
  return {
    sample,
    commands: commands
      .replaceAll('-n ratelimiter', `-n ${world.namespace}`)
      .replace('-f manifests/samples/your-limiter.yaml', '-f - <<< "$SAMPLE"'),
  };
}

/** What a shell says, and its exit status. */
async function run({ commands, sample }: { commands: string; sample: string }) {
  const { binaries, kubeconfig } = inject('controlPlane');
  const env = {
    ...process.env,
    SAMPLE: sample,
    KUBECONFIG: kubeconfig,
    PATH: [dirname(binaries.kubectl), process.env['PATH']].join(delimiter),
  };
  return await new Promise<{ status: number; said: string }>((resolve) => {
    const shell = execFile('bash', ['-c', commands], { env, timeout: 280_000 }, (_, stdout, stderr) =>
      resolve({ status: shell.exitCode ?? -1, said: `${stdout}${stderr}` }),
    );
  });
}

describe('the gate of docs/gitops.md', { timeout: 300_000 }, () => {
  it.skipIf(withoutRealTime)('opens for a limiter whose callers get what is accepted', async () => {
    const { said, status } = await run(await written((sample) => sample));
    expect(said).toMatch(/Succeeded: /);
    expect(said).toMatch(/condition met\n$/);
    expect(status).toBe(0);
    const page = await readFile(new URL('docs/your-limiter.md', ROOT), 'utf8');
    const [look = ''] = /^kubectl .* -o jsonpath='\{range .*$/m.exec(page) ?? [];
    const looked = await run({
      commands: look.replace('-n ratelimiter', `-n ${world.namespace}`),
      sample: '',
    });
    expect(looked.said).toMatch(/^outage: Held, FailsClosed.*\nburst: Held, 10\/10/);
  });

  it('the gate stays closed for a wrong request, and shows request and answer', async () => {
    const wrong = await written((sample) =>
      sample.replace('path: /\n', 'path: /nowhere\n').replace('runId: "1"', 'runId: "2"'),
    );
    const { said, status } = await run(wrong);
    expect(said).toMatch(
      /Errored: .*GET \/nowhere to rate-limiter-flexible-\d failed .*: responded with 404, /,
    );
    expect(status).not.toBe(0);
  });
});
