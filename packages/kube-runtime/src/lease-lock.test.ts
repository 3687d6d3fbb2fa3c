import { expect, it } from 'vitest';
import { LeaseLock } from './lease-lock.ts';
import { sendJson, sendStatus, startWireServer } from './testing.fixture.ts';

const OPTIONS = { namespace: 'ns', name: 'l', leaseDurationMs: 15_000, freshMs: 10_000 };

it('a release is retried if its own late renewal was stored in between', async () => {
  let version = 1;
  const server = await startWireServer(({ method }, response) => {
    if (method === 'DELETE' && version === 1) {
      version = 2;
      return sendStatus(response, 409, 'Conflict');
    }
    const metadata = { name: 'l', uid: 'u', resourceVersion: String(version) };
    sendJson(response, method === 'DELETE' ? {} : { metadata, spec: { holderIdentity: 'ns/demo' } });
  });
  const lock = new LeaseLock({
    ...OPTIONS,
    client: server.client(),
    identity: 'ns/demo',
    deleteOnRelease: true,
  });
  await lock.release(60_000);
  const deletes = server.requests.filter(({ method }) => method === 'DELETE');
  expect(deletes.map(({ body }) => JSON.parse(body).preconditions.resourceVersion)).toEqual(['1', '2']);
});

it('its annotations are written next to those of others', async () => {
  const metadata = { name: 'l', resourceVersion: '1', annotations: { theirs: '1', version: 'old' } };
  const server = await startWireServer((_, response) => sendJson(response, { metadata, spec: {} }));
  const annotations = { version: 'new' };
  const lock = new LeaseLock({ ...OPTIONS, client: server.client(), identity: 'me', annotations });
  await lock.acquireOrRenew(60_000);
  const written = server.requests.find(({ method }) => method === 'PUT')?.body ?? '';
  expect(JSON.parse(written).metadata.annotations).toEqual({ theirs: '1', version: 'new' });
});
