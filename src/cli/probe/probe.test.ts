import type { IncomingMessage } from 'node:http';
import { UsageError } from '@chaosdemo/settings';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { clientOfPod } from '../../../test/fixtures/subjects/http/pods.ts';
import { parsed } from '../../../test/kit/command.ts';
import { PROBE_OPTIONS, type ProbeOptions } from './options.ts';
import { probeApi } from './probe.ts';

/** An API with a limit for each caller, and all that this shows from outside. */
interface Api {
  readonly identify: (request: IncomingMessage) => string;
  /** The second request of a rejected caller is admitted, as if a bucket returned one at that moment. */
  readonly stray?: boolean;
  /** Requests of one caller; default 5. */
  readonly limit?: number;
  /** Status of a rejection; default 429. */
  readonly rejection?: number;
  /** Status of /health; default 200. */
  readonly health?: number;
  /** The limiter is in front of every path. */
  readonly everywhere?: boolean;
  /** Answers instead of the limiter. */
  readonly answer?: (request: IncomingMessage) => number | undefined;
}

const LIMIT = 5;
const WINDOW = '--window=60s';
const identifiedBy = (name: string) => (request: IncomingMessage) => String(request.headers[name]);

async function probe(
  { answer, everywhere = false, health = 200, identify, limit = LIMIT, rejection = 429, stray = false }: Api,
  ...args: string[]
) {
  const counts = new Map<string, number>();
  const rejected = new Map<string, number>();
  let sent = 0;
  const client = await clientOfPod((request, response) => {
    sent += 1;
    const isLimited = everywhere || request.url?.startsWith('/items') === true;
    const status =
      request.url === '/health' && !everywhere
        ? health
        : (answer?.(request) ?? (isLimited ? undefined : 404));
    if (status !== undefined) {
      response.writeHead(status).end();
      return;
    }
    const caller = identify(request);
    const used = (counts.get(caller) ?? 0) + 1;
    const isRejected = used > limit;
    if (isRejected) rejected.set(caller, (rejected.get(caller) ?? 0) + 1);
    const isAdmitted = !isRejected || (stray && rejected.get(caller) === 2);
    if (isAdmitted) counts.set(caller, used);
    response.writeHead(isAdmitted ? 200 : rejection).end('{}');
  });
  const command = new Command();
  for (const option of PROBE_OPTIONS) command.addOption(option);
  const options = parsed(command, args).opts<ProbeOptions>();
  const waits: string[] = [];
  const print = (line: string): void => void (line.startsWith('window: ') && waits.push(line));
  const signal = AbortSignal.timeout(60_000);
  const { facts, findings } = await probeApi(options, { client, signal, path: '/items', advice: '', print });
  const sources = Object.fromEntries(findings.map(({ source, what }) => [what, source]));
  return { ...facts, sources, callers: [...counts.keys()], sent, waits };
}

describe('a probe of an API', () => {
  it('measures the limit and the header that identifies callers', async () => {
    const found = await probe({ identify: identifiedBy('x-user-id') }, WINDOW);
    expect(found).toMatchObject({
      healthPath: '/health',
      request: { path: '/items', headers: [{ name: 'X-User-Id', value: '$(key)' }] },
      limit: { requests: 5, window: '1m' },
      sources: {
        health: 'found',
        caller: 'measured',
        limit: 'measured',
        window: 'given',
        algorithm: 'not known',
      },
      waits: [],
    });
    expect(found.callers.filter((caller) => !/^demo-probe-[0-9a-f]{8}-\d$/.test(caller))).toEqual([]);
    expect(found.sent).toBeLessThan(20);
  });

  it('does not take a returned request for one of another caller', async () => {
    const found = await probe({ identify: identifiedBy('x-user-id'), stray: true }, WINDOW);
    expect(found.request.headers).toEqual([{ name: 'X-User-Id', value: '$(key)' }]);
  });

  it('does not take a returned request for a path without a limiter', async () => {
    const api = { identify: identifiedBy('x-api-key'), stray: true, everywhere: true };
    const found = await probe(api, WINDOW, '--key-header=X-Api-Key');
    expect(found.healthPath).toBeUndefined();
  });

  it('finds a limit by a forwarded address', async () => {
    const found = await probe({ identify: identifiedBy('x-forwarded-for') }, WINDOW);
    expect(found.request.headers).toEqual([{ name: 'X-Forwarded-For', value: '$(address)' }]);
    expect(found.callers.filter((caller) => !/^198\.1[89]\./.test(caller))).toEqual([]);
  });

  it('measures the largest limit', async () => {
    const found = await probe({ identify: identifiedBy('x-api-key'), limit: 1_000 }, WINDOW);
    expect(found.limit.requests).toBe(1_000);
  });

  it('reads a rejection by another status', async () => {
    const api = { identify: identifiedBy('x-api-key'), rejection: 403 };
    await expect(probe(api, WINDOW)).rejects.toThrow('--rejected 403');
    expect(await probe(api, WINDOW, '--rejected=403')).toMatchObject({
      request: { rejectedStatuses: [403] },
      limit: { requests: 5 },
    });
  });

  it('sends one request of a caller if everything else is given', async () => {
    const found = await probe(
      { identify: identifiedBy('x-api-key') },
      '--limit=5',
      '--window=30s',
      '--key-header=X-Api-Key',
      '--health=/health',
    );
    expect(found).toMatchObject({
      limit: { requests: 5, window: '30s' },
      sent: 2,
      sources: { window: 'given' },
    });
  });

  it('needs no path without a limiter', async () => {
    const given = ['--limit=5', '--window=30s', '--key-header=X-Api-Key'];
    const found = await probe({ identify: identifiedBy('x-api-key'), health: 404 }, ...given);
    expect(found.healthPath).toBeUndefined();
    expect(found.sources).toMatchObject({ health: 'not known', limit: 'given' });
  });

  it.each<[string, Api['answer'], string[], string]>([
    ['a request needs a login', () => 401, ['--health=/health'], '--header'],
    ['there is no such path', () => 404, ['--health=/health'], 'responded with 404'],
    ['a new caller is rejected', () => 429, ['--health=/health'], '--key-header'],
    ['a header cannot be sent', undefined, ['--header=Connection: close'], 'Connection cannot be set'],
    [
      'a health check fails',
      ({ url }) => (url === '/up' ? 503 : undefined),
      ['--health=/up'],
      'GET /up: responded with 503',
    ],
    ['nothing is limited', () => 200, ['--health=/health'], 'admitted 1001 requests'],
  ])('states what to write if %s', async (_, answer, args, message) => {
    const failing = probe({ identify: identifiedBy('x-api-key'), ...(answer && { answer }) }, ...args);
    await expect(failing).rejects.toThrow(UsageError);
    await expect(failing).rejects.toThrow(message);
  });
});
