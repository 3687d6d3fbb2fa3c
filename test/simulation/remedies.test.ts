/** What comes of diagnoses in mode Apply: where in the story, once, and never at the cost of a result or a restore. */
import { describe, expect, it } from 'vitest';
import type { ChaosDemoSpec } from '../../src/api/index.ts';
import { decide } from '../../src/demo/decide.ts';
import { announcement, nothingObserved, type Observed } from '../../src/demo/observed.ts';
import { REMEDY_TIMEOUT_MS } from '../../src/demo/remedies.ts';
import { simulatedDefinition, simulatedSpec } from './simulated-subject.ts';
import type { Behaviour } from './simulated-target.ts';
import { Simulation } from './simulation.ts';
import { finished } from './support.ts';

const RESETS: Partial<Behaviour> = { action: 'reset-counter' };

const applying = (changes: Record<string, unknown> = {}): ChaosDemoSpec =>
  simulatedSpec({
    remediation: 'Apply',
    pace: { dwell: '0s' },
    ...changes,
  });

async function runOf(spec: ChaosDemoSpec, behaviour: Partial<Behaviour> = {}): Promise<Simulation> {
  const simulation = new Simulation(spec, behaviour);
  await simulation.runUntil(finished);
  return simulation;
}

const states = ({ status }: Simulation): unknown[] =>
  (status.diagnoses ?? []).map(({ profile, remediation }) => [remediation?.state, profile]);
const sent = ({ target }: Simulation): string[] => target.remedies.map(({ id }) => id);
const isApplying = ({ status }: Pick<Simulation, 'status'>): boolean =>
  status.diagnoses?.some(({ remediation }) => remediation?.state === 'Applying') === true;

