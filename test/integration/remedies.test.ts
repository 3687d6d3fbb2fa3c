/**
 * `spec.remediation: Apply` on a real Redis, real limiters and a real API server. The model that recommends the
 * action is a local server that speaks the protocol; what the operator does and measures is real.
 */
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChaosDemoStatus } from '../../src/api/index.ts';
import { readEvidence } from '../../src/cli/report/read.ts';
import type { DiagnosisAnswer } from '../../src/diagnosis/index.ts';
import type { RunEvidence } from '../../src/evidence/index.ts';
import {
  completion,
  json,
  type ModelServer,
  startModelServer,
} from '../fixtures/diagnosis/models/model-server.ts';
import { drift } from '../kit/demo.ts';
import { metricsOf } from '../kit/operator.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { verdictLine } from '../kit/status.ts';
import { until } from '../kit/until.ts';
import { World } from '../kit/world.ts';

/** The text tries to have its own way with names and numbers. */
const TEXT = 'Set the limit of demo-other to 5000, then FLUSHALL.';
const recommending = (
  answer: Pick<DiagnosisAnswer, 'action' | 'anomaly' | 'component'>,
): DiagnosisAnswer => ({
  ...answer,
  chain: [{ text: TEXT, evidence: ['s1'] }],
  confidence: 0.9,
  alternatives: [],
});
const STALLED = { anomaly: 'store-writes-stalled', component: 'store' } as const;

const applying = (scenario: object): object => ({
  diagnosisProfile: 'served',
  remediation: 'Apply',
  scenarios: [scenario],
});

const remediationOf = ({ diagnoses }: ChaosDemoStatus) => diagnoses?.[0]?.remediation;
const figures = (some: readonly { name: string; value: number }[] | undefined): Record<string, number> =>
  Object.fromEntries((some ?? []).map(({ name, value }) => [name, value]));

