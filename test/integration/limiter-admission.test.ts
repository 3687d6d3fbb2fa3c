/** From a ChaosDemo to its Redis lease: the connector of rate limiters on real Redis servers and a cluster in memory. */

import { createServer } from 'node:http';
import { connect } from 'node:net';
import { REDIS_ACL } from '@chaosdemo/redis-faults';
import { type RedisServer, startRedis } from '@chaosdemo/testbed';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ENABLED_LABEL } from '../../src/api/index.ts';
import type { SubjectEffect } from '../../src/engine/effects.ts';
import type { Finding } from '../../src/engine/findings.ts';
import type { AdmissionRequest, Admitted, SubjectConnector } from '../../src/engine/subject.ts';
import { createSystemClock } from '../../src/operator/adapters/system-clock.ts';
import { rateLimiterKind } from '../../src/subjects/ratelimiter/kind.ts';
import { subjectOf } from '../../src/subjects/subject.ts';
import { MemoryCluster } from '../fixtures/subjects/cluster.ts';
import { podOf } from '../fixtures/subjects/http/pods.ts';
import { secretOf } from '../fixtures/subjects/secret.ts';
import { pod } from '../fixtures/subjects/targets/pod.ts';
import { askRedis } from '../kit/ask-redis.ts';
import { limiterSpec, never, PERMITTED } from '../kit/driven-limiter.ts';
import { until } from '../kit/until.ts';

let redis: RedisServer;
let cluster: MemoryCluster;
let connector: SubjectConnector;

beforeAll(async () => {
  redis = await startRedis({ aclUsers: [`user chaosdemo on >secret ${REDIS_ACL}`] });
});
afterAll(() => redis?.stop());
beforeEach(() => {
  cluster = clusterWith(redis);
  connector = newConnector();
});

/** Two limiters without traffic, and a Redis. */
function clusterWith(server: RedisServer): MemoryCluster {
  const memory = new MemoryCluster();
  const limiter = (name: string) =>
    pod(name, ({ metadata }) => {
      metadata.labels = { app: 'limiter' };
    });
  const redisPod = pod('redis-0', ({ metadata, spec, status }) => {
    metadata.labels = { app: 'redis' };
    spec.containers = [{ name: 'redis', ports: [{ name: 'redis', containerPort: server.port }] }];
    status.podIP = server.host;
  });
  memory.podList = [limiter('limiter-0'), limiter('limiter-1'), redisPod];
  memory.services = [
    {
      metadata: { name: 'redis' },
      spec: { selector: { app: 'redis' }, ports: [{ port: 6379, targetPort: 'redis' }] },
    },
  ];
  const data = { username: 'chaosdemo', password: 'secret' };
  memory.secrets = [secretOf('chaosdemo.dev/redis-auth', data, 'redis-auth')];
  return memory;
}

/** A connector as a process has it that has just begun to lead. */
function newConnector(): SubjectConnector {
  const clock = createSystemClock();
  return subjectOf(rateLimiterKind).connect({
    cluster,
    clock,
    faultCooldownMs: 60_000,
    logger: pino({ level: 'silent' }),
  });
}

const SCENARIOS = [
  { name: 'counter-drift', type: 'CounterDrift' },
  { name: 'ghost-allowing', type: 'GhostAllowing' },
];
const LIMITER = {
  selector: { matchLabels: { app: 'limiter' } },
  redis: { serviceName: 'redis', authSecretName: 'redis-auth' },
};

function request(name: string, change: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    name,
    namespace: 'shop',
    uid: `uid-${name}`,
    generation: 3,
    spec: limiterSpec(LIMITER, SCENARIOS),
    activeFaults: [],
    toBegin: true,
    mustUndo: false,
    ...change,
  };
}

async function admit(name: string, change: Partial<AdmissionRequest> = {}): Promise<Admitted> {
  const admitted = await connector.admit(request(name, change), never);
  onTestFinished(async () => {
    await admitted.opened?.driver.close();
  });
  return admitted;
}

async function messageFor(name: string, change: Partial<AdmissionRequest> = {}): Promise<string> {
  const { admission } = await admit(name, change);
  return admission.state === 'waiting' || admission.state === 'refused'
    ? `${admission.reason}: ${admission.message}`
    : admission.state;
}

