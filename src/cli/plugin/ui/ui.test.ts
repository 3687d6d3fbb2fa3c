import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { recordedConfigMap, recordedRun } from '../../../../test/fixtures/cli/report/report.ts';
import { runProgram } from '../../../../test/kit/program.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const SECRET = 'bearer-of-the-user';

let folder: string;
let api: Server;
let received: IncomingMessage[];
let child: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ui-'));
  received = [];
  api = createServer((request, response) => {
    received.push(request);
    const [status, answer] = answerTo(request.url ?? '');
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  api.listen(0, '127.0.0.1');
  await once(api, 'listening');
});
afterEach(async () => {
  child?.kill('SIGKILL');
  api.closeAllConnections();
  api.close();
  await rm(folder, { recursive: true });
});

/** What a user gets who may read the namespace of the context, and no list of all namespaces. */
function answerTo(url: string): [number, object] {
  const { pathname, searchParams } = new URL(url, 'http://api');
  if (pathname.startsWith('/empty/')) return [404, {}];
  const demos = '/apis/chaosdemo.dev/v1alpha1/namespaces/ratelimiter/chaosdemos';
  if (searchParams.has('watch')) return [403, { reason: 'Forbidden', message: 'no' }];
  if (pathname === demos) {
    return [200, { kind: 'ChaosDemoList', items: [recordedRun().demo] }];
  }
  if (pathname === `${demos}/demo`) return [200, recordedRun().demo];
  if (pathname === '/api/v1/namespaces/ratelimiter/configmaps/demo-evidence-1') {
    return [200, recordedConfigMap()];
  }
  const reason = pathname.includes('/namespaces/') ? 'NotFound' : 'Forbidden';
  return [reason === 'NotFound' ? 404 : 403, { reason, message: 'no' }];
}

/** The kubeconfig of the user. */
async function kubeconfigOf(server: string): Promise<string> {
  const kubeconfig = join(folder, 'kubeconfig');
  const config = {
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u', namespace: 'ratelimiter' } }],
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: SECRET } }],
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  return kubeconfig;
}

const addressOfApi = (): string => `http://127.0.0.1:${(api.address() as AddressInfo).port}`;

it.each([
  ['there is no API server', () => 'http://127.0.0.1:1', /no response from the API server/],
  // Below this path, the server knows nothing at all.
  ['ChaosDemos are not served', () => `${addressOfApi()}/empty`, /CustomResourceDefinition is missing/],
])('ends with the cause if %s', { timeout: 60_000 }, async (_, server, cause) => {
  const args = ['ui', '--kubeconfig', await kubeconfigOf(server())];
  const { status, stderr, stdout } = await runProgram(process.execPath, [MAIN, ...args]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(cause);
});

it('serves what the user may read until Ctrl-C, and leaves nothing', { timeout: 60_000 }, async () => {
  const kubeconfig = await kubeconfigOf(addressOfApi());
  child = spawn(process.execPath, [MAIN, 'ui', '--kubeconfig', kubeconfig], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const address = new URL((await lines.next()).value ?? '');
  expect(address.hostname).toBe('127.0.0.1');
  expect(Buffer.from(address.pathname.slice(1), 'base64url').length).toBe(32);
  const one = await (await fetch(address)).text();
  expect(one).toContain('<figure>');
  expect((await fetch(address.origin)).status).toBe(404);
  expect(one).not.toContain(SECRET);
  expect(
    received.every(({ headers, method }) => method === 'GET' && headers.authorization === `Bearer ${SECRET}`),
  ).toBe(true);

  child.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
  await expect(fetch(address)).rejects.toThrow('fetch failed');
});
