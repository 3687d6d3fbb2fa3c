/** A rate limiter behind HTTPS that requires a token: requests to it, and reports about it. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { certificateFor } from '../kit/certificate.ts';
import { folderOfFile } from '../kit/folder.ts';
import { until } from '../kit/until.ts';
import { type Sidecars, startSidecars } from './support/sidecars.ts';
import { SurveyedLimiters } from './support/surveyed-limiter.ts';

const NAME = 'express.shop.svc';
const TOKEN = 'a-token-that-never-appears';

const folder = folderOfFile();
let limiters: SurveyedLimiters;
let cert: string;
let key: string;
beforeAll(async () => {
  const files = await certificateFor(folder, `DNS:${NAME}`);
  [cert, key] = await Promise.all([readFile(files.certFile, 'utf8'), readFile(files.keyFile, 'utf8')]);
  limiters = await SurveyedLimiters.start();
});
afterAll(() => limiters?.close());

async function driven(http: object, auth: { ca?: string; headers?: Record<string, string> }) {
  let sidecars: Sidecars | undefined;
  onTestFinished(() => sidecars?.stop());
  const mapped = await limiters.specOf('express-rate-limit', 'default');
  const run = await limiters.drive('express-rate-limit', 'default', {
    scenarios: [{ name: 'ghosts', type: 'GhostAllowing', expect: 'Violated', ghostAllowing: { trials: 2 } }],
    change: { http: { ...mapped.http, ...http } },
    target: async (found) => {
      sidecars = await startSidecars({ nodes: found.pods, cert, key, token: TOKEN });
      return { ...found, pods: sidecars.nodes, http: auth };
    },
  });
  onTestFinished(run.close);
  return { ...run, requests: async () => (await sidecars?.requests()) ?? [] };
}

describe('a limiter behind HTTPS', { timeout: 300_000 }, () => {
  it('gets requests over verified TLS, with the headers of a Secret', async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const tls = { serverName: NAME };
    const { driver, key: fixture, requests } = await driven({ tls }, { ca: cert, headers });
    driver.converge([{ kind: 'PollHealth', intervalMs: 250 }]);
    await until(() => driver.observed.health?.pods.every(({ state }) => state === 'ready'), {
      what: 'the nodes to be well',
    });
    await driver.prepare('ghosts', fixture);
    // Health checks are sent without them.
    expect(new Set(await requests())).toEqual(new Set(['/']));
    expect(JSON.stringify(driver.observed)).not.toContain(TOKEN);
  });
});