describe('the lease of a Redis', () => {
  it('goes to one waiting run as soon as it is free', async () => {
    const first = await admit('a');
    expect(first).toMatchObject({
      admission: { state: 'granted' },
      opened: {
        target: {
          pods: [
            { name: 'limiter-0', uid: 'uid-limiter-0' },
            { name: 'limiter-1', uid: 'uid-limiter-1' },
          ],
          store: `redis-0 (${redis.host}:${redis.port})`,
        },
      },
    });
    expect(first.opened?.lock?.isHeld()).toBe(true);
    expect(await messageFor('b')).toMatch(/^RedisInUse: redis-0 .* use by shop\/a; /);
    expect(await messageFor('c')).toMatch(/in use by shop\/a/);

    await first.opened?.lock?.release();
    expect(await messageFor('c')).toBe('granted');
    expect(await messageFor('b')).toMatch(/in use by shop\/c/);
  });

  it('is not awaited by a run that is active: its lease is its own already', async () => {
    const before = await admit('a');
    await messageFor('b');
    connector = newConnector();
    await messageFor('b');
    const next = await admit('a', { toBegin: false, mustUndo: true });
    expect(next.admission).toEqual({ state: 'granted' });
    expect(before.opened?.lock?.isHeld()).toBe(true);
    expect(next.opened?.lock?.isHeld()).toBe(true);
  });
});

describe('the cool-down of a Redis', () => {
  /** Has a run of `name` pause Redis now for so long, as far as its note goes: the command is never sent. */
  async function pausedBy(name: string, ms: number): Promise<Finding | undefined> {
    const { admission, opened } = await admit(name);
    expect(admission.state).toBe('granted');
    const now = Date.now();
    const inject = {
      ...({ kind: 'Inject', id: 'f', scenario: 'counter-drift' } as const),
      ...{ plannedAt: now, until: now + ms },
    };
    // Its key was never set up, so that the note is taken back: here it cannot be, as if the process were gone.
    const { keepNote } = cluster;
    let kept = 0;
    cluster.keepNote = async (note) => {
      if ((kept += 1) === 1) await keepNote.call(cluster, note);
    };
    const finding = await opened?.driver.perform(inject, PERMITTED, never);
    cluster.keepNote = keepNote;
    await opened?.lock?.release();
    return finding;
  }

  it('is known to the operator that takes over, and no burst waits for it', async () => {
    const before = Date.now();
    await pausedBy('a', 5000);
    const noted = Date.now();
    connector = newConnector();
    const until = Date.parse(/until (\S+Z):/.exec(await messageFor('b'))?.[1] ?? '');
    expect(until).toBeGreaterThan(before + 60_000);
    expect(until).toBeLessThanOrEqual(noted + 66_000);
    const burst = [{ name: 'ghosts', type: 'GhostAllowing', expect: 'Violated' }];
    const { opened, admission } = await admit('c', { spec: limiterSpec(LIMITER, burst) });
    expect(admission.state).toBe('granted');
    await opened?.lock?.release();
  });
});

