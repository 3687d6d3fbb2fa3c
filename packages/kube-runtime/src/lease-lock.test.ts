import { afterEach, expect, it } from 'vitest';
import { LeaseLock } from './lease-lock.ts';
import { sendJson, sendStatus, startWireServer, type WireServer } from './testing.fixture.ts';

let server: WireServer | undefined;
afterEach(() => server?.stop());

it('a release is retried if its own late renewal was stored in between', async () => {
  let version = 1;
  server = await startWireServer(({ method }, response) => {
    if (method === 'DELETE' && version === 1) {
      version = 2;
      return sendStatus(response, 409, 'Conflict');
    }
    const metadata = { name: 'l', uid: 'u', resourceVersion: String(version) };
    sendJson(response, method === 'DELETE' ? {} : { metadata, spec: { holderIdentity: 'ns/demo' } });
  });
  const lock = new LeaseLock({
    client: server.client(),
    namespace: 'ns',
    name: 'l',
    identity: 'ns/demo',
    leaseDurationMs: 15_000,
    freshMs: 10_000,
    deleteOnRelease: true,
  });
  await lock.release(60_000);
  const deletes = server.requests.filter(({ method }) => method === 'DELETE');
  expect(deletes.map(({ body }) => JSON.parse(body).preconditions.resourceVersion)).toEqual(['1', '2']);
});
