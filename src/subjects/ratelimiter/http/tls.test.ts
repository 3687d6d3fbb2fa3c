import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createPlain } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { certificateFor } from '../../../../test/kit/certificate.ts';
import { sendBurst } from './burst.ts';
import { BurstNotSentError, spread } from './burst-plan.ts';
import { ConnectionBudget } from './connection-budget.ts';
import { type Dial, dialTcp, dialTls } from './dial.ts';
import { PodClient } from './pod-client.ts';

const { signal } = new AbortController();
const NAME = 'your-api.shop.svc';

let folder: string;
let cert: string;
let key: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chaosdemo-tls-'));
  const files = await certificateFor(folder, `DNS:${NAME}`);
  [cert, key] = await Promise.all([readFile(files.certFile, 'utf8'), readFile(files.keyFile, 'utf8')]);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function listening(server: Server & { closeAllConnections(): void }, serverName = NAME) {
  server.listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { name: 'api-0', host: '127.0.0.1', port, serverName };
}

/** A node that answers with the host and the name that it was asked for. */
async function secureNode(serverName?: string, options: ServerOptions = {}) {
  const server = createServer({ cert, key, ...options }, ({ headers, socket }, response) => {
    response.end(`${headers.host} ${(socket as { servername?: string }).servername}`);
  });
  return await listening(server, serverName);
}

async function ask(pod: Awaited<ReturnType<typeof secureNode>>, dial: Dial) {
  const client = new PodClient(pod, 4, Date.now, dial);
  onTestFinished(() => client.close());
  return await client.send({ method: 'GET', path: '/' }, 5000, signal);
}

describe('a node that speaks TLS', () => {
  it('is asked by the name that its certificate is for', async () => {
    const pod = await secureNode();
    const { answer, failure } = await ask(pod, dialTls(cert));
    expect(failure).toBeUndefined();
    expect(answer?.body.toString()).toBe(`${NAME}:${pod.port} ${NAME}`);
  });

  it('gets a burst, each request over a connection that stood before', async () => {
    const pod = await secureNode();
    let connections = 0;
    const dial: Dial = (to, take) => {
      connections += 1;
      return dialTls(cert)(to, take);
    };
    const { outcomes } = await sendBurst(
      {
        requests: spread([pod], 50, () => ({ method: 'GET', path: '/' })),
        read: ({ status }) => status,
        timeoutMs: 5000,
        budget: new ConnectionBudget(50).onBehalfOf('shop'),
        dial,
      },
      signal,
    );
    expect(connections).toBe(50);
    expect(outcomes.map(({ answer }) => answer)).toEqual(Array.from({ length: 50 }, () => 200));
  });

  it.each([
    ['an authority that nobody named', NAME, undefined, /put the authority into ca.crt/],
    ['another name', 'other-api.shop.svc', 'own', /not for http.tlsServerName/],
  ])('is not asked with %s', async (_, serverName, ca, message) => {
    const asked = await ask(await secureNode(serverName), dialTls(ca && cert));
    expect(asked.answer).toBeUndefined();
    expect(asked.failure).toMatchObject({ code: 'UNREACHABLE', message: expect.stringMatching(message) });
  });

  it('gets no request of a burst where its certificate does not hold', async () => {
    const pod = await secureNode('other-api.shop.svc');
    const burst = sendBurst(
      {
        requests: spread([pod], 3, () => ({ method: 'GET', path: '/' })),
        read: () => undefined,
        timeoutMs: 5000,
        budget: new ConnectionBudget(3).onBehalfOf('shop'),
        dial: dialTls(cert),
      },
      signal,
    );
    await expect(burst).rejects.toThrow(BurstNotSentError);
    await expect(burst).rejects.toThrow(/api-0 did not work: .*http\.tlsServerName/);
  });

  it('is told apart from one that speaks none', async () => {
    const plain = await listening(createPlain((_, response) => response.end('hello')));
    const asked = await ask(plain, dialTls(cert));
    expect(asked.failure).toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(/speaks no TLS/),
    });
  });

  it('that wants a certificate of the client is told of', async () => {
    const strict = { requestCert: true, rejectUnauthorized: true };
    const asked = await ask(await secureNode(undefined, strict), dialTls(cert));
    expect(asked.failure?.message).toMatch(/certificate of the client/);
  });

  it('does not answer where it is asked without TLS', async () => {
    const asked = await ask(await secureNode(), dialTcp);
    expect(asked.answer).toBeUndefined();
  });
});
