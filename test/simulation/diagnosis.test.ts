/** Diagnoses run in parallel to the chapters: whatever a profile does, it delays no recovery, restore or verdict. */
import { describe, expect, it } from 'vitest';
import {
  type ChaosDemoSpec,
  type ChaosDemoStatus,
  RECOVERED_AFTER,
  type ScenarioStatus,
} from '../../src/api/index.ts';
import { leftAt } from '../../src/engine/chapter.ts';
import { simulatedSpec } from './simulated-subject.ts';
import type { Behaviour } from './simulated-target.ts';
import { Simulation } from './simulation.ts';
import { finished } from './support.ts';

const MODEL = (changes: Record<string, unknown> = {}): ChaosDemoSpec =>
  simulatedSpec({ diagnosisProfile: 'model', pace: { dwell: '0s' }, ...changes });

async function runOf(spec: ChaosDemoSpec, behaviour: Partial<Behaviour> = {}): Promise<Simulation> {
  const simulation = new Simulation(spec, behaviour);
  await simulation.runUntil(finished);
  return simulation;
}

const providers = ({ status }: Simulation): unknown[] =>
  (status.diagnoses ?? []).map(({ message, profile }) => [profile, message]);

/** Milliseconds from the start of the run to a time. */
const since = ({ run }: ChaosDemoStatus, time: string | undefined): number =>
  Date.parse(time ?? '') - Date.parse(run?.startedAt ?? '');

const leftChapterAt = ({ status }: Simulation, title: string): number => {
  const { chapters = [], run } = status;
  const place = chapters.findIndex((chapter) => chapter.title === title);
  return since(status, leftAt(chapters, place, run?.completedAt));
};

