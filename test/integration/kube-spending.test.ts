/** What profiles have used, in a ConfigMap at a real API server, with the rights that ship. */
import { beforeEach, expect, it } from 'vitest';
import { SpendingBook } from '../../src/diagnosis/models/index.ts';
import { createKubeSpending, SPENDING } from '../../src/operator/adapters/kube-spending.ts';
import { adminKubectl, uniqueNamespace } from '../kit/control-plane.ts';
import { shipped } from '../kit/operator.ts';
import { adminClient, operatorClient } from '../kit/operator-account.ts';
import { until } from '../kit/until.ts';

const never = new AbortController().signal;
let namespace: string;

beforeEach(async () => {
  namespace = await uniqueNamespace('spending');
});

/** The ConfigMap and its Role, as they ship but for the namespace. */
async function apply(): Promise<void> {
  await adminKubectl().apply(await shipped('../operator-with-models/spending.yaml', { namespace }));
  const store = createKubeSpending(await operatorClient(), namespace);
  await until(async () => !('unusable' in (await store.read(never))), { what: 'the binding to be in force' });
}

async function bookAnew(troubles: string[] = []): Promise<SpendingBook> {
  const store = createKubeSpending(await operatorClient(), namespace);
  return new SpendingBook({ now: Date.now, store, onTrouble: (message) => void troubles.push(message) });
}

it('is found again after a restart, and added to by whoever writes', async () => {
  await apply();
  const troubles: string[] = [];
  const [first, second] = [await bookAnew(troubles), await bookAnew(troubles)];
  await Promise.all([first.refresh(never), second.refresh(never)]);
  first.add('hosted', 'team-a', { tokens: 100, microDollars: 3 });
  await first.close();
  // It has read before the first wrote.
  second.add('hosted', 'team-a', { tokens: 10, microDollars: 0 });
  await second.close();
  const third = await bookAnew(troubles);
  await third.refresh(never);
  expect(third.usedBy('hosted').get('team-a')).toEqual({ tokens: 110, microDollars: 3 });
  expect(troubles).toEqual([]);
  // Applying the manifests again, as an upgrade does, takes nothing away.
  await apply();
  await third.refresh(never);
  expect(third.usedBy('hosted').get('team-a')?.tokens).toBe(110);
});

it('goes on by itself where the ConfigMap is not there or may not be read, and says what to apply', async () => {
  const troubles: string[] = [];
  const book = await bookAnew(troubles);
  await book.refresh(never);
  book.add('hosted', 'team-a', { tokens: 100, microDollars: 0 });
  expect(book.usedBy('hosted').get('team-a')?.tokens).toBe(100);
  await book.close();
  expect(troubles).toEqual([
    expect.stringMatching(/may not be read and patched, .*: apply it and its Role as they are in manifests/),
  ]);
  await apply();
  const path = `/api/v1/namespaces/${namespace}/configmaps/${SPENDING}`;
  await adminClient().request({ method: 'DELETE', path });
  await (await bookAnew(troubles)).refresh(never);
  expect(troubles[1]).toMatch(/is not there/);
});

it('needs no more than its Role gives: no other ConfigMap, and none of its own making', async () => {
  await apply();
  const client = await operatorClient();
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  for (const request of [
    { method: 'GET', path: `${path}/kube-root-ca.crt` },
    { method: 'DELETE', path: `${path}/${SPENDING}` },
    { method: 'POST', path, body: { metadata: { name: 'other' } } },
  ] as const) {
    await expect(client.request(request)).rejects.toThrow(/forbidden/);
  }
});
