/** The shipped RBAC against the audit log of everything above: nothing granted in vain, nothing missing. */
import { expect, it } from 'vitest';
import { ONE_BURST } from '../kit/demo.ts';
import { until } from '../kit/until.ts';
import { AUDIT_LOG } from './support/audited-config.ts';
import { type Cluster, NAMESPACE } from './support/cluster.ts';
import { grantedBy, readShippedRoles, usedIn } from './support/rights.ts';

const GET_OBJECT = 'ClusterRole chaosdemo-operator: get chaosdemo.dev/chaosdemos';
const DELETE_EVIDENCE = 'ClusterRole chaosdemo-target: delete configmaps';

/** A namespace that is enabled, and without a RoleBinding for the operator. */
const UNBOUND = 'unbound';

export function rights(cluster: Cluster): void {
  const audited = async () => usedIn(await cluster.onNode(`cat ${AUDIT_LOG}`));

  // What the runs above need not do, and an operator has to, sooner or later.
  it('an object is read again after a write conflict', async () => {
    await cluster.applySpec('written-by-two', ONE_BURST);
    let writing = true;
    const writer = (async () => {
      for (let count = 0; writing; count++) {
        // Every request starts a run, and every run is some ten writes of its status.
        const annotations = { 'chaosdemo.dev/requested-at': `${Math.floor(count / 500)}`, count: `${count}` };
        await cluster.patch('written-by-two', { metadata: { annotations } });
      }
    })();
    try {
      await until(async () => (await audited()).used.has(GET_OBJECT), {
        everyMs: 1_000,
        what: 'a second read after a conflict',
      });
    } finally {
      writing = false;
      await writer;
    }
    expect((await audited()).used).toContain(GET_OBJECT);
  });

  it('removes the evidence of a run that the history does not remember', async () => {
    await cluster.applySpec('forgetful', { ...ONE_BURST, historyLimit: 0 });
    for (const run of [1, 2]) {
      await cluster.patch('forgetful', {
        metadata: { annotations: { 'chaosdemo.dev/requested-at': `${run}` } },
      });
      await until(
        async () => {
          const { lastHandledRunRequest, run: seen } = await cluster.status('forgetful');
          return lastHandledRunRequest === `${run}` && seen?.completedAt !== undefined;
        },
        { everyMs: 1_000, what: `the end of run ${run}` },
      );
    }
    await until(async () => (await audited()).used.has(DELETE_EVIDENCE), {
      everyMs: 1_000,
      what: 'the evidence of the first run to go',
    });
    const owned = ['-n', NAMESPACE, 'get', 'configmap', 'forgetful-evidence-2', '-o', 'name'];
    expect(await cluster.kubectl.run(owned)).toContain('forgetful-evidence-2');
    // The garbage collector takes what is left with the object.
    await cluster.kubectl.run(['-n', NAMESPACE, 'delete', 'chaosdemo', 'forgetful', '--timeout=60s']);
    await until(
      async () => !(await cluster.kubectl.run(['-n', NAMESPACE, 'get', 'configmaps'])).includes('forgetful'),
      {
        everyMs: 1_000,
        what: 'the evidence to go with its ChaosDemo',
      },
    );
  });

  it.each([
    ['not-enabled', {}, 'NamespaceNotEnabled'],
    [UNBOUND, { 'chaosdemo.dev/enabled': 'true' }, 'PermissionDenied'],
  ])(
    'an event reports why it rejects the namespace %s, in which it has no rights',
    async (name, labels, reason) => {
      await cluster.kubectl.createNamespace(name, labels);
      await cluster.applySpec('refused', {}, name);
      const events = ['-n', name, 'get', 'events.events.k8s.io', '-o', 'jsonpath={.items[*].reason}'];
      const reported = await until(
        async () => {
          const reasons = (await cluster.kubectl.run(events)).split(' ');
          return reasons.includes(reason) && reasons;
        },
        { what: `the event ${reason} in ${name}` },
      );
      expect(reported).toEqual([reason]);
      await cluster.kubectl.run(['delete', 'namespace', name]);
    },
  );

  it('uses every verb that it is granted, and none that it is not', async () => {
    await cluster.keep('audit.log', await cluster.onNode(`cat ${AUDIT_LOG}`));
    const { used, refused, elsewhere } = await audited();
    expect(refused.filter((request) => !request.includes(`/namespaces/${UNBOUND}/`))).toEqual([]);
    expect(elsewhere).toEqual([]);
    const granted = grantedBy(await readShippedRoles());
    expect(granted.filter((right) => !used.has(right))).toEqual([]);
    // And the cluster has the roles as they are shipped.
    expect([...used].filter((right) => !granted.includes(right))).toEqual([]);
    await cluster.kubectl.run(['-n', NAMESPACE, 'delete', 'chaosdemos', '--all', '--timeout=120s']);
  });
}
