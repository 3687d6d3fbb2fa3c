/** What is logged and reported of a Lease that anyone with role edit may write. */

import { ApiError, type KubeClient, type Logger } from '@chaosdemo/kube-runtime';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../../test/kit/until.ts';
import { KubeLease } from './cluster-lease.ts';

const { signal } = new AbortController();

it('a holder of a megabyte is cut, and logged once while it stays', async () => {
  let written = '';
  let reads = 0;
  const request = async ({ body, method }: { method: string; body?: unknown }): Promise<unknown> => {
    if (method === 'POST') return body;
    if (written === '' || method === 'PUT') throw new ApiError(method, method === 'PUT' ? 409 : 404, {});
    reads += 1;
    const spec = { holderIdentity: written, leaseDurationSeconds: 3600 };
    return { metadata: { name: 'x', namespace: 'shop', resourceVersion: written.slice(0, 1) }, spec };
  };
  const lines: { holder?: string }[] = [];
  const lease = new KubeLease({
    client: { request } as unknown as KubeClient,
    clock: {
      now: Date.now,
      monotonic: () => performance.now(),
      sleep: () => new Promise((resolve) => setImmediate(resolve)),
    },
    logger: { warn: (fields: object) => void lines.push(fields) } as unknown as Logger,
    namespace: 'shop',
    name: 'x',
    holder: 'shop/demo',
    leads: () => true,
  });
  onTestFinished(() => lease.release(true));
  expect(await lease.acquire(signal)).toEqual({ state: 'acquired' });

  for (const letter of ['a', 'b']) {
    written = letter.repeat(1_000_000);
    const from = reads;
    await until(() => reads > from + 20, { what: 'renewals' });
  }
  expect(lines.map(({ holder }) => [holder?.[0], holder?.length])).toEqual([
    ['a', 320],
    ['b', 320],
  ]);
  expect(await lease.acquire(signal)).toMatchObject({ heldBy: lines[1]?.holder });
});