describe('a remedy', () => {
  it('is not sent for what a restart in order took back during the fault', async () => {
    const behaviour = {
      ...RESETS,
      queues: true,
      loses: false,
      stallBites: true,
      heedsAbort: false,
      effectMs: 0,
    };
    const simulation = new Simulation(simulatedSpec({ remediation: 'Apply' }), behaviour);
    await simulation.pass(9510);
    await simulation.restart();
    await simulation.runUntil(finished);
    expect(sent(simulation)).toEqual([]);
    expect(states(simulation)).toEqual([['NotApplied', 'rules']]);
    expect(simulation.status.diagnoses?.[0]?.remediation?.message).toMatch(/the fixture is gone/);
  });

  it('a remedy runs once per scenario, after all results and before the restore', async () => {
    const simulation = await runOf(applying(), RESETS);
    expect(sent(simulation)).toEqual(['1-stall-1/remedy', '1-surge-1/remedy']);
    expect(states(simulation)).toEqual([
      ['Applied', 'rules'],
      ['Applied', 'rules'],
    ]);
    const kinds = simulation.performed.map(({ kind }) => kind);
    expect(kinds.slice(-3)).toEqual(['Remediate', 'Remediate', 'Restore']);
    const announced = simulation.writes.find((status) =>
      status.diagnoses?.some(({ remediation }) => remediation?.state === 'Applying'),
    );
    expect(announced?.chapter).toBe('11/11 Demo Complete (applying)');
    expect(announced?.scenarios?.every(({ result }) => result === 'Violated')).toBe(true);
    expect([...simulation.target.fixtures]).toEqual([]);
  });

  it('a remedy changes no result, and adds one row to a watch while it is measured', async () => {
    const alone = await runOf(applying({ remediation: 'None' }), RESETS);
    const beside = await runOf(applying(), RESETS);
    expect(beside.status.run?.phase).toEqual(alone.status.run?.phase);
    expect(beside.status.scenarios?.map(({ measures, result }) => [result, measures])).toEqual(
      alone.status.scenarios?.map(({ measures, result }) => [result, measures]),
    );
    const rows = ({ writes }: Simulation): string[] =>
      writes.map(({ chapter, phase, result }) => [phase, chapter, result].join(' '));
    expect(rows(beside).filter((row) => !row.includes('(applying)'))).toEqual(rows(alone));
  });

  it.each<[string, ChaosDemoSpec, Partial<Behaviour>]>([
    ['the action is another', applying(), { action: 'restart-component' }],
    ['the mode is Suggest', applying({ remediation: 'Suggest' }), RESETS],
    ['it is a dry run', applying({ dryRun: true }), RESETS],
    ['nothing was detected', applying(), { ...RESETS, queues: false, loses: false }],
  ])('is not even decided on where %s', async (_, spec, behaviour) => {
    const simulation = await runOf(spec, behaviour);
    expect(sent(simulation)).toEqual([]);
    const decided = simulation.writes.flatMap(({ diagnoses = [] }) =>
      diagnoses.filter(({ remediation }) => remediation?.state !== 'Suggested'),
    );
    expect(decided).toEqual([]);
  });

  it('is not sent while spec.suspend holds the run, and reports that', async () => {
    const simulation = new Simulation(applying({ pace: { mode: 'Auto', dwell: '3s' } }), RESETS);
    await simulation.runUntil(({ status }) => status.chapter?.includes('Surge Diagnosis') === true);
    simulation.spec = { ...simulation.spec, suspend: true };
    await simulation.runUntil(finished);
    expect(sent(simulation)).toEqual([]);
    expect(simulation.status.diagnoses?.map(({ remediation }) => remediation)).toMatchObject([
      { state: 'NotApplied', message: expect.stringMatching(/^Nothing .*: spec\.suspend is true$/) },
      { state: 'NotApplied' },
    ]);
  });

  it('an announced remedy does not begin after suspend, but a begun one continues', async () => {
    const simulation = new Simulation(applying(), RESETS);
    await simulation.runUntil(isApplying);
    const { now, spec, status } = simulation;
    const untils = status.diagnoses?.map(({ remediation }) => remediation?.until ?? '') ?? [];
    const ids = status.scenarios?.map(({ fault }) => `${fault?.id}/remedy`) ?? [];
    const announced = ids.map((id, i) => announcement({ id, plannedAt: untils[i] ?? '' }));
    const kindsOf = (suspend: boolean, begun: readonly string[]): string[] => {
      const observed: Observed = {
        ...nothingObserved(now),
        admission: { state: 'granted' },
        announced: new Set(announced),
        begun: new Set(begun),
      };
      const demo = {
        uid: 'uid-of-demo-0',
        generation: 1,
        deleting: false,
        killSwitch: false,
        spec: { ...spec, suspend },
        status: structuredClone(status),
        annotations: {},
      };
      return decide(demo, observed, now, simulatedDefinition).effects.map(({ kind }) => kind);
    };
    expect(kindsOf(false, [])).toEqual(['Remediate', 'Remediate']);
    expect(kindsOf(true, ids)).toEqual(['Remediate', 'Remediate']);
    expect(kindsOf(true, [])).toEqual(['Restore']);
  });

  it('a remedy waits for the diagnosis of a profile, but not beyond its time', async () => {
    const byModel = { diagnosisProfile: 'model' };
    const inTime = await runOf(applying(byModel), { modelAction: 'reset-counter', modelMs: 100 });
    expect(states(inTime)).toEqual([
      ['Applied', 'model'],
      ['Applied', 'model'],
    ]);
    const awaited = await runOf(applying(byModel), { modelAction: 'reset-counter', modelMs: 50_000 });
    expect(states(awaited)).toEqual(states(inTime));
    const late = await runOf(applying(byModel), { modelAction: 'reset-counter', modelMs: 70_000 });
    expect(sent(late)).toEqual([]);
    const byRules = await runOf(applying(byModel), { ...RESETS, modelMs: 70_000 });
    expect(states(byRules)).toEqual([
      ['Applied', 'rules'],
      ['Applied', 'rules'],
    ]);
  });

  it('a remedy is neither repeated nor claimed if the operator dies around it', async () => {
    for (const effectMs of [2000, 40]) {
      const simulation = new Simulation(applying(), { ...RESETS, effectMs });
      await simulation.runUntil(isApplying);
      const before = sent(simulation);
      if (effectMs === 40) await simulation.pass(30);
      const atCrash = sent(simulation).length;
      expect([before.length, atCrash > 0]).toEqual([0, effectMs === 40]);
      await simulation.crash(2000);
      await simulation.runUntil(finished);
      expect(sent(simulation)).toHaveLength(atCrash);
      expect(states(simulation).every((state) => (state as string[])[0] === 'Unproven')).toBe(true);
      expect(simulation.status.diagnoses?.[0]?.remediation?.message).toMatch(
        /operator .*restarted, .*lost .*lead/,
      );
      expect(simulation.status.run?.phase).toBe('Succeeded');
      expect([...simulation.target.fixtures]).toEqual([]);
    }
  });

  it('a remedy decided after a takeover is announced and sent by the successor', async () => {
    const simulation = new Simulation(applying(), RESETS);
    await simulation.runUntil(
      ({ status }) => status.chapter?.includes('Demo Complete') === true && !isApplying({ status }),
    );
    await simulation.crash(2000);
    await simulation.runUntil(finished);
    expect(sent(simulation)).toEqual(['1-stall-1/remedy', '1-surge-1/remedy']);
    expect(states(simulation)).toEqual([
      ['Applied', 'rules'],
      ['Applied', 'rules'],
    ]);
    expect(simulation.status.run?.phase).toBe('Succeeded');
    expect([...simulation.target.fixtures]).toEqual([]);
  });

  it('is not sent by a process that was frozen before', async () => {
    const simulation = new Simulation(applying(), { ...RESETS, effectMs: 2000 });
    await simulation.runUntil(isApplying);
    await simulation.freeze(40_000);
    await simulation.runUntil(finished);
    expect(sent(simulation)).toEqual([]);
    expect([...simulation.target.fixtures]).toEqual([]);
  });

  it('a remedy that hangs delays the restore for a bounded time, and did not help', async () => {
    const simulation = new Simulation(applying(), { ...RESETS, remedy: 'hangs' });
    await simulation.runUntil(isApplying);
    const from = simulation.now;
    await simulation.runUntil(finished);
    expect(simulation.now - from).toBeLessThan(REMEDY_TIMEOUT_MS + 3000);
    expect(simulation.status.diagnoses?.[0]?.remediation?.state).toBe('Unproven');
    expect(simulation.status.run?.phase).toBe('Succeeded');
    expect([...simulation.target.fixtures]).toEqual([]);
  });

  it('a remedy ends with an aborted, suspended or deleted run, which restores at once', async () => {
    for (const stop of [
      (simulation: Simulation) => simulation.annotate('abort', '1'),
      (simulation: Simulation) => simulation.turnKillSwitch(true),
      (simulation: Simulation) => simulation.delete(),
    ]) {
      const simulation = new Simulation(applying(), { ...RESETS, effectMs: 2000 });
      await simulation.runUntil(isApplying);
      const from = simulation.now;
      stop(simulation);
      await simulation.runUntil((one) => !one.exists || one.finished());
      expect(simulation.now - from).toBeLessThan(10_000);
      expect(sent(simulation)).toEqual([]);
      if (simulation.exists) expect(states(simulation)[0]).toEqual(['NotApplied', 'rules']);
      expect([...simulation.target.fixtures]).toEqual([]);
    }
  });

  it('a remedy sent right before an abort is awaited, and its setup removed', async () => {
    const simulation = new Simulation(applying(), { ...RESETS, effectMs: 1000 });
    await simulation.runUntil(({ target }) => target.remedies.length > 0);
    simulation.annotate('abort', '1');
    await simulation.runUntil(finished);
    expect(states(simulation)[0]).toEqual(['Unproven', 'rules']);
    await simulation.pass(20_000);
    expect([...simulation.target.fixtures]).toEqual([]);
  });

  it('is not sent to what another object has set up, whatever the status says', async () => {
    for (const moment of ['Surge Diagnosis', 'Demo Complete (applying)']) {
      const simulation = new Simulation(applying({ pace: { dwell: '1s' } }), { ...RESETS, effectMs: 2000 });
      await simulation.runUntil(({ status }) => status.chapter?.includes(moment) === true);
      simulation.forge((status) => ({
        ...status,
        scenarios: status.scenarios?.map(({ fault, ...scenario }) => ({
          ...scenario,
          ...(fault && { fault: { ...fault, fixture: 'demo-12345678-1-stall' } }),
        })),
      }));
      await simulation.runUntil(finished);
      const own = simulation.target.remedies.filter(({ fixture }) => fixture !== 'demo-12345678-1-stall');
      expect([moment, simulation.target.remedies.length - own.length]).toEqual([moment, 0]);
    }
  });

  it('is not begun if too little is left of the deadline', async () => {
    const simulation = await runOf(applying({ activeDeadline: '1m', pace: { dwell: '3s' } }), RESETS);
    expect(sent(simulation)).toEqual([]);
    expect(simulation.status.diagnoses?.[0]?.remediation?.message).toMatch(
      /too little .*spec\.activeDeadline/,
    );
    expect(simulation.status.run?.phase).toBe('Succeeded');
  });

  it('is decided on once: an edit after that applies nothing more', async () => {
    const spec = applying({ pace: { mode: 'Auto', dwell: '3s' } });
    const simulation = new Simulation(spec, { ...RESETS, effectMs: 2000 });
    await simulation.runUntil(({ status }) => status.chapter?.includes('Surge Diagnosis') === true);
    simulation.spec = { ...spec, suspend: true };
    await simulation.runUntil(({ status }) => status.diagnoses?.[0]?.remediation?.state === 'NotApplied');
    simulation.spec = spec;
    await simulation.runUntil(finished);
    expect(sent(simulation)).toEqual([]);
    expect(states(simulation)).toEqual([
      ['NotApplied', 'rules'],
      ['NotApplied', 'rules'],
    ]);
  });

  it('an action is not repeated after its result, by another process either', async () => {
    const simulation = new Simulation(applying(), { ...RESETS, effectMs: 2000 });
    await simulation.runUntil(({ status }) => status.diagnoses?.[0]?.remediation?.state === 'Applied');
    const before = sent(simulation);
    await simulation.crash(2000);
    await simulation.runUntil(finished);
    expect(sent(simulation).filter((id) => id === '1-stall-1/remedy')).toHaveLength(1);
    expect(before).toContain('1-stall-1/remedy');
  });
});
