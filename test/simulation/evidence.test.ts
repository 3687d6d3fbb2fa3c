import { describe, expect, it } from 'vitest';
import type { RunEvidence } from '../../src/evidence/index.ts';
import { EARLIER } from './fake-evidence.ts';
import { simulatedSpec } from './simulated-subject.ts';
import { Simulation } from './simulation.ts';
import { advanceThrough, at, finished, MANUAL } from './support.ts';

async function kept(simulation: Simulation, run = 1): Promise<RunEvidence> {
  const read = await simulation.evidence.read('demo', run);
  if (!read?.evidence) throw new Error(read?.problem ?? 'there is no evidence');
  return read.evidence;
}

/** How often the watch of the first scenario has sampled, as the evidence shows it. */
async function samples(simulation: Simulation): Promise<number> {
  const [scenario] = (await kept(simulation)).scenarios;
  return scenario?.bundle.series[0]?.points.length ?? 0;
}

/** A run to its end, and the writes that come after it. */
async function wholeRun(simulation: Simulation): Promise<void> {
  expect(await simulation.runUntil(finished)).toBe(true);
  await simulation.pass(1000);
}

/** Another run, to its end. */
async function nextRun(simulation: Simulation, runId: string): Promise<void> {
  simulation.spec = { ...simulation.spec, runId };
  expect(await simulation.runUntil(({ status }) => status.run?.runId === runId)).toBe(true);
  await wholeRun(simulation);
}