describe('a diagnosis', () => {
  it('is what the profile says, once it has said it', async () => {
    const simulation = await runOf(MODEL());
    expect(providers(simulation)).toEqual([
      ['model', undefined],
      ['model', undefined],
    ]);
    expect(simulation.status.diagnoses?.every(({ requestedAt }) => requestedAt === undefined)).toBe(true);
    const queried = simulation.performed.flatMap((e) =>
      e.kind === 'Diagnose' ? [`${e.scenario} ${e.profile}`] : [],
    );
    expect(queried.sort()).toEqual(['stall model', 'stall rules', 'surge model', 'surge rules']);
  });

  it.each<[string, Partial<Behaviour>, RegExp]>([
    ['fails', { model: 'fails' }, /rules: profile "model" failed: out of words$/],
    ['never answers', { model: 'hangs' }, /rules: profile "model" .*not answer .*60 s$/],
  ])('is by the rules, and says so, where the profile %s', async (_, behaviour, why) => {
    const simulation = await runOf(MODEL(), behaviour);
    expect(providers(simulation)).toEqual([
      ['rules', expect.stringMatching(why)],
      ['rules', expect.stringMatching(why)],
    ]);
  });

  it.each<[string, Partial<Behaviour>]>([
    ['fails', { model: 'fails' }],
    ['is slow', { modelMs: 45_000 }],
    ['never answers', { model: 'hangs' }],
  ])('a diagnosis delays and changes nothing if the profile %s', async (_, behaviour) => {
    const alone = await runOf(MODEL({ diagnosisProfile: 'rules' }));
    const beside = await runOf(MODEL(), behaviour);
    for (const title of ['Recovery', 'Surge', 'Surge Detection', 'Surge Diagnosis']) {
      expect([title, leftChapterAt(beside, title)]).toEqual([title, leftChapterAt(alone, title)]);
    }
    const restoredIn = (simulation: Simulation): number =>
      simulation.writes.findIndex(({ chapter }) => chapter?.includes('Demo Complete'));
    expect(restoredIn(beside)).toBe(restoredIn(alone));
    const { run, scenarios } = beside.status;
    expect(run?.phase).toEqual(alone.status.run?.phase);
    const recovered = ({ measures, result }: ScenarioStatus) => [result, measures?.[RECOVERED_AFTER]];
    expect(scenarios?.map(recovered)).toEqual(alone.status.scenarios?.map(recovered));
  });

  it('is awaited for a minute once everything is restored, and no longer', async () => {
    const simulation = await runOf(MODEL(), { model: 'hangs' });
    const { status } = simulation;
    const queried = leftChapterAt(simulation, 'Surge Diagnosis');
    expect(since(status, status.run?.completedAt) - queried).toBeLessThan(62_000);
    const { id: restore } = simulation.performed.find(({ kind }) => kind === 'Restore') ?? {};
    expect(restore).toBe('1/complete');
    const rows = simulation.writes.map(({ chapter }) => chapter);
    expect(rows).toContain('11/11 Demo Complete (awaiting diagnosis)');
  });

  it('is not awaited beyond the deadline of the run, which ends as it would without', async () => {
    const simulation = await runOf(MODEL({ activeDeadline: '1m' }), { model: 'hangs' });
    expect(simulation.status.run).toMatchObject({ phase: 'Succeeded', reason: 'ExpectationsMet' });
    expect(providers(simulation)).toEqual([
      ['rules', expect.stringMatching(/before profile "model"|not answer/)],
      ['rules', expect.stringMatching(/ended before profile "model"/)],
    ]);
  });

  it('a diagnosis stays with the rules if the operator restarts before it', async () => {
    const simulation = new Simulation(MODEL(), { modelMs: 40_000 });
    await simulation.runUntil(({ status }) => status.diagnoses?.[0] !== undefined);
    await simulation.crash(2000);
    await simulation.runUntil(finished);
    expect(simulation.status.diagnoses?.[0]?.requestedAt).toBeUndefined();
    expect(simulation.finished()).toBe(true);
  });

  it('ends with a run that is aborted, which restores at once', async () => {
    const simulation = new Simulation(MODEL(), { model: 'hangs' });
    await simulation.runUntil(({ status }) => status.diagnoses?.[0] !== undefined);
    const abortedAt = simulation.now;
    simulation.annotate('abort', '1');
    await simulation.runUntil(finished);
    expect(simulation.now - abortedAt).toBeLessThan(10_000);
    expect(simulation.status.run?.reason).toBe('Aborted');
    expect(providers(simulation)).toEqual([['rules', expect.stringMatching(/ended before profile "model"/)]]);
  });

  it('a diagnosis queries one profile besides the rules, whatever the spec changes to', async () => {
    const simulation = new Simulation(MODEL(), { modelMs: 40_000 });
    await simulation.runUntil(({ status }) => status.diagnoses?.[0] !== undefined);
    for (const profile of ['second', 'third', 'fourth', 'third']) {
      simulation.spec = { ...simulation.spec, diagnosisProfile: profile };
      await simulation.pass(1000);
    }
    await simulation.runUntil(finished);
    const queried = simulation.performed.flatMap((effect) =>
      effect.kind === 'Diagnose' ? [`${effect.scenario} ${effect.profile}`] : [],
    );
    expect(queried.toSorted()).toEqual(['stall model', 'stall rules', 'surge rules', 'surge third']);
    expect(providers(simulation)).toEqual([
      ['model', undefined],
      ['third', undefined],
    ]);
  });

  it('leaves a status within its bytes, whatever else is in it', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ status }) => status.diagnoses?.[0] !== undefined);
    const [diagnosis] = simulation.status.diagnoses ?? [];
    if (!diagnosis) throw new Error('no diagnosis');
    const message = '"'.repeat(512);
    const full = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((scenario) => ({ ...diagnosis, scenario, message }));
    const chapters = simulation.status.chapters?.map((chapter) => ({ ...chapter, message })) ?? [];
    simulation.forge((status) => ({ ...status, diagnoses: full, chapters }));
    await simulation.runUntil(finished);
    expect(Buffer.byteLength(JSON.stringify(simulation.status))).toBeLessThanOrEqual(32 * 1024);
    const scenarios = simulation.status.diagnoses?.map(({ scenario }) => scenario);
    expect(scenarios?.join(' ')).toBe('a b c d e f g surge');
  });
});
