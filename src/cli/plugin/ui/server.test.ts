import { once } from 'node:events';
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { ApiError, ApiUnreachableError } from '@chaosdemo/kube-runtime';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { MemorySource } from '../../../../test/fixtures/cli/plugin/ui/serve.ts';
import { withTextsOf } from '../../../../test/fixtures/cli/report/report.ts';
import { BOUNDS, serveUi, type Ui } from './server.ts';

// Plots are drawn, which takes its time on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 });

const token = 'T'.repeat(43);
let source: MemorySource;
let ui: Ui;
let sockets: Socket[];

beforeEach(async () => {
  source = new MemorySource();
  sockets = [];
  ui = await serveUi({ kubectl: 'kubectl', source, port: 0, token, key: 'once' });
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await ui.close();
});

interface SentOptions extends RequestOptions {
  headers?: Record<string, string>;
}

/** Sends the cookie of an admitted browser; `headers` add to that, and undefined ones are left out. */
async function open(path: string, options: SentOptions = {}): Promise<IncomingMessage> {
  const headers = { cookie: `chaosdemo-ui-${ui.port}=${token}`, ...options.headers };
  const sent = request({ host: '127.0.0.1', port: ui.port, path, agent: false, ...options, headers });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

async function get(path: string, options: SentOptions = {}) {
  const response = await open(path, options);
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe('access to the page server', () => {
  it('a browser with the token is admitted, and gets a cookie in its place', async () => {
    const entered = await get(`/runs/ratelimiter/demo?token=${token}`, { headers: { cookie: '' } });
    expect(entered.status).toBe(303);
    expect(entered.headers.location).toBe('/runs/ratelimiter/demo');
    expect(entered.headers['set-cookie']).toEqual([
      `chaosdemo-ui-${ui.port}=${token}; Path=/; HttpOnly; SameSite=Strict`,
    ]);
    expect((await get('/runs/ratelimiter/demo')).status).toBe(200);
  });

  it('a request without a token, with a wrong one or a prefix of it is rejected', async () => {
    const none = { headers: { cookie: '' } };
    for (const path of ['/', '/events', '/runs/ratelimiter/demo', '/?token=', `/?token=${token.slice(1)}`]) {
      expect({ path, ...(await get(path, none)) }).toMatchObject({ path, status: 403 });
    }
    const cookie = `chaosdemo-ui-${ui.port}=${token.slice(0, -1)}`;
    expect((await get('/', { headers: { cookie } })).status).toBe(403);
    expect((await get('/', { headers: { cookie: `chaosdemo-ui-1=${token}` } })).status).toBe(403);
  });

  it('the key in the link expires if no browser uses it within minutes', async () => {
    let at = 0;
    const own = await serveUi({ kubectl: 'kubectl', source, port: 0, token, key: 'unused', now: () => at });
    onTestFinished(() => own.close());
    at = BOUNDS.keyMs + 1;
    const late = { port: own.port, headers: { cookie: '' } };
    expect((await get('/?token=unused', late)).status).toBe(403);
    expect((await get(`/?token=${token}`, late)).status).toBe(303);
  });

  it('a request is rejected unless its Host is a loopback address (DNS rebinding)', async () => {
    for (const host of [`127.0.0.1:${ui.port}`, `localhost:${ui.port}`]) {
      expect((await get('/', { headers: { host } })).status).toBe(200);
    }
    for (const host of [
      'evil.example',
      `evil.example:${ui.port}`,
      '127.0.0.1',
      `127.0.0.1.evil.example:${ui.port}`,
      `[::1]:${ui.port}`,
    ]) {
      expect({ host, ...(await get('/', { headers: { host } })) }).toMatchObject({ host, status: 403 });
      expect((await get(`/?token=${token}`, { headers: { host } })).headers['set-cookie']).toBeUndefined();
    }
  });

  it('a request of a page from another origin is rejected', async () => {
    expect((await get('/', { headers: { origin: `http://127.0.0.1:${ui.port}` } })).status).toBe(200);
    for (const origin of [
      'http://evil.example',
      'null',
      `https://127.0.0.1:${ui.port}`,
      'http://127.0.0.1:1',
    ]) {
      expect({ origin, ...(await get('/', { headers: { origin } })) }).toMatchObject({ origin, status: 403 });
    }
  });
});

describe('a response of the page server', () => {
  it('has headers that forbid content from other origins, whatever its status', async () => {
    const answers = [
      await get('/'),
      await get('/runs/ratelimiter/gate'),
      await get('/nothing'),
      await get('/', { method: 'POST' }),
      await get('/', { headers: { cookie: '' } }),
      await get(`/?token=${token}`),
    ];
    for (const { headers } of answers) {
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'sha256-[^']+'; /);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'x-frame-options': 'DENY',
      });
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  it('is the list, one run, or 404', async () => {
    const all = await get('/');
    expect(all.body).toContain('<h1>2 ChaosDemos, 1 running</h1>');
    expect(all.body.indexOf('ratelimiter/gate')).toBeLessThan(all.body.indexOf('ratelimiter/demo'));
    expect((await get('/runs/ratelimiter/demo')).body).toContain('What to do');
    for (const path of [
      '/runs/ratelimiter/none',
      '/runs/ratelimiter/demo/1/2',
      '/runs/..%2f..%2fsecrets/demo',
      '/runs/UPPER/demo',
      '/favicon.ico',
    ]) {
      expect({ path, ...(await get(path)) }).toMatchObject({ path, status: 404 });
    }
  });

  it('an active run shows what is known, and nothing that only its end shows', async () => {
    const { body } = await get('/runs/ratelimiter/gate');
    expect(body).toContain('<h1>4/11 Counter Drift Chaos (fault confirmed)</h1>');
    expect(body.match(/no result yet<\/span>/g)).toHaveLength(2);
    expect(body.replaceAll(/<[^>]*>/g, '')).toContain('2026-01-01 00:00:16 UTC at the latest');
    expect(body).toContain('0:06.0 to 0:16.0 at the latest');
    expect(body).toContain('<figure>');
    expect(body).not.toContain('at least 0<');
    expect(body).not.toMatch(/not tested|no fault|evidence ends/i);
  });

  it('names neither API server nor token if the API server rejects or is away', async () => {
    const where = 'GET https://admin:secret@10.1.2.3:6443/apis';
    for (const [failure, status] of [
      [new ApiError(where, 403, { message: 'user jane may not' }), 403],
      [new ApiUnreachableError(where, 'ECONNREFUSED', '10.1.2.3:6443'), 502],
    ] as const) {
      source.failure = failure;
      const answer = await get('/');
      expect(answer.status).toBe(status);
      expect(answer.body).not.toMatch(/10\.1\.2\.3|jane|secret|TTTT/);
    }
  });

  it('shows every text of the cluster as text, and never as HTML', async () => {
    const attack = `x<script>alert(1)</script><img src=y onerror=z>"'></style></title>&<!--\u001b[2J\ud800\u202e`;
    const fill = async (value: string): Promise<string[]> => {
      for (const [name, recorded] of new MemorySource().sources) {
        source.sources.set(name, withTextsOf(recorded, value));
      }
      source.list = {
        ...source.list,
        rows: source.list.rows.map((row) => ({
          ...row,
          reason: value,
          chapter: value,
          message: value,
          name: value,
        })),
      };
      const paths = ['/', '/runs/ratelimiter/demo', '/runs/ratelimiter/gate'];
      const pages: string[] = [];
      for (const path of paths) pages.push((await get(path)).body);
      return pages;
    };
    // An address is made of the name, and differs.
    const tags = (page: string) =>
      page.match(/<[^>]*>/g)?.map((tag) => tag.replace(/href="\/runs[^"]*"/, ''));
    const plain = await fill('x');
    const attacked = await fill(attack);
    expect(attacked.map(tags)).toEqual(plain.map(tags));
    for (const page of attacked) expect(page).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  });
});

describe('a live page', () => {
  it('an event of a live page says that the run changed, and no more', async () => {
    const response = await open('/runs/ratelimiter/gate/events');
    expect(response.headers['content-type']).toBe('text/event-stream');
    const chunks = response.iterator({ destroyOnReturn: false });
    expect(String((await chunks.next()).value)).toBe(': here\n\n');
    for (const notify of source.followers) notify('changed');
    expect(String((await chunks.next()).value)).toBe('event: changed\ndata:\n\n');
    response.destroy();
  });

  it('live pages are limited: a further one gets 204, which ends its retries', async () => {
    for (let i = 0; i < BOUNDS.streams; i++) expect((await open('/events')).statusCode).toBe(200);
    expect((await open('/events')).statusCode).toBe(204);
    expect((await get('/')).status).toBe(200);
  });
});

describe('the bounds of the page server', () => {
  it('a request with more header bytes than the limit is rejected', async () => {
    const { status } = await get('/', { headers: { 'x-long': 'x'.repeat(BOUNDS.headBytes) } });
    expect(status).toBe(431);
  });

  it('closing the server ends live pages and idle connections', async () => {
    const response = await open('/events');
    const socket = connect(ui.port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
    // A response that is cut off emits an error before it closes.
    const closed = new Promise((resolve) => response.on('error', () => undefined).once('close', resolve));
    const ended = Promise.all([closed, once(socket, 'close')]);
    await ui.close();
    await ended;
    expect(source.followers.size).toBe(0);
    await expect(get('/')).rejects.toThrow(/ECONNREFUSED/);
  });

  it('the server listens on one loopback address only', async () => {
    await expect(serveUi({ kubectl: 'kubectl', source, port: ui.port, token })).rejects.toThrow(/EADDRINUSE/);
    const other = connect(ui.port, '127.0.0.2');
    await expect(once(other, 'connect')).rejects.toThrow(/ECONNREFUSED|EADDRNOTAVAIL/);
  });
});
