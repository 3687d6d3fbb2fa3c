/** The evidence of a whole run, as a reader of the namespace finds it next to the ChaosDemo. */

import { isNotFound } from '@chaosdemo/kube-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DETECTED_AFTER, endOf } from '../../src/api/index.ts';
import { readEvidence } from '../../src/cli/report/read.ts';
import { scenarioLines } from '../../src/cli/run-text.ts';
import {
  EVIDENCE_LIMITS,
  type RunEvidence,
  readRunEvidence,
  relativeToFirst,
  type Signal,
} from '../../src/evidence/index.ts';
import { draw, KINDS } from '../../src/subjects/index.ts';
import { replay } from '../../src/subjects/run/replay.ts';
import { drift, ghosts } from '../kit/demo.ts';
import { leaksOf } from '../kit/leaks.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { scenarioOf } from '../kit/status.ts';
import { until } from '../kit/until.ts';
import { World } from '../kit/world.ts';

describe.skipIf(withoutRealTime)('the evidence of a run', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('approximate');
  });
  afterAll(() => world?.stop());

  const pathOf = (name: string): string => `/api/v1/namespaces/${world.namespace}/configmaps/${name}`;
  const configMap = async (name: string): Promise<object | undefined> => {
    try {
      return await world.client.request<object>({ method: 'GET', path: pathOf(name) });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  const evidenceOf = async (name: string): Promise<RunEvidence | undefined> => {
    const object = await configMap(name);
    if (!object) return undefined;
    const { evidence, problem } = await readRunEvidence(object, draw);
    if (problem !== undefined) throw new Error(problem);
    return evidence;
  };
  const complete = async (name: string): Promise<RunEvidence> =>
    await until(
      async () => {
        const evidence = await evidenceOf(name);
        return evidence?.complete ? evidence : undefined;
      },
      { what: `the evidence ${name} to be complete` },
    );

  it(
    'evidence grows during a fault, and is complete with sender counts at the end',
    keepingTime(async () => {
      await world.applySpec('seen', { scenarios: [drift(), ghosts()] });
      const grown: number[] = [];
      await until(
        async () => {
          const { scenarios = [] } = (await evidenceOf('seen-evidence-1')) ?? {};
          const [series] =
            scenarios[0]?.bundle.series.filter(({ signal }) => signal === 'read-latency') ?? [];
          const last = series?.points.length ?? 0;
          if (last > (grown.at(-1) ?? 0)) grown.push(last);
          return (await world.status('seen')).run?.completedAt;
        },
        { everyMs: 200, deadlineMs: 120_000, what: 'the end of the run' },
      );
      expect(grown.length).toBeGreaterThanOrEqual(2);
      const status = await world.status('seen');
      const evidence = await complete('seen-evidence-1');

      const statusOf = (name: string) => scenarioOf(status, name);
      expect(evidence).toMatchObject({
        demo: { namespace: world.namespace, name: 'seen' },
        run: { number: 1 },
        results: status.scenarios?.map(({ name, result, summary }) => ({ scenario: name, result, summary })),
        verdict: endOf(status),
        leftOut: '',
      });
      expect(evidence.chapters.map(({ name }) => name)).toEqual(status.chapters?.map(({ title }) => title));
      const [first, second] = evidence.scenarios;
      if (!first || !second) throw new Error('a scenario is missing');
      const total = (of: typeof first, signal: Signal): number =>
        of.bundle.series
          .filter((series) => series.signal === signal)
          .reduce((sum, { points }) => sum + (points.at(-1)?.[1] ?? 0), 0);
      const measure = (name: string, what: string) => statusOf(name).measures?.[what];
      expect(total(first, 'requests-sent')).toBe(measure('drift', 'requests'));
      expect(total(first, 'requests-admitted')).toBe(measure('drift', 'admitted'));
      expect(first.bundle.invariant?.values[0]?.value).toBe(measure('drift', 'drift'));
      expect(total(second, 'requests-sent')).toBe(measure('ghosts', 'requests'));
      expect(total(second, 'requests-admitted')).toBe(measure('ghosts', 'admitted'));
      expect(second.bands.filter(({ kind }) => kind === 'burst')).toHaveLength(3);

      const fault = first.bands.find(({ kind }) => kind === 'fault');
      expect(fault?.from).toBe(Date.parse(statusOf('drift').fault?.startedAt ?? ''));
      expect(Math.abs(first.originMs - (fault?.from ?? 0))).toBeLessThan(2);
      const detected = first.detections.at(-1)?.at ?? 0;
      expect(Math.round(detected - (first.detections[0]?.at ?? 0))).toBe(
        statusOf('drift').measures?.[DETECTED_AFTER],
      );

      const pods = first.pods.map(({ pod }) => pod);
      expect(pods.toSorted()).toEqual(world.environment.pods.map(({ spec }) => spec.name).toSorted());
      for (const { bundle } of evidence.scenarios) {
        expect(leaksOf(relativeToFirst(bundle), [...pods, 'drift', 'ghosts', 'seen'])).toEqual([]);
        const points = bundle.series.reduce((sum, series) => sum + series.points.length, 0);
        expect(points).toBeLessThanOrEqual(EVIDENCE_LIMITS.points);
      }

      // Anyone can judge the run again from its histories, and gets the same to the letter.
      const read = await readEvidence(world.client, await world.object('seen'), 1, world.signal);
      const again = await replay(read.history?.split('\n') ?? [], KINDS);
      expect(again.map(scenarioLines)).toEqual(status.scenarios?.map(scenarioLines));
    }),
  );

  it(
    'a ConfigMap of another owner is not touched, and the run reports that',
    keepingTime(async () => {
      const made = await world.client.request<object>({
        method: 'POST',
        path: `/api/v1/namespaces/${world.namespace}/configmaps`,
        body: { metadata: { name: 'blocked-evidence-1' }, data: { precious: 'yes' } },
      });
      await world.applySpec('blocked', {
        scenarios: [ghosts({ ghostAllowing: { trials: 1 } })],
      });
      const { run } = await world.ended('blocked');
      expect(run?.phase).toBe('Succeeded');
      expect(await configMap('blocked-evidence-1')).toEqual(made);
      const notes = await until(
        async () => {
          const events = await world.kubectl(
            'get',
            'events.events.k8s.io',
            '-o',
            'jsonpath={.items[*].note}',
          );
          return events.includes('is not kept') && events;
        },
        { what: 'the event' },
      );
      expect(notes).toMatch(/ run 1 .*: ConfigMap blocked-evidence-1 is not /);
    }),
  );
});
