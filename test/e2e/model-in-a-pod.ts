/**
 * A real language model in the cluster, queried by an operator whose NetworkPolicy permits it. It is far too small
 * to reason: its answers may be accepted or rejected, and each is reported as what it is.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ChaosDemoStatus, DiagnosisStatus } from '../../src/api/index.ts';
import { installModel, installOperator } from '../../tools/cluster/install.ts';
import { LOCAL_MODEL } from '../../tools/model/local.ts';
import { keepingTime } from '../kit/pace.ts';
import { until } from '../kit/until.ts';
import { type Cluster, isReady, type Pod, SYSTEM } from './support/cluster.ts';
import { kindOf } from './support/kind.ts';

/** That of manifests/operator-with-models. */
const PROFILE = 'small';
const MODELS = 'models';
/** The verdict of the same demo by rules alone. */
const AS_WITHOUT_IT = { phase: 'Succeeded', reason: 'ExpectationsMet' };
/** Of runs, until the lead has not changed hands in one. */
const MOST_ATTEMPTS = 3;
const progress = (line: string): void => void process.stdout.write(`[e2e] ${line}\n`);

export function modelInAPod(cluster: Cluster): void {
  const { kubectl, provided } = cluster;

  beforeAll(async () => {
    await cluster.useLimiter('approximate');
    await installModel(kindOf(provided), kubectl, provided.images.runtime, { progress });
    await installOperator(kubectl, {}, 'operator-with-models');
  });
  afterAll(async () => {
    await cluster.keep('model.log', await log());
    await kubectl.run(['delete', 'namespace', MODELS, '--timeout=120s']);
  });

  const log = async (): Promise<string> =>
    await kubectl.run(['-n', MODELS, 'logs', 'deployment/chaosdemo-model']);
  /** Queries that the server of the model has logged. */
  const received = async (): Promise<number> => [...(await log()).matchAll(/: received, /g)].length;
  /** How often a pod began to lead. */
  const terms = async (pod: string): Promise<string | undefined> =>
    /^chaosdemo_leader_terms_total (\d+)$/m.exec(await cluster.metrics(pod))?.[1];
  /**
   * Runs a demo that names the profile until one was led by one process from its beginning to its end: on a busy machine
   * the lead changes, and then no process has seen it all. Compares what server and status report.
   * @returns its verdict
   */
  const explained = async (name: string): Promise<ChaosDemoStatus['run']> => {
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
      const status = await runAndCompare(`${name}-${attempt}`);
      if (status) return status.run;
      progress(`the lead changed hands during ${name}-${attempt}`);
    }
    throw new Error(`the lead changed hands during each of ${MOST_ATTEMPTS} runs`);
  };
  const runAndCompare = async (name: string): Promise<ChaosDemoStatus | undefined> => {
    const leader = await cluster.leader();
    const before = await received();
    const led = await terms(leader);
    await cluster.applySpec(name, { diagnosisProfile: PROFILE });
    const status = await cluster.ended(name);
    if ((await cluster.leader()) !== leader || (await terms(leader)) !== led) return undefined;
    const diagnoses = status.diagnoses ?? [];
    expect(diagnoses).toHaveLength(2);
    diagnoses.forEach(expectOutcome);
    progress(`${name}: ${diagnoses.map(quotaIn).join(' | ')}`);
    // The chapter also has the answer of the rules.
    expect(sentencesOfRules(status)).toHaveLength(2);

    expect((await received()) - before).toBe(2);
    return status;
  };

  it('a model pod is Ready with the model in memory, unprivileged and read-only', async () => {
    const { items } = await kubectl.json<{ items: Pod[] }>(['-n', MODELS, 'get', 'pods']);
    expect(items.map(isReady)).toEqual([true]);
    const pod = items[0]?.metadata.name ?? '';
    const path = `/api/v1/namespaces/${MODELS}/pods/${pod}:8099/proxy/v1/models`;
    expect(await kubectl.run(['get', '--raw', path])).toContain(`"id":"${LOCAL_MODEL}"`);
    const search = 'grep -l /app/model.mjs /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3';
    const found = await cluster.onNode(
      `for p in $(${search}); do cat /proc/$p/status 2>/dev/null; done; true`,
    );
    const processes = found.split(/^(?=Name:)/m);
    // The shell that searches has those words in its own line, and is gone before it is looked at.
    const server = processes.find((each) => /^Uid:\s+65532\s+65532\s+65532\s+65532$/m.test(each)) ?? '';
    expect(server).toMatch(/^CapBnd:\s+0+$/m);
    expect(server).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(server).toMatch(/^Seccomp:\s+2$/m);
    const resident = Number(/^VmHWM:\s+(\d+) kB$/m.exec(server)?.[1]);
    progress(`the model has taken ${Math.round(resident / 1024)} MB at most`);
    expect(resident).toBeLessThan(1024 * 1024);
    const number = /^Pid:\s+(\d+)$/m.exec(server)?.[1];
    expect(await cluster.onNode(`grep ' / / ' /proc/${number}/mountinfo`)).toMatch(/ \/ \/ ro[, ]/);
  });

  it(
    "a model's answer, or why there is none, is in the status",
    keepingTime(async () => expect(await explained('explained')).toMatchObject(AS_WITHOUT_IT)),
  );

  it(
    'a new leader queries the model, too',
    keepingTime(async () => {
      await kubectl.run(['-n', SYSTEM, 'rollout', 'restart', 'deployment/chaosdemo-operator']);
      await kubectl.run(['-n', SYSTEM, 'rollout', 'status', 'deployment/chaosdemo-operator', '--timeout=5m']);
      await until(
        async () => {
          const names = (await cluster.operatorPods()).map(({ metadata }) => metadata.name);
          return names.length === 2 && names.includes(await cluster.leader());
        },
        { what: 'a new leader' },
      );
      expect(await explained('explained-again')).toMatchObject(AS_WITHOUT_IT);
    }),
  );
}

/** The status states what became of the question behind a diagnosis: accepted, rejected or failed. */
function expectOutcome(diagnosis: DiagnosisStatus): void {
  const { message, profile } = diagnosis;
  if (profile === PROFILE) return expect(diagnosis).not.toHaveProperty('message');
  expect(diagnosis).toMatchObject({ profile: 'rules' });
  if (message?.startsWith(`These are the rules: profile "${PROFILE}" (${LOCAL_MODEL}): `)) return;
  expect(message).toMatch(new RegExp(`^These are the rules: profile "${PROFILE}" failed: `));
}

function quotaIn({ class: cause, component, message, profile }: DiagnosisStatus): string {
  return `${profile}: ${cause} at ${component}${message ? ` (${message})` : ''}`;
}

/** What the chapters of diagnoses say, which rules wrote. */
function sentencesOfRules({ chapters = [] }: ChaosDemoStatus): string[] {
  return chapters.flatMap(({ message, title }) =>
    title.endsWith('Diagnosis') && message && !message.startsWith('No diagnosis') ? [message] : [],
  );
}
