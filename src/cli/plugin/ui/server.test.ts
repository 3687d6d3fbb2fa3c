import { once } from 'node:events';
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { ApiError, ApiUnreachableError } from '@chaosdemo/kube-runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { demoWith, evidenceOfRun, statusInFault } from '../../../../test/fixtures/cli/view/status.ts';
import { type Live, reportHtml } from '../../report/html.ts';
import { type ReportSource, runReport } from '../../report/report.ts';
import { PluginError } from '../errors.ts';
import { serveUi, type Ui } from './server.ts';

// Plots are drawn, which takes its time on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 });

/** What the API server answers. */
let page: () => Promise<string>;
let ui: Ui;
/** Of the address. */
let port: number;
let path: string;
let sockets: Socket[];

beforeEach(async () => {
  page = async () => 'the page';
  sockets = [];
  ui = await serveUi(async () => await page(), 0);
  const address = new URL(ui.address);
  port = Number(address.port);
  path = address.pathname;
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await ui.close();
});

async function get(of = path, options: RequestOptions = {}) {
  const sent = request({ host: '127.0.0.1', port, path: of, agent: false, ...options });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

it('a path without the token, with a wrong one or a part of it is rejected', async () => {
  const token = path.slice(1);
  for (const wrong of ['/', `/?token=${token}`, `/${token.slice(1)}`, `${path}/`, `${path}?x`, `/${path}`]) {
    expect({ wrong, ...(await get(wrong)) }).toMatchObject({ wrong, status: 404 });
  }
  expect((await get()).status).toBe(200);
});

describe('a response of the page server', () => {
  it('has headers that forbid content from other origins, whatever its status', async () => {
    const answers = [await get(), await get('/nothing'), await get(path, { method: 'POST' })];
    for (const { headers } of answers) {
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'sha256-[^']+'; /);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'x-frame-options': 'DENY',
      });
      expect(headers['access-control-allow-origin']).toBeUndefined();
      expect(headers['set-cookie']).toBeUndefined();
    }
  });

  it('is the page, or why there is none', async () => {
    expect((await get()).body).toBe('the page');
    expect((await get(path, { method: 'POST' })).status).toBe(404);
    page = async () => await Promise.reject(new PluginError('there is no ChaosDemo <b>'));
    expect(await get()).toMatchObject({
      status: 404,
      body: expect.stringContaining('no ChaosDemo &lt;b&gt;'),
    });
  });

  it('names neither API server nor token if the API server rejects or is away', async () => {
    const where = 'GET https://admin:secret@10.1.2.3:6443/apis';
    for (const [failure, status] of [
      [new ApiError(where, 403, { message: 'user jane may not' }), 403],
      [new ApiUnreachableError(where, 'ECONNREFUSED', '10.1.2.3:6443'), 502],
    ] as const) {
      page = async () => await Promise.reject(failure);
      const answer = await get();
      expect(answer.status).toBe(status);
      expect(answer.body).not.toMatch(/10\.1\.2\.3|jane|secret/);
      expect(answer.body).not.toContain(path);
    }
  });
});

describe('the page of an active run', () => {
  const { demo, evidence } = { demo: demoWith(statusInFault()), evidence: evidenceOfRun() };
  const pageOf = (source: ReportSource): string => {
    const live: Live = { script: '1', now: Date.parse('2026-01-01T00:00:10Z') };
    const report = runReport(source);
    return report ? reportHtml(report, live) : '';
  };

  it('shows what is known, and nothing that only its end shows', () => {
    const body = pageOf({ demo, evidence });
    expect(body).toContain('<h1>4/11 Counter Drift Chaos (fault confirmed)</h1>');
    expect(body.match(/no result yet<\/span>/g)).toHaveLength(2);
    expect(body.replaceAll(/<[^>]*>/g, '')).toContain('2026-01-01 00:00:16 UTC at the latest');
    expect(body).toContain('0:06.0 to 0:16.0 at the latest');
    expect(body).toContain('<figure>');
    expect(body).not.toContain('at least 0<');
    expect(body).not.toMatch(/not tested|no fault|evidence ends|What to do/i);
  });

  it('has no figures of the status during a fault: evidence is newer', () => {
    const measures = { drift: 4711 };
    const old = { measures, result: 'Violated' as const, evidence: ['4711 of 10 were admitted'] };
    const scenarios = (demo.status?.scenarios ?? []).map((one) => ({ ...one, ...old }));
    const source = { demo: { ...demo, status: { ...demo.status, scenarios } }, evidence };
    expect(pageOf(source)).not.toMatch(/What was measured|What was seen|4711/);
  });
});

describe('the bounds of the page server', () => {
  it('closing the server ends requests and idle connections', async () => {
    page = async () => await new Promise(() => undefined);
    const waiting = get().catch((error: Error) => error.message);
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
    const ended = new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve));
    await ui.close();
    await ended;
    expect(await waiting).toMatch(/socket hang up|ECONNRESET/);
    await expect(get()).rejects.toThrow(/ECONNREFUSED/);
  });

  it('the server listens on one loopback address only', async () => {
    await expect(serveUi(page, port)).rejects.toThrow(/EADDRINUSE/);
    const other = connect(port, '127.0.0.2');
    await expect(once(other, 'connect')).rejects.toThrow(/ECONNREFUSED|EADDRNOTAVAIL/);
  });
});
