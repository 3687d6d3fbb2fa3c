/** The kill switch, turned by an admin and seen by the operator with the rights that ship. */
import { expect, it, onTestFinished } from 'vitest';
import { KillSwitch } from '../../src/operator/adapters/kill-switch.ts';
import { createLogger } from '../../src/operator/log.ts';
import { adminKubectl, uniqueNamespace } from '../kit/control-plane.ts';
import { shipped } from '../kit/operator.ts';
import { adminClient, operatorClient } from '../kit/operator-account.ts';
import { until } from '../kit/until.ts';

const name = 'chaosdemo-kill-switch';

it('the kill switch follows its ConfigMap', async () => {
  // In a separate namespace: in the operator's, it would stop the runs of other tests.
  const namespace = await uniqueNamespace('kill-switch');
  await adminKubectl().apply(await shipped('role.yaml', { namespace }));
  const admin = adminClient();
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const changes: boolean[] = [];
  const abort = new AbortController();
  const killSwitch = new KillSwitch({
    client: await operatorClient(),
    logger: createLogger({ level: 'fatal', identity: 'test' }),
    namespace,
    name,
    onChange: (on) => changes.push(on),
  });
  const running = killSwitch.reflector.run(abort.signal);
  onTestFinished(async () => {
    abort.abort();
    await running;
  });
  await killSwitch.reflector.waitForSync(AbortSignal.timeout(60_000));
  expect(killSwitch.isOn()).toBe(false);

  await admin.request({
    method: 'POST',
    path,
    body: { metadata: { name: 'other' }, data: { stop: 'true' } },
  });
  await admin.request({ method: 'POST', path, body: { metadata: { name }, data: { stop: 'true' } } });
  await until(() => changes.length === 1, { what: 'the switch to be on' });
  const patch = (stop: string) =>
    admin.request({
      method: 'PATCH',
      path: `${path}/${name}`,
      contentType: 'application/merge-patch+json',
      body: { data: { stop } },
    });
  await patch('false');
  await until(() => changes.length === 2, { what: 'the switch to be off' });
  await patch('yes');
  await until(() => changes.length === 3, { what: 'the switch to be on again' });
  await admin.request({ method: 'DELETE', path: `${path}/${name}` });
  await until(() => changes.length === 4, { what: 'the switch to be gone' });
  expect(changes).toEqual([true, false, true, false]);
  expect(killSwitch.isOn()).toBe(false);
});
