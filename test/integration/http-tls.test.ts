/** A rate limiter behind HTTPS that lets nobody in without a token: what is sent to it, and what is told of it. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request as forward } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { NodeTarget } from '../../src/subjects/ratelimiter/index.ts';
import { certificateFor } from '../kit/certificate.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { until } from '../kit/until.ts';
import { SurveyedLimiters } from './support/surveyed-limiter.ts';

const NAME = 'express.shop.svc';
const TOKEN = 'a-token-that-nobody-may-read';

let folder: string;
let limiters: SurveyedLimiters;
let cert: string;
let key: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chaosdemo-http-tls-'));
  const files = await certificateFor(folder, `DNS:${NAME}`);
  [cert, key] = await Promise.all([readFile(files.certFile, 'utf8'), readFile(files.keyFile, 'utf8')]);
  limiters = await SurveyedLimiters.start();
});
afterAll(async () => {
  await limiters?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** A sidecar in front of a node, as a mesh has them. Whoever has no token gets back what was sent. */
async function sidecar(node: NodeTarget, paths: Set<string>): Promise<NodeTarget> {
  const server: Server = createServer({ cert, key }, (request, response) => {
    const authorization = request.headers['authorization'];
    if (authorization !== undefined) paths.add(request.url ?? '');
    if (authorization !== `Bearer ${TOKEN}` && request.url !== '/healthz') {
      response.writeHead(401).end(JSON.stringify(request.headers));
      return;
    }
    const { headers, method, url: path } = request;
    const onward = forward({ host: node.host, port: node.port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  }).listen(0, node.host);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { ...node, port: (server.address() as AddressInfo).port };
}

async function driven(http: object, auth: { ca?: string; headers?: Record<string, string> }) {
  const paths = new Set<string>();
  const mapped = (await limiters.specOf('express-rate-limit', 'default')) as { interface: { http: object } };
  const run = await limiters.drive('express-rate-limit', 'default', {
    scenarios: [{ name: 'ghosts', type: 'GhostAllowing', ghostAllowing: { trials: 2, settle: '1s' } }],
    change: { interface: { type: 'HTTP', http: { ...mapped.interface.http, ...http } } },
    target: async (found) => ({
      ...found,
      nodes: await Promise.all(found.nodes.map((node) => sidecar(node, paths))),
      http: auth,
    }),
  });
  onTestFinished(run.close);
  return { ...run, paths };
}

describe('a limiter behind HTTPS', { timeout: 300_000 }, () => {
  it('is asked over connections that are checked, with the headers of a Secret', async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const {
      driver,
      key: fixture,
      paths,
    } = await driven({ tls: { serverName: NAME } }, { ca: cert, headers });
    driver.converge([{ kind: 'PollHealth', intervalMs: 250 }]);
    await until(() => driver.observed.health?.nodes.every(({ state }) => state === 'ready'), {
      what: 'the nodes to be well',
    });
    await driver.prepare('ghosts', fixture);
    // Health is asked without them.
    expect([...paths]).toEqual(['/']);
    expect(JSON.stringify(driver.observed)).not.toContain(TOKEN);
  });

  it.skipIf(withoutRealTime)(
    'gets a burst that keeps together',
    // Whether 30 TLS connections are written to within 100 ms is up to the machine; once is enough to show that it is done.
    { retry: 2 },
    keepingTime(async () => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const { driver, key: fixture } = await driven({ tls: { serverName: NAME } }, { ca: cert, headers });
      await driver.prepare('ghosts', fixture);
      driver.converge([{ kind: 'Watch', fault: 'f', scenario: 'ghosts', fixture }]);
      await driver.inject('ghosts', fixture, 5000);
      expect(driver.observed.faults['f']).toMatchObject({ proof: 'Confirmed' });
      const whole = () =>
        driver.observed.readings['f']?.complete ? driver.observed.readings['f'] : undefined;
      const reading = await until(whole, { what: 'the end of the watch' });
      expect(reading).toMatchObject({ shortfalls: [], summary: '10/10, 0/2 trials' });
    }),
  );

  it('that says a wrong token back is told of without it', async () => {
    const { driver, key: fixture } = await driven(
      { tls: { serverName: NAME } },
      { ca: cert, headers: { authorization: `Bearer ${TOKEN}-old` } },
    );
    await expect(driver.prepare('ghosts', fixture)).rejects.toThrow(/answered 401/);
    expect(JSON.stringify(driver.observed)).not.toContain(TOKEN);
  });

  it.each([
    ['for another name', { serverName: 'other.shop.svc' }, true, /interface.http.tls.serverName/],
    ['by an authority that nobody named', { serverName: NAME }, false, /put the authority into ca.crt/],
  ])('with a certificate %s is not asked, and it is said why', async (_, tls, named, message) => {
    const {
      driver,
      key: fixture,
      paths,
    } = await driven({ tls }, { ...(named && { ca: cert }), headers: { authorization: `Bearer ${TOKEN}` } });
    await expect(driver.prepare('ghosts', fixture)).rejects.toThrow(message);
    driver.converge([{ kind: 'PollHealth', intervalMs: 250 }]);
    const health = await until(() => driver.observed.health, { what: 'a look at the health' });
    expect(health.issues[0]).toMatch(message);
    expect([...paths]).toEqual([]);
  });
});
