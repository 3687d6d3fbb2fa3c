/** What the API servers themselves accept and refuse of a ChaosDemo, and what they say: a real one, and that in memory. */

import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { MemoryApi } from '@chaosdemo/kube-runtime/memory';
import { Kubectl } from '@chaosdemo/testbed';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type ChaosDemo, scenariosOf, subjectPart } from '../../src/api/index.ts';
import { admission } from '../../src/cli/api-server/admission.ts';
import { lockKind } from '../../src/subjects/lock/kind.ts';
import { rateLimiterKind } from '../../src/subjects/ratelimiter/kind.ts';
import { PART } from '../../src/subjects/ratelimiter/spec/schema.ts';

const SAMPLES = new URL('../../manifests/samples/', import.meta.url);
const namespace = 'api-test';
let kubectl: Kubectl;

beforeAll(async () => {
  const { binaries, kubeconfig } = inject('controlPlane');
  kubectl = new Kubectl(binaries.kubectl, kubeconfig);
  await kubectl.createNamespace(namespace);
});

const limiter = {
  selector: { matchLabels: { app: 'x' } },
  redis: { serviceName: 'redis' },
};

type Create = (demo: object) => Promise<ChaosDemo>;

/** How each of them judges an object, without storing it. */
const SERVERS: readonly (readonly [string, Create])[] = [
  [
    'the API server',
    async (demo) => {
      const args = ['create', '--dry-run=server', '-o', 'json', '-f', '-'];
      return JSON.parse(await kubectl.run(args, { input: JSON.stringify(demo) })) as ChaosDemo;
    },
  ],
  [
    'the API in memory',
    async (body) => {
      const path = `/apis/chaosdemo.dev/v1alpha1/namespaces/${namespace}/chaosdemos`;
      return await new MemoryApi(admission()).request<ChaosDemo>({ method: 'POST', path, body });
    },
  ],
];

const drift = (changes: object) => [{ name: 'd', type: 'CounterDrift', expect: 'Violated', ...changes }];
const ghost = (changes: object) => [{ name: 'g', type: 'GhostAllowing', expect: 'Violated', ...changes }];
const outage = (fault: object) => [{ name: 'o', type: 'StoreOutage', storeOutage: { fault } }];
const withLimiter = (changes: object) => ({ rateLimiter: { ...limiter, ...changes } });
const violated = (storeOutage: object) => ({
  ...withLimiter({}),
  scenarios: [{ name: 'o', type: 'StoreOutage', expect: 'Violated', storeOutage }],
});
const exclusion = (changes: object) => [{ name: 'e', type: 'Exclusion', exclusion: changes }];
const lock = {
  ...limiter,
  acquire: { path: '/locks/$(key)', token: { pointer: '/token' } },
  release: { path: '/locks/$(key)', headers: [{ name: 'x-token', value: '$(token)' }] },
};
const withLock = (changes: object) => ({ lock: { ...lock, ...changes }, scenarios: exclusion({}) });
const limit = { requests: 10, window: '60s' };
const MOST = Number.MAX_SAFE_INTEGER;
const http = { http: { path: '/$(key)' }, limit };
const byAddress = { http: { identity: 'SourceAddress', path: '/' }, limit };
const counting = { serviceName: 'redis', count: { key: 'rl:$(key)' } };