describe.skipIf(withoutRealTime)('a remedy', () => {
  let model: ModelServer;
  let world: World;
  let answer = recommending({ ...STALLED, action: 'wait' });
  const file = join(tmpdir(), `chaosdemo-remedies-${process.pid}.json`);

  beforeAll(async () => {
    model = await startModelServer((response) => json(response, completion(JSON.stringify(answer))));
    const served = { name: 'served', kind: 'openai-compatible', baseURL: `${model.origin}/v1`, model: 'm' };
    await writeFile(file, JSON.stringify({ profiles: [served] }));
    world = await World.start('approximate', { operatorArgs: [`--diagnosis-profiles=${file}`] });
  });
  afterAll(async () => {
    await world?.stop();
    await model?.close();
    await rm(file, { force: true });
  });

  /** The evidence of its first run, once it is complete. */
  const evidenceOf = async (name: string): Promise<RunEvidence> => {
    const { client, namespace } = world;
    const { signal } = new AbortController();
    return await until(
      async () => {
        const { evidence } = await readEvidence(client, { name, namespace }, 1, signal);
        return evidence?.complete ? evidence : undefined;
      },
      { what: 'the evidence to be complete' },
    );
  };

  /** The key of the scenario of a demo; undefined before there is one. */
  const keyOf = ({ scenarios }: ChaosDemoStatus): string | undefined => scenarios?.[0]?.fault?.fixture;

  /**
   * The definition of a key's limit on the first node, queried by the test; undefined: none any more. Redis is not
   * queried during a run: the test would be a foreign client there.
   */
  const definitionOf = async (key: string): Promise<string | undefined> => {
    const response = await fetch(`${world.environment.limiters[0]?.url}/limit?key=${key}`);
    const { windowId } = (await response.json()) as { windowId?: string };
    return windowId?.replace(/-\d+$/, '');
  };

  /** Waits for the verdict, and returns the definitions of the key until then. */
  const endedWith = async (
    name: string,
    key: string,
  ): Promise<{ status: ChaosDemoStatus; definitions: readonly string[] }> => {
    const definitions = new Set<string>();
    const status = await until(
      async () => {
        const definition = await definitionOf(key);
        if (definition !== undefined) definitions.add(definition);
        return [await world.status(name)].find(({ run }) => run?.completedAt !== undefined);
      },
      { what: 'the verdict', deadlineMs: 120_000 },
    );
    return { status, definitions: [...definitions] };
  };

  it(
    'a reset clears the counter, and measures admissions and counts',
    keepingTime(async () => {
      answer = recommending({ ...STALLED, action: 'reset-counter' });
      await world.applySpec('resets', applying(drift()));
      const status = await world.ended('resets');
      expect(verdictLine(status)).toMatch(/^Succeeded ExpectationsMet: /);
      const remediation = remediationOf(status);
      expect(remediation?.state).toBe('Applied');
      const { diagnoses } = await evidenceOf('resets');
      expect(diagnoses).toMatchObject([{ profile: 'served', chain: [{ text: TEXT }] }]);
      const [before, after] = [diagnoses[0]?.remediation?.before, diagnoses[0]?.remediation?.after].map(
        figures,
      );
      // Approximate nodes have each let the whole limit through while Redis took no writes.
      expect(before).toMatchObject({ limit: 10, admitted: 30 });
      expect(after).toEqual({ limit: 10, admitted: 3, stored: 3 });
      expect(remediation?.message).toMatch(/3 of 3 requests were admitted/);
      expect(status.scenarios?.[0]).toMatchObject({ result: 'Violated', fault: { proof: 'Confirmed' } });
      expect(await world.limitsOfDemos()).toEqual([]);
      const events = await world.kubectl('get', 'events.events.k8s.io', '-o', 'json');
      expect(events).toContain('"RemedyApplied"');
      await until(
        async () =>
          (await metricsOf(world.operator)).includes('chaosdemo_remedies_total{result="Applied"} 1'),
        { what: 'the remedy to be counted' },
      );
    }),
  );

  it(
    'an action other than a reset is only suggested, and the key stays as it was',
    keepingTime(async () => {
      answer = recommending({ ...STALLED, action: 'change-limit' });
      await world.applySpec('suggests', applying(drift()));
      const begun = await world.untilStatus('suggests', 'a key', (status) => keyOf(status) !== undefined);
      const { definitions, status } = await endedWith('suggests', keyOf(begun) ?? '');
      expect(verdictLine(status)).toMatch(/^Succeeded /);
      expect(remediationOf(status)).toMatchObject({
        state: 'Suggested',
        message: expect.stringMatching(/from 10 to 3 requests/) as string,
      });
      expect(definitions).toHaveLength(1);
    }),
  );

  it(
    'a remedy is neither sent nor claimed if the operator dies after announcing it',
    keepingTime(async () => {
      answer = recommending({ ...STALLED, action: 'reset-counter' });
      const { limiters } = world.environment;
      // The last chapter begins by watching to the end: that long there is to stop the nodes.
      const counterDrift = { pause: '4s', requestsPerSecond: 60, settle: '6s' };
      await world.applySpec('killed', applying(drift({ counterDrift })));
      const last = await world.untilStatus(
        'killed',
        'the last chapter',
        ({ chapter }) => chapter?.includes('Demo Complete') === true,
      );
      const key = keyOf(last) ?? '';
      const before = await definitionOf(key);
      expect(before).toBeDefined();
      // Nodes that do not answer keep the effect from getting any further than its first look.
      for (const { process: limiter } of limiters) limiter.kill('SIGSTOP');
      try {
        await world.untilStatus(
          'killed',
          'the announcement',
          (status) => remediationOf(status)?.state === 'Applying',
        );
        await world.killOperator();
      } finally {
        for (const { process: limiter } of limiters) limiter.kill('SIGCONT');
      }
      expect(await definitionOf(key)).toBe(before);
      await world.operator.start();
      const { definitions, status } = await endedWith('killed', key);
      expect(verdictLine(status)).toMatch(/^Succeeded /);
      expect(remediationOf(status)).toMatchObject({ state: 'Unproven' });
      expect(definitions.filter((definition) => definition !== before)).toEqual([]);
      expect(await world.limitsOfDemos()).toEqual([]);
      expect(await world.takesWrites()).toBe(true);
    }),
  );

  it('the API server rejects Apply for a limiter behind HTTP', async () => {
    const http = { headers: [{ name: 'x-key', value: '$(key)' }] };
    const rateLimiter = {
      selector: { matchLabels: { app: 'x' } },
      redis: { service: 'redis' },
      interface: 'HTTP',
      http,
    };
    const spec = { rateLimiter, remediation: 'Apply' };
    await expect(world.applySpec('rejected', spec)).rejects.toThrow(/Apply needs interface Reference/);
  });
});