describe('the evidence of a run', () => {
  it('evidence of an ended run has chapters, results and what was observed', async () => {
    const simulation = new Simulation();
    await wholeRun(simulation);
    const evidence = await kept(simulation);
    expect(evidence).toMatchObject({
      demo: { namespace: 'ns', name: 'demo' },
      run: { number: 1 },
      results: [
        { scenario: 'stall', result: 'Violated', summary: '10 > 5' },
        { scenario: 'surge', result: 'Violated' },
      ],
      verdict: { phase: 'Succeeded' },
      complete: true,
      leftOut: '',
    });
    expect(evidence.chapters.map(({ name }) => name)).toEqual(
      simulation.status.chapters?.map(({ title }) => title),
    );
    const [stall] = evidence.scenarios;
    expect(stall?.pods).toEqual([{ component: 'store', pod: 'store-0' }]);
    // From the announcement to the end of the watch, as often as it was looked.
    const [series] = stall?.bundle.series ?? [];
    expect(series?.points.at(-1)?.[0]).toBeGreaterThan(14_000);
  });

  it('has the history of each fault with its recovery, and then frees it', async () => {
    const simulation = new Simulation();
    const { releasedHistories } = simulation.target;
    await simulation.runUntil(at(8));
    await simulation.pass(5000);
    expect(releasedHistories).toEqual(['1-stall-1']);
    await wholeRun(simulation);
    expect(releasedHistories).toEqual(['1-stall-1', '1-surge-1']);
    const events = (await kept(simulation)).scenarios.map(({ bundle }) =>
      bundle.events.map(({ text }) => text),
    );
    expect(events).toEqual([['it answers again'], []]);
  });

  it('the evidence has each diagnosis in full', async () => {
    const simulation = new Simulation(simulatedSpec({ pace: { dwell: '0s' } }));
    await wholeRun(simulation);
    const { diagnoses } = await kept(simulation);
    expect(diagnoses.map(({ scenario }) => scenario)).toEqual(['stall', 'surge']);
    for (const whole of diagnoses) {
      expect(whole).toMatchObject({
        profile: 'rules',
        chain: [{ text: 'requests wait', evidence: ['s1'] }],
      });
    }
    expect(simulation.status.diagnoses?.[0]).not.toHaveProperty('chain');
  });

  it('the evidence has the answer of the profile in place of that of the rules', async () => {
    const simulation = new Simulation(simulatedSpec({ diagnosisProfile: 'model' }), { modelMs: 9000 });
    await wholeRun(simulation);
    expect((await kept(simulation)).diagnoses.map(({ profile }) => profile)).toEqual(['model', 'model']);
  });

  it('a successor leaves a diagnosis that was written before', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ status }) => status.diagnoses?.[0] !== undefined);
    await simulation.pass(2500);
    await simulation.crash(2000);
    await wholeRun(simulation);
    expect((await kept(simulation)).diagnoses.map(({ scenario }) => scenario)).toContain('stall');
  });

  it('is written about every 2 s while a fault is watched, and else after a chapter', async () => {
    const simulation = new Simulation();
    await wholeRun(simulation);
    const { writes } = simulation.evidence;
    const gaps = writes.slice(1).map(({ at }, i) => at - (writes[i]?.at ?? 0));
    // The last write of a run need not wait for its turn.
    expect(Math.min(...gaps.slice(0, -1))).toBeGreaterThanOrEqual(2000);
    const from = Date.parse(simulation.status.scenarios?.[0]?.fault?.startedAt ?? '');
    const during = writes.filter(({ at }) => at >= from && at < from + 10_000);
    expect(during.length).toBeGreaterThanOrEqual(4);
    // Each has only the lines since the one before it.
    const pieces = writes.flatMap(({ files }) => files.filter((file) => file.startsWith('history-')));
    expect(pieces.length).toBeGreaterThan(6);
    expect(new Set(pieces).size).toBe(pieces.length);
    expect(simulation.entryCount).toBe(0);
  });

  it.each([true, false])(
    'evidence is not written while a run waits for a person (watches finished: %s)',
    async (watchedToEnd) => {
      const simulation = new Simulation(MANUAL, { watchedToEnd });
      await advanceThrough(simulation, 4);
      await simulation.pass(60_000);
      expect(simulation.status.scenarios?.[0]?.result).toBe('Violated');
      const { length } = simulation.evidence.writes;
      expect(length).toBeGreaterThan(5);
      await simulation.pass(3_600_000);
      expect(simulation.evidence.writes).toHaveLength(length);
    },
  );

  it('evidence changes nothing in a run, whether writes hang, fail or succeed', async () => {
    const stories = await Promise.all(
      [{}, { hangs: true }, { fails: true }, { refusal: 'no right' }].map(async (trouble) => {
        const simulation = new Simulation();
        Object.assign(simulation.evidence, trouble);
        await simulation.runUntil(finished);
        const injected = simulation.injected.map(({ at, id }) => `${id} ${at - simulation.injected[0]!.at}`);
        return JSON.stringify([simulation.writes, injected, simulation.now]);
      }),
    );
    expect(new Set(stories).size).toBe(1);
  });

  it('evidence is complete if writes work again after the end of the run', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(4));
    simulation.evidence.fails = true;
    await simulation.runUntil(finished);
    await simulation.pass(20_000);
    simulation.evidence.fails = false;
    await simulation.pass(11_000);
    const evidence = await kept(simulation);
    expect(evidence).toMatchObject({ complete: true, leftOut: '' });
    expect(evidence.scenarios).toHaveLength(2);
    expect(simulation.entryCount).toBe(0);
  });

  it('evidence is complete if the write of the verdict gets no response', async () => {
    const undisturbed = new Simulation();
    await undisturbed.runUntil(finished);
    const simulation = new Simulation();
    await simulation.pass(Date.parse(undisturbed.status.run?.completedAt ?? '') - simulation.now - 1);
    expect(finished(simulation)).toBe(false);
    // The first of them is carried out.
    simulation.server.failing = 2;
    await simulation.runUntil(finished);
    await simulation.pass(10_000);
    expect(await kept(simulation)).toMatchObject({ complete: true, leftOut: '' });
    expect(simulation.entryCount).toBe(0);
  });

  it('evidence that cannot be written is given up a minute after the run', async () => {
    const simulation = new Simulation();
    simulation.evidence.hangs = true;
    await simulation.runUntil(finished);
    await simulation.pass(70_000);
    expect(simulation.entryCount).toBe(0);
  });

  it.each([
    ['every write', false],
    ['only its last write', true],
  ])('one event reports evidence that is not kept if %s is rejected', async (_, isLast) => {
    const simulation = new Simulation();
    if (isLast) await simulation.runUntil(finished);
    simulation.evidence.refusal = 'configmaps is forbidden';
    await simulation.runUntil(finished);
    await simulation.pass(70_000);
    const reported = simulation.events.filter(({ reason }) => reason === 'EvidenceNotKept');
    expect(reported.map(({ note }) => note)).toEqual([
      expect.stringMatching(/ run 1 .*: configmaps is forbidden$/),
    ]);
  });

  it('deleted evidence is written again with all that is known', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(8));
    simulation.evidence.objects.clear();
    await wholeRun(simulation);
    expect((await kept(simulation)).scenarios).toHaveLength(2);
  });

  it('evidence of a successor names what is missing, and keeps what was written', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ status }) => status.chapter === '4/11 Stall (fault confirmed)');
    await simulation.pass(3000);
    const before = await samples(simulation);
    expect(before).toBeGreaterThan(4);
    await simulation.crash(15_000);
    const { history } = (await simulation.evidence.read('demo', 1)) as { history: string };
    expect(history.split('\n').filter((line) => line.includes('sampledAt'))).toHaveLength(before);
    await wholeRun(simulation);
    const evidence = await kept(simulation);
    expect(evidence.leftOut).toMatch(/^stall: .*announced .*may be missing/);
    expect(evidence.results.map(({ result, scenario }) => [scenario, result])).toEqual(
      simulation.status.scenarios?.map(({ name, result }) => [name, result]),
    );
    expect(await samples(simulation)).toBe(before);
    expect(evidence.complete).toBe(true);
  });

  it('evidence of a successor calls no completed watch incomplete', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(8));
    await simulation.pass(2000);
    const before = await samples(simulation);
    await simulation.crash(1000);
    await wholeRun(simulation);
    expect(await samples(simulation)).toBe(before);
    expect((await kept(simulation)).leftOut).not.toContain('ends early');
  });

  it('evidence of a second attempt is not mixed with that of the first', async () => {
    const simulation = new Simulation();
    const isAnnounced = (attempt: number) =>
      simulation.runUntil(({ status }) => status.scenarios?.[1]?.fault?.id === `1-surge-${attempt}`);
    expect(await isAnnounced(1)).toBe(true);
    await simulation.pass(2500);
    await simulation.crash(1000);
    expect(await isAnnounced(2)).toBe(true);
    await wholeRun(simulation);
    const files = simulation.evidence.writes.flatMap((write) => write.files);
    expect(files).toContain('history-2-1-0001.jsonl.gz.b64');
    const [, surge] = (await kept(simulation)).scenarios;
    const { plannedAt = '' } = simulation.status.scenarios?.[1]?.fault ?? {};
    expect(Math.abs((surge?.originMs ?? 0) - Date.parse(plannedAt))).toBeLessThan(1000);
  });

  it('only the leader writes evidence', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ status }) => status.chapter === '4/11 Stall (fault confirmed)');
    const leading = simulation.lose(20_000);
    const { length } = simulation.evidence.writes;
    await simulation.pass(900);
    // Only the successor has written since, and it has no history.
    const files = simulation.evidence.writes.slice(length).flatMap((write) => write.files);
    expect(files.filter((file) => file.startsWith('history-'))).toEqual([]);
    await leading;
  });

  it('evidence covers all until the operator stops', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ status }) => status.chapter === '4/11 Stall (fault confirmed)');
    await simulation.pass(2300);
    await simulation.restart();
    const [series] = (await kept(simulation)).scenarios[0]?.bundle.series ?? [];
    expect(series?.points.at(-1)?.[0]).toBeGreaterThan(1500);
  });

  it('evidence stays for the runs of the history, and is deleted after that', async () => {
    const simulation = new Simulation(simulatedSpec({ historyLimit: 1 }));
    for (const run of [1, 2, 3, 4]) {
      if (run > 1) simulation.annotate('requestedAt', `${run}`);
      expect(await simulation.runUntil(({ status }) => status.run?.number === run)).toBe(true);
      await wholeRun(simulation);
    }
    expect([...simulation.evidence.objects.keys()].toSorted()).toEqual([
      'demo-evidence-3',
      'demo-evidence-4',
    ]);
    simulation.spec = simulatedSpec({ historyLimit: 0, runId: 'other' });
    await simulation.runUntil(({ status }) => status.run?.number === 5);
    await wholeRun(simulation);
    expect([...simulation.evidence.objects.keys()]).toEqual(['demo-evidence-5']);
  });

  it('evidence is also deleted if run numbers restart after a wiped status', async () => {
    const simulation = new Simulation(simulatedSpec({ historyLimit: 0 }));
    await wholeRun(simulation);
    for (const runId of ['b', 'c']) await nextRun(simulation, runId);
    simulation.spec = { ...simulation.spec, suspend: true };
    simulation.forge(() => ({}));
    await simulation.pass(1000);
    simulation.spec = { ...simulation.spec, runId: 'd', suspend: false };
    for (const runId of ['d', 'e', 'f']) await nextRun(simulation, runId);
    expect([...simulation.evidence.objects.keys()]).toEqual(['demo-evidence-3']);
  });

  it('evidence of an earlier run with the same number goes with the first write', async () => {
    const simulation = new Simulation();
    const owner = simulation.object.metadata.uid;
    const data = { 'run.json': 'of it', 'scenario-1.json': 'of it', 'scenario-8.json': 'of it' };
    simulation.evidence.objects.set('demo-evidence-1', { uid: 'known', owner, data });
    await simulation.runUntil(({ evidence }) => evidence.writes.length > 0);
    expect(Object.keys(simulation.evidence.objects.get('demo-evidence-1')?.data ?? {})).toEqual(['run.json']);
    await wholeRun(simulation);
    expect(await kept(simulation)).toMatchObject({ complete: true, leftOut: '' });
    expect((await kept(simulation)).scenarios.map(({ name }) => name)).toEqual(['stall', 'surge']);
  });

  it('evidence is reported lost once, after 10 s with an earlier ConfigMap in place', async () => {
    const simulation = new Simulation(MANUAL);
    const { evidence } = simulation;
    evidence.objects.set('demo-evidence-1', { uid: 'known', owner: EARLIER, data: {} });
    await simulation.pass(120_000);
    expect(simulation.events.filter(({ reason }) => reason === 'EvidenceNotKept')).toHaveLength(1);
    expect([evidence.tries > 4, evidence.tries < 10]).toEqual([true, true]);
    expect(evidence.objects.get('demo-evidence-1')?.data).toEqual({});
  });

  it('is kept once an earlier object of the name has gone with what was its own', async () => {
    const simulation = new Simulation();
    simulation.evidence.objects.set('demo-evidence-1', { uid: 'known', owner: EARLIER, data: {} });
    await simulation.pass(8000);
    simulation.evidence.objects.delete('demo-evidence-1');
    await wholeRun(simulation);
    expect(await kept(simulation)).toMatchObject({ complete: true, leftOut: '' });
    expect(simulation.events.filter(({ reason }) => reason === 'EvidenceNotKept')).toEqual([]);
  });

  it('evidence of concurrent runs is kept separately', async () => {
    const simulation = new Simulation();
    for (let i = 1; i < 5; i += 1) simulation.create(`demo-${i}`, simulatedSpec(), `other-${i}`);
    await simulation.checkPreconditions();
    const all = () =>
      simulation.server.keys().every((key) => simulation.server.get(key)?.status?.run?.completedAt);
    expect(await simulation.runUntil(all)).toBe(true);
    await simulation.pass(2000);
    for (let i = 1; i < 5; i += 1) {
      expect((await simulation.evidence.read(`demo-${i}`, 1))?.evidence?.complete).toBe(true);
    }
    expect(simulation.entryCount).toBe(0);
  });
});
