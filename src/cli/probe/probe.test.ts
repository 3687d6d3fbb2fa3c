import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Command } from 'commander';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parsed } from '../../../test/kit/command.ts';
import { UsageError } from '../../settings/settings.ts';
import { type ProbeOptions, withProbeOptions } from './options.ts';
import { Probe } from './probe.ts';
import { ApiClient } from './request.ts';

/** An API with a limit for each caller, and all that this shows from outside. */
interface Api {
  readonly identify: (request: IncomingMessage) => string;
  readonly limit?: number;
  readonly headers?: (used: number) => Record<string, string>;
  /** A caller gets one request back so often; milliseconds. */
  readonly refillMs?: number;
  /** Admitted requests count for so long; milliseconds. */
  readonly logMs?: number;
  /** Each window is so long, from the first request of a caller or by the clock; milliseconds. */
  readonly windowMs?: number;
  readonly byClock?: boolean;
  /** The second request of a rejected caller is admitted, as if a bucket returned one at that moment. */
  readonly stray?: boolean;
  /** The limiter is in front of every path but /health. */
  readonly everywhere?: boolean;
  /** Answers instead of the limiter. */
  readonly answer?: (request: IncomingMessage) => number | undefined;
}

const identifiedBy = (name: string) => (request: IncomingMessage) => String(request.headers[name]);

async function probe(api: Api, ...args: string[]) {
  const {
    answer,
    byClock = false,
    everywhere = false,
    headers,
    identify,
    limit = 5,
    logMs,
    refillMs = Infinity,
    stray = false,
    windowMs = Infinity,
  } = api;
  const counts = new Map<string, number>();
  let sent = 0;
  const begins = new Map<string, number>();
  const rejected = new Map<string, number>();
  const times = new Map<string, number[]>();
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    sent += 1;
    const isLimited = everywhere || request.url?.startsWith('/items') === true;
    const status = request.url === '/health' ? 200 : (answer?.(request) ?? (isLimited ? undefined : 404));
    if (status !== undefined) {
      response.writeHead(status).end();
      return;
    }
    const caller = identify(request);
    if (Date.now() - (begins.get(caller) ?? 0) >= windowMs) {
      begins.set(caller, byClock ? Date.now() - (Date.now() % windowMs) : Date.now());
      counts.delete(caller);
    }
    begins.set(caller, begins.get(caller) ?? Date.now());
    const refilled = Math.floor((Date.now() - (begins.get(caller) ?? 0)) / refillMs);
    const used = (counts.get(caller) ?? 0) + 1;
    const recent = (times.get(caller) ?? []).filter((time) => Date.now() - time < (logMs ?? Infinity));
    const isRejected = logMs === undefined ? used > limit + refilled : recent.length >= limit;
    if (!isRejected) times.set(caller, [...recent, Date.now()]);
    if (isRejected) rejected.set(caller, (rejected.get(caller) ?? 0) + 1);
    const isAdmitted = !isRejected || (stray && rejected.get(caller) === 2);
    if (isAdmitted) counts.set(caller, used);
    for (const [name, value] of Object.entries(headers?.(used) ?? {})) response.setHeader(name, value);
    response.writeHead(isAdmitted ? 200 : 429).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new ApiClient({ origin, advice: '' }, AbortSignal.timeout(60_000));
  onTestFinished(async () => {
    await client.close();
    server.close();
  });
  const options = parsed(withProbeOptions(new Command()), args).opts<ProbeOptions>();
  const waits: number[] = [];
  let measured = 0;
  const probing = new Probe(client, options, {
    path: '/items',
    ...(logMs !== undefined && { onWait: (seconds: number) => waits.push(seconds) }),
    ...(windowMs < Infinity && { onMeasure: () => void (measured += 1) }),
  });
  const facts = await probing.run();
  const sources = Object.fromEntries(probing.findings.map(({ source, what }) => [what, source]));
  return { ...facts, sources, callers: [...counts.keys()], measured, sent, waits };
}

describe('a probe of an API', () => {
  it('measures the limit and the header that identifies callers', async () => {
    const found = await probe({ identify: identifiedBy('x-user-id') });
    expect(found).toMatchObject({
      healthPath: '/health',
      request: { path: '/items', headers: [{ name: 'X-User-Id', value: '$(key)' }] },
      limit: { requests: 5, window: '60s', algorithm: 'FixedWindow', windowStart: 'Unknown' },
      sources: {
        health: 'found',
        caller: 'measured',
        limit: 'measured',
        window: 'guess',
        algorithm: 'not known',
      },
    });
    expect(found.callers.filter((caller) => !/^demo-probe-[0-9a-f]{8}-\d$/.test(caller))).toEqual([]);
    expect(found.sent).toBeLessThan(20);
  });

  it('measures that a bucket returns one request after the other', async () => {
    const found = await probe({ identify: identifiedBy('x-api-key'), refillMs: 2_000 }, '--window=10s');
    expect(found).toMatchObject({
      limit: { requests: 5, window: '10s', algorithm: 'TokenBucket' },
      sources: { window: 'given', algorithm: 'measured' },
    });
  });

  it('sends one request of a caller if everything else is given', async () => {
    const found = await probe(
      { identify: identifiedBy('x-api-key'), headers: () => ({ 'RateLimit-Policy': '5;w=30' }) },
      '--limit=5',
      '--key-header=X-Api-Key',
      '--health=/health',
    );
    expect(found).toMatchObject({
      limit: { requests: 5, window: '30s' },
      sent: 2,
      sources: { window: 'found' },
    });
  });

  it.each<[string, Api['answer'], string[], string]>([
    ['a request needs a login', () => 401, ['--health=/health'], '--header'],
    ['there is no such path', () => 404, ['--health=/health'], 'answered 404'],
    ['a new caller is rejected', () => 429, ['--health=/health'], '--key-header'],
    [
      'a health check fails',
      ({ url }) => (url === '/up' ? 503 : undefined),
      ['--health=/up'],
      'GET /up answered 503',
    ],
    ['nothing is limited', () => 200, ['--health=/health'], 'admitted 1000 requests'],
  ])('states what to write if %s', async (_, answer, args, message) => {
    const failing = probe({ identify: identifiedBy('x-api-key'), ...(answer && { answer }) }, ...args);
    await expect(failing).rejects.toThrow(UsageError);
    await expect(failing).rejects.toThrow(message);
  });
});
