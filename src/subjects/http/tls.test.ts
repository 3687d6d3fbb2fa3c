import { readFile } from 'node:fs/promises';
import { createServer as createPlain } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { podOf } from '../../../test/fixtures/subjects/http/pods.ts';
import { certificateFor } from '../../../test/kit/certificate.ts';
import { folderOfFile } from '../../../test/kit/folder.ts';
import { sendBurst } from './burst.ts';
import { ConnectionBudget } from './connection-budget.ts';
import { type Dial, dialTls } from './dial.ts';
import { PodClient } from './pod-client.ts';

const { signal } = new AbortController();
const NAME = 'your-api.shop.svc';

const folder = folderOfFile();
let cert: string;
let key: string;
beforeAll(async () => {
  const files = await certificateFor(folder, `DNS:${NAME}`);
  [cert, key] = await Promise.all([readFile(files.certFile, 'utf8'), readFile(files.keyFile, 'utf8')]);
});

/** A node that answers with the Host and the TLS server name of the request. */
async function secureNode(serverName = NAME, options: ServerOptions = {}) {
  const server = createServer({ cert, key, ...options }, ({ headers, socket }, response) => {
    response.end(`${headers.host} ${(socket as { servername?: string }).servername}`);
  });
  return { ...(await podOf(server)).pod, serverName };
}

async function get(pod: Awaited<ReturnType<typeof secureNode>>, dial: Dial) {
  const client = new PodClient(pod, Date.now, dial);
  onTestFinished(() => client.close());
  return await client.send({ method: 'GET', path: '/' }, 5000, signal);
}

describe('a node that speaks TLS', () => {
  it('gets requests by the name of its certificate', async () => {
    const pod = await secureNode();
    const { answer, failure } = await get(pod, dialTls(cert));
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
        pods: [pod],
        request: { method: 'GET', path: '/' },
        count: 50,
        read: ({ status }) => status,
        timeoutMs: 5000,
        budget: new ConnectionBudget(500).onBehalfOf('shop'),
        dial,
      },
      signal,
    );
    expect(connections).toBe(50);
    expect(outcomes.map(({ answer }) => answer)).toEqual(Array.from({ length: 50 }, () => 200));
  });

  it.each([
    ['an authority that the spec does not name', NAME, undefined, /name a Secret with the authority/],
    ['another name', 'other-api.shop.svc', 'own', /not for http.tls.serverName/],
  ])('gets no request with %s', async (_, serverName, ca, message) => {
    const sent = await get(await secureNode(serverName), dialTls(ca && cert));
    expect(sent.answer).toBeUndefined();
    expect(sent.failure).toMatchObject({ code: 'UNREACHABLE', message: expect.stringMatching(message) });
  });

  it('a node without TLS is reported as such', async () => {
    const { pod } = await podOf(createPlain((_, response) => response.end('hello')));
    const sent = await get({ ...pod, serverName: NAME }, dialTls(cert));
    expect(sent.failure).toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(/speaks no TLS/),
    });
  });

  it('a node that wants a client certificate is reported as such', async () => {
    const strict = { requestCert: true, rejectUnauthorized: true };
    const sent = await get(await secureNode(undefined, strict), dialTls(cert));
    expect(sent.failure?.message).toMatch(/certificate of the client/);
  });
});