describe.each(SERVERS)('%s', { timeout: 300_000 }, (_, create) => {
  const judge = async (spec: object): Promise<ChaosDemo> =>
    await create({
      apiVersion: 'chaosdemo.dev/v1alpha1',
      kind: 'ChaosDemo',
      metadata: { name: 'x', namespace },
      spec,
    });

  it('fills in the whole of a minimal demo', async () => {
    const { spec, status } = await judge({ rateLimiter: limiter });
    expect(scenariosOf(spec, rateLimiterKind.api)).toEqual([
      { name: 'outage', type: 'StoreOutage', expect: 'Held', countdown: '3s' },
    ]);
    expect(subjectPart(spec, PART)).toMatchObject({
      port: 'http',
      redis: { otherClients: 'Reject', port: 6379 },
      health: { timeout: '5s' },
    });
    expect(spec).toMatchObject({
      pace: { mode: 'Auto', dwell: '0s' },
      activeDeadline: '10m',
      suspend: false,
    });
    expect(status).toMatchObject({ observedGeneration: -1, phase: 'Pending' });
  });

  it('takes a lock without scenarios', async () => {
    const { spec } = await judge({ lock });
    expect(scenariosOf(spec, lockKind.api)).toMatchObject([{ name: 'exclusion', type: 'Exclusion' }]);
  });

  it('fills in the whole of a minimal lock', async () => {
    const { spec } = await judge(withLock({}));
    expect(spec.scenarios).toMatchObject([
      { type: 'Exclusion', exclusion: { accept: ['Excludes', 'Denies'], keys: 4, callerTimeout: '1s' } },
    ]);
    expect(subjectPart(spec, 'lock')).toMatchObject({
      port: 'http',
      slots: 1,
      acquire: { method: 'POST', grantedStatuses: [200, 201, 204], deniedStatuses: [409, 423, 429] },
      release: { method: 'DELETE' },
    });
  });

  it('takes drift of a limiter behind HTTP that says where it counts', async () => {
    const { spec } = await judge({
      ...withLimiter({ ...http, redis: counting }),
      scenarios: drift({}),
    });
    expect(subjectPart(spec, PART)).toMatchObject({
      redis: { count: { key: 'rl:$(key)', type: 'String' } },
    });
  });

  it('takes a limiter that knows its callers by the source address alone', async () => {
    const scenarios = [...ghost({}), { name: 'o', type: 'StoreOutage' }];
    const { spec } = await judge({ ...withLimiter(byAddress), scenarios });
    expect(subjectPart(spec, PART)).toMatchObject({ http: { identity: 'SourceAddress' } });
  });

  it('accepts durations with decimals, within their bounds', async () => {
    const { spec } = await judge(withLimiter({ limit: { ...limit, window: '1.5m' } }));
    expect(subjectPart(spec, PART)).toMatchObject({ limit: { window: '1.5m' } });
    await expect(judge(withLimiter({ limit: { ...limit, window: '60.5m' } }))).rejects.toThrow(
      /must be from 1s to 1h/,
    );
  });

  it('accepts a violation as the expectation, with the default of accept', async () => {
    const { spec } = await judge(violated({}));
    expect(spec.scenarios[0]).toMatchObject({ storeOutage: { accept: ['Enforces', 'FailsClosed'] } });
  });

  it.each([
    { type: 'Latency', latency: '50ms' },
    { type: 'Latency', duration: '10m' },
    { type: 'Stall', via: 'Proxy', duration: '61s' },
    { type: 'DataLoss', scripts: true },
  ])('accepts the parameters of the type of a fault: %j', async (fault) => {
    const redis = { serviceName: 'redis', faultProxy: { serviceName: 'proxy', authSecretName: 'proxy' } };
    const { spec } = await judge({ ...withLimiter({ redis }), scenarios: outage(fault) });
    expect(spec.scenarios[0]).toMatchObject({ storeOutage: { fault: { duration: '10s', ...fault } } });
  });

  it.each<[string, object, RegExp]>([
    ['no subject', {}, /write what to test, and only one of rateLimiter, lock/],
    ['two subjects', { ...withLimiter({}), ...withLock({}) }, /only one of rateLimiter, lock/],
    [
      'a lock in a scenario of a limiter',
      { ...withLock({}), scenarios: outage({}) },
      /lock has .*Exclusion only/,
    ],
    [
      'a limiter in a scenario of a lock',
      { ...withLimiter({}), scenarios: exclusion({}) },
      /rateLimiter has /,
    ],
    ['a lock without a name', withLock({ acquire: { path: '/lock' } }), /write \$\(key\) where/],
    ['a release of no slot', withLock({ release: { path: '/lock' } }), /write \$\(key\) or \$\(token\)/],
    [
      'a token at two places',
      withLock({ acquire: { ...lock.acquire, token: { header: 'a', pointer: '/a' } } }),
      /write header or pointer/,
    ],
    [
      'a loss of keys of a lock without their name',
      { ...withLock({}), scenarios: exclusion({ fault: { type: 'DataLoss' } }) },
      /name them in lock.redis.key/,
    ],
    ['an empty selector', withLimiter({ selector: { matchLabels: {} } }), /matchLabels: Invalid value/],
    [
      'a pause of an hour',
      { ...withLimiter({}), scenarios: drift({ counterDrift: { fault: { duration: '1h' } } }) },
      /must be from 1s to 10m/,
    ],
    [
      'a fault of Redis itself that lasts longer than a pause',
      { ...withLimiter({}), scenarios: outage({ type: 'Disconnect', duration: '61s' }) },
      /more than 1m needs a fault proxy/,
    ],
    [
      'a request without the identity of its caller',
      withLimiter({ http: { path: '/' }, limit }),
      /write \$\(key\) .*source address .*identity to SourceAddress/,
    ],
    [
      'a key in the request to a limiter that knows the source address alone',
      { ...withLimiter({ ...http, http: { ...http.http, identity: 'SourceAddress' } }) },
      /identity to SourceAddress .*both out/,
    ],
    [
      'a count at the same key for every caller',
      withLimiter({ ...http, redis: { ...counting, count: { key: 'rl' } } }),
      /redis.count.key/,
    ],
    [
      'a field of a count that is no hash',
      withLimiter({ ...http, redis: { ...counting, count: { key: '$(key)', field: 'n' } } }),
      /field belongs to type Hash/,
    ],
    [
      'one caller for all requests without its limit',
      withLimiter({ http: { identity: 'SourceAddress' }, limit: { requests: 10 } }),
      /SourceAddress, set limit.requests and limit.window/,
    ],
    [
      'a count of the bundled limiter',
      withLimiter({ redis: counting }),
      /bundled limiter.*leave redis.count out/,
    ],
    [
      'a burst of a limit that has no bucket',
      withLimiter({ ...http, limit: { ...limit, burst: 20 } }),
      /burst and refillEvery .*TokenBucket/,
    ],
    [
      'a latency of a fault that has none',
      { ...withLimiter({}), scenarios: outage({ latency: '300ms' }) },
      /latency .*Latency, .*scripts .*DataLoss/,
    ],
    [
      'a latency of a second',
      { ...withLimiter({}), scenarios: outage({ type: 'Latency', latency: '1s' }) },
      /must be from 50ms to 500ms/,
    ],
    [
      'a fault of the proxy without one',
      { ...withLimiter({}), scenarios: outage({ type: 'Stall', via: 'Proxy' }) },
      /name it in rateLimiter.redis.faultProxy/,
    ],
    [
      'a failover without permission',
      { ...withLimiter({}), scenarios: outage({ type: 'Failover' }) },
      /set rateLimiter.redis.failover to Allow/,
    ],
    [
      'a loss of counts at unknown keys',
      { ...withLimiter(http), scenarios: outage({ type: 'DataLoss' }) },
      /set rateLimiter.redis.count/,
    ],
    [
      'drift of counts at unknown keys',
      { ...withLimiter(http), scenarios: drift({}) },
      /set rateLimiter.redis.count/,
    ],
    [
      'lost counts as an outcome of a stall',
      { ...withLimiter({}), scenarios: [{ ...outage({})[0], storeOutage: { accept: ['Forgets'] } }] },
      /accept may name Forgets .*`DataLoss`, `Failover`/,
    ],
    ['a violation of what is accepted', violated({ accept: ['FailsOpen'] }), /leave storeOutage.accept out/],
    [
      'the wrong member of the union',
      { ...withLimiter({}), scenarios: drift({ ghostAllowing: {} }) },
      /only the member .*: .*ghostAllowing with GhostAllowing/,
    ],
    [
      'a rate beyond every number',
      { ...withLimiter({}), scenarios: drift({ counterDrift: { requestsPerSecond: MOST } }) },
      /requestsPerSecond/,
    ],
    [
      'a multiplier beyond every number',
      { ...withLimiter({}), scenarios: ghost({ ghostAllowing: { multiplier: MOST } }) },
      /multiplier/,
    ],
    ['a limit beyond every number', withLimiter({ limit: { ...limit, requests: MOST } }), /limit.requests/],
    [
      'two scenarios of one name',
      { ...withLimiter({}), scenarios: [...drift({}), ...drift({})] },
      /Duplicate value/,
    ],
    ['a Redis without a name', withLimiter({ redis: {} }), /serviceName: Required/],
    ['an unknown field', { ...withLimiter({}), sceanrios: [] }, /unknown field "spec.sceanrios"/],
  ])('refuses %s and says why', async (_, spec, message) => {
    const error = await judge(spec).catch((reason: unknown) => reason);
    expect(String(error)).toMatch(message);
    // No rule breaks over the invalid field.
    expect(String(error)).not.toMatch(/evaluating rule|overflow|conversion|divide/);
  });

  it.each([...readdirSync(SAMPLES), '../gitops/pipeline/chaosdemo.yaml'])(
    'takes the sample %s',
    async (file) => {
      const manifest = await readFile(new URL(file, SAMPLES), 'utf8');
      for (const document of parseAllDocuments(manifest)) {
        const demo = document.toJS() as ChaosDemo;
        await create({ ...demo, metadata: { ...demo.metadata, namespace } });
      }
    },
  );
});

describe('the API server', () => {
  it('shows the Redis of each subject with -o wide', async () => {
    const demos = [withLimiter({}), withLock({})].map((spec, i) => ({
      ...{ apiVersion: 'chaosdemo.dev/v1alpha1', kind: 'ChaosDemo', metadata: { name: `${i}`, namespace } },
      spec: { suspend: true, ...spec },
    }));
    await kubectl.apply(demos);
    const table = await kubectl.run(['-n', namespace, 'get', 'chaosdemo', '-o', 'wide']);
    expect(table).toMatch(/ REASON +RUN +REDIS\n0 .* redis\n1 .* redis\n$/);
  });

  it('explains every field', async () => {
    const text = await kubectl.run(['explain', 'chaosdemo.spec', '--recursive']);
    for (const field of ['rateLimiter', 'authSecretName', 'counterDrift', 'multiplier', 'activeDeadline']) {
      expect(text).toContain(field);
    }
  });
});
