/** Notes in a namespace, kept at a real API server with the rights that ship. */

import type { KubeObject } from '@chaosdemo/kube-runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { createNotes } from '../../src/operator/adapters/cluster-notes.ts';
import { uniqueNamespace } from '../kit/control-plane.ts';
import { adminClient, bindTarget, operatorClient } from '../kit/operator-account.ts';

const never = new AbortController().signal;
let namespace: string;
let notes: ReturnType<typeof createNotes>;

beforeEach(async () => {
  namespace = await uniqueNamespace('notes', { 'chaosdemo.dev/enabled': 'true' });
  await bindTarget(namespace);
  notes = createNotes(await operatorClient());
});

describe('a note', () => {
  it('a note is read as kept, is deleted with its pod, and is not overwritten unread', async () => {
    const pod = { name: 'redis-0', uid: '6f6c0d2e-0000-4000-8000-000000000000' };
    const about = { namespace, name: 'chaosdemo-cooldown-1', pod };
    expect(await notes.note(namespace, about.name, never)).toBeUndefined();
    await notes.keepNote({ ...about, text: 'one', before: undefined }, never);
    const first = await notes.note(namespace, about.name, never);
    expect(first).toMatchObject({ text: 'one', version: expect.any(String) });
    await notes.keepNote({ ...about, text: 'two', before: first }, never);
    expect(await notes.note(namespace, about.name, never)).toMatchObject({ text: 'two' });

    for (const before of [first, undefined]) {
      await expect(notes.keepNote({ ...about, text: 'late', before }, never)).rejects.toThrow(
        /another process .*note/,
      );
    }
    const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${about.name}`;
    const { metadata } = await adminClient().request<
      KubeObject & { metadata: { ownerReferences?: object[] } }
    >({
      method: 'GET',
      path,
    });
    expect(metadata.ownerReferences).toEqual([{ apiVersion: 'v1', kind: 'Pod', ...pod }]);
  });

  it('is refused if the operator has no right to it', async () => {
    const other = await uniqueNamespace('notes');
    await expect(notes.note(other, 'any', never)).rejects.toMatchObject({ name: 'ForbiddenError' });
  });
});