describe('admission', () => {
  it('a driver without a lock may undo an earlier run, but inject nothing', async () => {
    cluster.labels = { [ENABLED_LABEL]: 'false' };
    expect(await admit('a')).toEqual({
      admission: { state: 'refused', reason: 'NamespaceNotEnabled', message: expect.any(String) },
    });
    const activeFaults = [
      {
        id: '1-drift-1',
        type: 'CounterDrift',
        expect: 'Violated',
        plannedAt: '2026-01-01T00:00:00.000Z',
        until: '2026-01-01T00:00:30.000Z',
      },
    ];
    await query('CLIENT PAUSE 30000 WRITE');
    const { admission, opened } = await admit('a', { toBegin: false, mustUndo: true, activeFaults });
    expect(admission.state).toBe('refused');
    expect(opened?.lock).toBeUndefined();
    const restored = await opened?.driver.perform(
      { kind: 'Restore', id: 's', fixtures: [], release: true },
      PERMITTED,
      never,
    );
    expect(restored).toMatchObject({
      restored: { ok: true, faultOver: true, message: expect.stringContaining('released the pause') },
    });
  });

  it('a namespace that never took part is not touched, whatever its status lists', async () => {
    cluster.labels = {};
    const before = await commandsTaken();
    const { admission, opened } = await admit('a', { toBegin: false, mustUndo: true });
    expect(admission).toMatchObject({ state: 'refused', reason: 'NamespaceNotEnabled' });
    expect(opened).toBeUndefined();
    expect(await commandsTaken()).toBe(before);
  });

  it('sends nothing to the address of a pod that was created again', async () => {
    let requests = 0;
    const stranger = createServer((_, response) => {
      requests += 1;
      response.end('{}');
    });
    const { port } = (await podOf(stranger)).pod;
    const nodes = (uid: string) =>
      pod('limiter-0', ({ metadata, spec, status }) => {
        Object.assign(metadata, { uid, labels: { app: 'limiter' } });
        spec.containers = [{ name: 'app', ports: [{ name: 'http', containerPort: port }] }];
        status.podIP = '127.0.0.1';
      });
    const [, , redisPod] = cluster.podList;
    if (!redisPod) throw new Error('no Redis');
    cluster.podList = [nodes('first'), redisPod];
    const { opened } = await admit('a');
    cluster.podList = [nodes('second'), redisPod];
    const perform = (effect: SubjectEffect) => opened?.driver.perform(effect, PERMITTED, never);

    const gone = /limiter-0: deleted .*since the run began, .*nothing was sent/;
    expect(await perform({ kind: 'MeasureBaseline', id: 'b', fixture: 'demo-control' })).toMatchObject({
      outcome: { ok: false, message: expect.stringMatching(gone) },
    });
    const about = { scenario: 'ghost-allowing', fixture: 'demo-x' };
    const prepare = { kind: 'Prepare', id: 'p', fault: 'f', ...about } as const;
    expect(await perform(prepare)).toMatchObject({
      kind: 'NotPrepared',
      message: expect.stringMatching(gone),
    });
    const moment = { plannedAt: Date.now(), until: Date.now() + 5000 };
    expect(await perform({ kind: 'Inject', id: 'f', ...about, ...moment })).toMatchObject({
      report: { missed: true, message: expect.stringMatching(gone) },
    });
    expect(await perform({ kind: 'Restore', id: 'r', fixtures: ['demo-x'], release: false })).toMatchObject({
      restored: { ok: true, faultOver: true },
    });
    expect(requests).toBe(0);
  });

  it('sends no command to the address of a Redis pod that was created again', async () => {
    const { opened } = await admit('a');
    const before = await commandsTaken();
    cluster.podList = cluster.podList.map((each) =>
      each.metadata.name === 'redis-0' ? { ...each, metadata: { ...each.metadata, uid: 'another' } } : each,
    );
    const prepare = { kind: 'Prepare', id: 'p', fault: 'f', fixture: 'demo-x' } as const;
    expect(
      await opened?.driver.perform({ ...prepare, scenario: 'counter-drift' }, PERMITTED, never),
    ).toMatchObject({ kind: 'NotPrepared', message: expect.stringContaining('run again') });
    expect(await commandsTaken()).toBe(before);
  });

  it('looks again before a pause is prepared, and names who has come', async () => {
    const { opened } = await admit('a');
    const stranger = connect({ host: redis.host, port: redis.port, localAddress: '127.0.0.9' });
    onTestFinished(() => void stranger.destroy());
    // A client without a command does not count yet.
    stranger.write('PING\r\n');
    await until(async () => / addr=127\.0\.0\.9:.* cmd=ping /.test(await query('CLIENT LIST')), {
      what: 'a command of the stranger',
    });
    const prepare = { kind: 'Prepare', id: 'p', fault: 'f', fixture: 'demo-x' } as const;
    const finding: Finding | undefined = await opened?.driver.perform(
      { ...prepare, scenario: 'counter-drift' },
      PERMITTED,
      never,
    );
    expect(finding).toMatchObject({
      kind: 'Admission',
      generation: 3,
      admission: {
        state: 'refused',
        reason: 'SharedRedis',
        message: expect.stringMatching(/^a client .*127\.0\.0\.9:\d+.*otherClients/),
      },
    });
  });
});

/** How many commands Redis has carried out, this look left out. */
async function commandsTaken(): Promise<number> {
  return Number(/total_commands_processed:(\d+)/.exec(await query('INFO stats'))?.[1]) - 2 * (looks += 1);
}
let looks = 0;

/** The answer of Redis to a short-lived observer at the address of a pod of the limiter. */
async function query(command: string): Promise<string> {
  return await askRedis({ host: redis.host, port: redis.port }, command);
}
