/**
 * The shipped admission policy, and Secrets by name: a run ends as without them, and the token of the operator permits
 * less. Each request that is rejected then is accepted before.
 */
import { readFile } from 'node:fs/promises';
import { isForbidden, KubeClient, type KubeRequest } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { drift, ghosts, ONE_BURST } from '../kit/demo.ts';
import { OPERATOR_ACCOUNT, shipped } from '../kit/operator.ts';
import { verdictLine } from '../kit/status.ts';
import { until } from '../kit/until.ts';
import { World } from '../kit/world.ts';

let world: World;
let operator: KubeClient;
let policy: object[];
beforeAll(async () => {
  world = await World.start('approximate');
  const { controlPlane, system } = world.environment;
  const token = await controlPlane.kubectl.serviceAccountToken(system, OPERATOR_ACCOUNT);
  const kubeconfig = await controlPlane.kubeconfigFor('stolen', token, system);
  operator = new KubeClient(loadKubeConfig(kubeconfig));
  // With the names of this file: others use the same API server.
  const text = (await readFile('manifests/operator-policy/policy.yaml', 'utf8'))
    .replaceAll('chaosdemo-system', system)
    .replaceAll(/((?:name|policyName): )chaosdemo-operator$/gm, `$1${system}`);
  policy = parseAllDocuments(text).map((document) => document.toJS() as object);
});
afterAll(async () => {
  for (const kind of ['validatingadmissionpolicybinding', 'validatingadmissionpolicy']) {
    await world?.kubectl('delete', kind, world.environment.system, '--ignore-not-found');
  }
  await operator?.close();
  await world?.stop();
});

/** Requests that RBAC permits to the operator, and that it never sends. */
function misuses(): Readonly<Record<string, KubeRequest>> {
  const { namespace } = world;
  const configMaps = `/api/v1/namespaces/${namespace}/configmaps`;
  const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const demo = `/apis/chaosdemo.dev/v1alpha1/namespaces/${namespace}/chaosdemos/policed`;
  const create = (path: string, name: string): KubeRequest => ({
    method: 'POST',
    path,
    body: { metadata: { name } },
  });
  const patch = (path: string, body: object): KubeRequest => ({
    method: 'PATCH',
    path,
    body,
    contentType: 'application/merge-patch+json',
  });
  return {
    'a new ConfigMap': create(configMaps, 'settings'),
    'evidence that no ChaosDemo owns': create(configMaps, 'policed-evidence-9'),
    'a change of a ConfigMap': patch(`${configMaps}/theirs`, { data: { url: 'x' } }),
    'the deletion of a ConfigMap': { method: 'DELETE', path: `${configMaps}/theirs` },
    'a Lease of another program': create(leases, 'leader'),
    'a Lease of the leader in another namespace': create(leases, 'chaosdemo-operator'),
    'a finalizer of its own choice': patch(demo, { metadata: { finalizers: ['example.com/theirs'] } }),
    'a change of a spec': patch(demo, { spec: { historyLimit: 3 } }),
    'a request for a run': patch(demo, { metadata: { annotations: { 'chaosdemo.dev/requested-at': 'x' } } }),
  };
}

/** Which of them the API server accepts; dry runs. */
async function accepted(): Promise<string[]> {
  const outcomes = Object.entries(misuses()).map(async ([name, request]) => {
    try {
      await operator.request({ ...request, query: { dryRun: 'All' } });
      return [name];
    } catch (error) {
      if (!/denied request/.test(String(error))) throw error;
      return [];
    }
  });
  return (await Promise.all(outcomes)).flat();
}

/** With a fault and a burst, and without evidence of earlier runs, so that the operator also deletes. */
const RUN = {
  scenarios: [drift({ expect: 'Any' }), ghosts({ expect: 'Any', ghostAllowing: { trials: 1 } })],
  pace: { dwell: '0s' },
  historyLimit: 0,
};

it('a run under the policy ends as without it, and only its own writes are accepted', async () => {
  const { kubectl } = world.environment.controlPlane;
  await world.kubectl('create', 'configmap', 'theirs');
  await world.applySpec('policed', RUN);
  const outcomesOf = async (name: string) => {
    const { phase, scenarios = [] } = await world.ended(name);
    return [phase, ...scenarios.map(({ fault, result }) => [result, fault?.proof])];
  };
  const outcomes = await outcomesOf('policed');
  expect(outcomes).toEqual(['Succeeded', ['Violated', 'Confirmed'], ['Violated', 'Confirmed']]);
  expect(await accepted()).toEqual(Object.keys(misuses()));

  await kubectl.apply(policy);
  await until(async () => (await accepted()).length === 0, { what: 'the policy to be in force' });
  await world.applySpec('again', RUN);
  expect(await outcomesOf('again')).toEqual(outcomes);
  expect(await world.kubectl('get', 'configmap', 'again-evidence-1', '-o', 'name')).toContain('again');
  await world.annotate('again', 'requestedAt', 'once more');
  await world.untilStatus('again', 'run 2', ({ run }) => run?.number === 2 && run.completedAt !== undefined);
  const evidence = async () => await world.kubectl('get', 'configmaps', '-o', 'name');
  await until(async () => !(await evidence()).includes('again-evidence-1'), { what: 'evidence 1 to go' });
  expect(await evidence()).toContain('again-evidence-2');
  await world.delete('again');
});

it('a run with its Secret by name ends as with all of them', async () => {
  const { controlPlane, system } = world.environment;
  const secret = `/api/v1/namespaces/${world.namespace}/secrets/redis-observer`;
  await world.kubectl('create', 'secret', 'generic', 'redis-observer');
  expect(await operator.request({ method: 'GET', path: secret })).toBeDefined();

  const [role] = (await shipped('target-cluster-role.yaml', { system })) as unknown as {
    rules: { resources: string[] }[];
  }[];
  const rules = role?.rules.map((rule) =>
    rule.resources.includes('secrets') ? { ...rule, resourceNames: ['redis-auth'] } : rule,
  );
  const [apiGroup, name] = ['rbac.authorization.k8s.io', 'chaosdemo-target'];
  const place = { apiVersion: `${apiGroup}/v1`, metadata: { name, namespace: world.namespace } };
  await world.kubectl('delete', 'rolebinding', name);
  await controlPlane.kubectl.apply([
    { ...place, kind: 'Role', rules },
    {
      ...place,
      kind: 'RoleBinding',
      roleRef: { apiGroup, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name: OPERATOR_ACCOUNT, namespace: system }],
    },
  ]);
  const isRejected = async (): Promise<boolean> =>
    await operator.request({ method: 'GET', path: secret }).then(() => false, isForbidden);
  await until(isRejected, { what: 'the Role to be in force' });
  await world.applySpec('named', ONE_BURST);
  expect(verdictLine(await world.ended('named'))).toMatch(/^Succeeded /);
});
