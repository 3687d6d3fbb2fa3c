import { describe, expect, it } from 'vitest';
import { statusSchema } from '../api/index.ts';
import { Simulation, START, simulatedSpec } from './simulation.fixture.ts';

const chapterOf = (simulation: Simulation) => Number(simulation.status.progress?.split('/')[0] ?? 0);
const at = (number: number) => (simulation: Simulation) => chapterOf(simulation) >= number;
const finished = (simulation: Simulation) => simulation.finished();
const condition = (simulation: Simulation, type: string) =>
  simulation.status.conditions?.find((candidate) => candidate.type === type);

const GATE = simulatedSpec({
  scenarios: [
    { name: 'counter-drift', type: 'CounterDrift', expect: 'NotDetected' },
    { name: 'ghost-allowing', type: 'GhostAllowing', expect: 'NotDetected' },
  ],
});

describe('a run', () => {
  it('leads through eleven chapters to Succeeded, injecting each fault once', () => {
    const simulation = new Simulation();
    expect(simulation.runUntil(finished)).toBe(true);
    expect(simulation.status.phase).toBe('Succeeded');
    expect(simulation.status.chapters?.map(({ state }) => state)).toEqual(Array(11).fill('Completed'));
    expect(simulation.status.scenarios?.map(({ result }) => result)).toEqual(['Detected', 'Detected']);
    expect(simulation.injected.map(({ id }) => id)).toEqual(['1-counter-drift-1', '1-ghost-allowing-1']);
    expect(simulation.status.expected).toBe('2/2');
  });

  it('takes over another interval of looks at once, without another run', () => {
    const simulation = new Simulation(simulatedSpec({ pace: { mode: 'Manual' } }));
    const looks = () => simulation.last?.activities.filter(({ kind }) => kind === 'PollHealth');
    simulation.runUntil(at(1));
    expect(looks()).toEqual([{ kind: 'PollHealth', intervalMs: 2000 }]);
    const { subject } = simulation.spec;
    const rateLimiter = { ...subject.rateLimiter, health: { pollInterval: '250ms' } };
    simulation.spec = simulatedSpec({ pace: { mode: 'Manual' }, subject: { rateLimiter } });
    simulation.step();
    expect(looks()).toEqual([{ kind: 'PollHealth', intervalMs: 250 }]);
    expect(simulation.status.run?.number).toBe(1);
  });

  it('writes a bounded number of statuses, no two alike in the columns of a watch', () => {
    const simulation = new Simulation();
    simulation.runUntil(finished);
    expect(simulation.writes.length).toBeLessThan(25);
    const rows = simulation.writes.map(({ phase, chapter, progress, expected, conditions }) => {
      const healthy = conditions?.find(({ type }) => type === 'Healthy')?.status;
      return [phase, chapter, progress, healthy, expected].join('|');
    });
    for (const [index, row] of rows.entries()) expect(row).not.toBe(rows[index - 1]);
  });

  it('keeps evidence that grows for the next transition, and ends with the last of it', () => {
    const simulation = new Simulation(simulatedSpec({ pace: { mode: 'Manual' } }));
    for (const chapter of [1, 2, 3]) {
      simulation.annotations = { advance: `1/${chapter}` };
      simulation.runUntil(() => false, 5000);
    }
    const before = simulation.writes.length;
    simulation.runUntil(() => false, 60_000);
    // Meanwhile the pause has ended, which is told, and the watch after it, which is not.
    expect(simulation.writes.slice(before)).toHaveLength(1);
    simulation.spec = simulatedSpec();
    const { observed } = simulation;
    simulation.runUntil(finished);
    for (const { evidence, fault } of simulation.status.scenarios ?? []) {
      expect(evidence).toEqual(observed.readings[fault?.id ?? '']?.evidence);
    }
  });

  it('tells of lost counts only where the counters could be read after the fault', () => {
    for (const readable of [true, false]) {
      const simulation = new Simulation(simulatedSpec(), { readable });
      simulation.runUntil(finished);
      expect(simulation.status.phase).toBe('Succeeded');
      const [drift] = simulation.status.scenarios ?? [];
      expect([drift?.lostCounts, drift?.recovered]).toEqual(
        readable ? [0, expect.any(String)] : [undefined, undefined],
      );
    }
  });

  it('announces a fault in a stored status before it injects it', () => {
    const simulation = new Simulation();
    simulation.runUntil(({ injected }) => injected.length === 1);
    const announced = simulation.writes.findIndex(({ scenarios }) => scenarios?.[0]?.fault);
    expect(announced).toBeGreaterThan(0);
    expect(simulation.injected[0]?.at).toBeGreaterThanOrEqual(
      Date.parse(simulation.writes[announced]?.scenarios?.[0]?.fault?.plannedAt ?? ''),
    );
  });

  it('is Failed with AnomalyNotReproduced where a strict limiter holds', () => {
    const simulation = new Simulation(simulatedSpec(), { drifts: false, ghosts: false });
    simulation.runUntil(finished);
    expect(simulation.status.run?.verdict).toMatchObject({ phase: 'Failed', reason: 'AnomalyNotReproduced' });
    expect(condition(simulation, 'Stalled')?.status).toBe('True');
    expect(condition(simulation, 'CounterDrift')?.status).toBe('False');
  });

  it('is Succeeded where NotDetected was expected and proven', () => {
    const simulation = new Simulation(GATE, { drifts: false, ghosts: false });
    simulation.runUntil(finished);
    expect(simulation.status.phase).toBe('Succeeded');
    expect(simulation.status.scenarios?.map(({ result }) => result)).toEqual(['NotDetected', 'NotDetected']);
  });

  it('is Failed with UnexpectedAnomaly where NotDetected was expected and something was detected', () => {
    const simulation = new Simulation(GATE);
    simulation.runUntil(finished);
    expect(simulation.status.run?.verdict).toMatchObject({ phase: 'Failed', reason: 'UnexpectedAnomaly' });
  });

  it('is Errored where nothing was detected and the proof has a hole', () => {
    const simulation = new Simulation(GATE, {
      drifts: false,
      ghosts: false,
      shortfalls: ['node-2 got 3 checks'],
    });
    simulation.runUntil(finished);
    expect(simulation.status.run?.verdict).toMatchObject({ phase: 'Errored', reason: 'Inconclusive' });
    expect(simulation.status.message).toContain('node-2 got 3 checks');
  });

  it('is Errored where the pause did not bite, whatever was seen', () => {
    const simulation = new Simulation(simulatedSpec(), { pauseBites: false });
    simulation.runUntil(finished);
    expect(simulation.status.run?.verdict).toMatchObject({ phase: 'Errored', reason: 'Inconclusive' });
    expect(simulation.status.scenarios?.[0]).toMatchObject({
      result: 'Inconclusive',
      reason: 'FaultNotProven',
    });
  });

  it('is Errored with nothing injected where the subject does not become healthy', () => {
    const simulation = new Simulation();
    simulation.healthy = false;
    simulation.runUntil(finished);
    expect(simulation.status.run?.verdict).toMatchObject({ phase: 'Errored', reason: 'TargetUnhealthy' });
    expect(simulation.injected).toEqual([]);
    expect(simulation.status.chapters?.[1]?.state).toBe('Stopped');
  });

  it('says which pods were deleted, where that explains why nothing can be proven', () => {
    const simulation = new Simulation(GATE, {
      drifts: false,
      ghosts: false,
      shortfalls: ['the watch broke off'],
    });
    simulation.runUntil(({ status }) => status.scenarios?.[0]?.fault?.proof !== undefined);
    simulation.observed.gone = ['a'];
    simulation.healthy = false;
    simulation.runUntil(finished);
    const told = /gone since the run began: a \(1 of 1 pods\): a rollout, or somebody deleted them/;
    expect(simulation.status.scenarios?.[0]).toMatchObject({
      result: 'Inconclusive',
      message: expect.stringMatching(told),
    });
    expect(simulation.status.run?.verdict).toMatchObject({ message: expect.stringMatching(told) });
  });

  it('injects nothing in a dry run', () => {
    const simulation = new Simulation(simulatedSpec({ dryRun: true }));
    simulation.runUntil(finished);
    expect(simulation.status.run?.verdict).toMatchObject({ phase: 'Succeeded', reason: 'DryRunPassed' });
    expect(simulation.injected).toEqual([]);
    expect(simulation.performed.filter(({ kind }) => kind === 'Inject' || kind === 'Prepare')).toEqual([]);
  });

  it('skips the chapters of a scenario that is not in the spec', () => {
    const simulation = new Simulation(simulatedSpec({ scenarios: [{ name: 'g', type: 'GhostAllowing' }] }));
    simulation.runUntil(finished);
    expect(simulation.status.chapters?.slice(3, 7).map(({ state }) => state)).toEqual(
      Array(4).fill('Skipped'),
    );
    expect(condition(simulation, 'CounterDrift')).toMatchObject({ status: 'Unknown', reason: 'NotTested' });
    expect(simulation.status.expected).toBe('1/1');
  });

  it('makes a fresh key where the window has no room left for the whole story', () => {
    const simulation = new Simulation();
    simulation.runUntil(at(4));
    simulation.spec = simulatedSpec({ suspend: true });
    simulation.runUntil(() => false, 120_000);
    simulation.spec = simulatedSpec();
    simulation.runUntil(finished);
    expect(simulation.status.phase).toBe('Succeeded');
  });

  it('is Errored where no window ever has room', () => {
    const simulation = new Simulation(simulatedSpec(), { windowMs: 5000 });
    simulation.runUntil(finished);
    expect(simulation.status.run?.verdict?.reason).toBe('PrepareFailed');
    expect(simulation.injected).toEqual([]);
  });

  it('ends by its deadline', () => {
    const simulation = new Simulation(simulatedSpec({ activeDeadline: '1m', pace: { dwell: '10m' } }));
    simulation.runUntil(finished);
    expect(simulation.status.run?.verdict).toMatchObject({ phase: 'Errored', reason: 'DeadlineExceeded' });
  });
});

describe('steering a run by hand', () => {
  const MANUAL = simulatedSpec({ pace: { mode: 'Manual' } });

  it('waits after each chapter for the advance that names it, and shows that it waits', () => {
    const simulation = new Simulation(MANUAL);
    simulation.runUntil(() => false, 5000);
    expect(simulation.status.chapter).toBe('Welcome (waiting)');
    expect(condition(simulation, 'Reconciling')?.reason).toBe('AwaitingAdvance');
    simulation.annotations = { advance: '1/1' };
    simulation.runUntil(() => false, 5000);
    expect(simulation.status.chapter).toBe('Cluster Health (waiting)');
  });

  it('says what it waits for, in a message that still fits', () => {
    const simulation = new Simulation(MANUAL);
    simulation.nodes = ['n'.repeat(253), 'm'.repeat(253)];
    simulation.annotations = { advance: '1/1' };
    simulation.runUntil(() => false, 5000);
    const { message = '' } = simulation.status;
    expect(message).toMatch(/ \(waiting for advance "1\/2"\)$/);
    expect(message.length).toBe(512);
  });

  it('ignores an advance of another run or of a chapter already left', () => {
    const simulation = new Simulation(MANUAL);
    for (const advance of ['2/1', '1/0', '1/11', 'x', '1/1 ']) {
      simulation.annotations = { advance };
      simulation.runUntil(() => false, 2000);
      expect(simulation.status.chapter).toBe('Welcome (waiting)');
    }
  });

  it('does not count the time spent waiting for the deadline', () => {
    const simulation = new Simulation(simulatedSpec({ pace: { mode: 'Manual' }, activeDeadline: '2m' }));
    simulation.runUntil(() => false, 3_000_000);
    expect(simulation.finished()).toBe(false);
    for (let chapter = 1; chapter <= 10; chapter += 1) {
      simulation.annotations = { advance: `1/${chapter}` };
      simulation.runUntil(() => false, 60_000);
    }
    expect(simulation.status.phase).toBe('Succeeded');
    expect(Date.parse(simulation.status.run?.completedAt ?? '') - START).toBeGreaterThan(3_000_000);
  });

  it('remembers a violation that a presenter talked over', () => {
    const simulation = new Simulation(MANUAL);
    for (const chapter of [1, 2, 3]) {
      simulation.annotations = { advance: `1/${chapter}` };
      simulation.runUntil(() => false, 5000);
    }
    simulation.runUntil(() => false, 60_000);
    expect(simulation.status.chapter).toBe('Counter Drift Chaos (waiting)');
    expect(condition(simulation, 'CounterDrift')?.status).toBe('True');
  });

  it('stops at once on abort and ends an active pause', () => {
    const simulation = new Simulation();
    simulation.runUntil(at(5));
    expect(simulation.pausedUntil).toBeGreaterThan(simulation.now);
    simulation.annotations = { abort: '1' };
    simulation.runUntil(finished, 2000);
    expect(simulation.status.run?.verdict).toMatchObject({ phase: 'Aborted', reason: 'Aborted' });
    expect(simulation.pausedUntil).toBeLessThanOrEqual(simulation.now);
    expect(condition(simulation, 'FaultActive')?.status).toBe('False');
  });

  it('ignores an abort of another run', () => {
    const simulation = new Simulation();
    simulation.annotations = { abort: '7' };
    simulation.runUntil(finished);
    expect(simulation.status.phase).toBe('Succeeded');
  });

  it('holds before the next fault while suspended, and goes on afterwards', () => {
    const simulation = new Simulation();
    simulation.runUntil(at(7));
    simulation.spec = simulatedSpec({ suspend: true });
    simulation.runUntil(() => false, 600_000);
    expect(simulation.status.chapter).toBe('Ghost Allowing Chaos (suspended)');
    expect(simulation.injected).toHaveLength(1);
    simulation.spec = simulatedSpec();
    simulation.runUntil(finished);
    expect(simulation.status.phase).toBe('Succeeded');
  });
});

describe('starting', () => {
  it('does not run while suspended and says so', () => {
    const simulation = new Simulation(simulatedSpec({ suspend: true }));
    simulation.runUntil(() => false, 5000);
    expect(simulation.status.run).toBeUndefined();
    expect(condition(simulation, 'Ready')).toMatchObject({ status: 'False', reason: 'Suspended' });
    expect(condition(simulation, 'Reconciling')).toBeUndefined();
  });

  it('runs once for one spec, again for a new runId, and remembers both', () => {
    const simulation = new Simulation();
    simulation.runUntil(finished);
    simulation.runUntil(() => false, 60_000);
    expect(simulation.status.run?.number).toBe(1);
    simulation.spec = simulatedSpec({ runId: '2' });
    simulation.runUntil(({ status }) => status.run?.number === 2 && status.run.completedAt !== undefined);
    expect(simulation.status.history?.map(({ number }) => number)).toEqual([2, 1]);
  });

  it('runs for a new request annotation and not for its absence', () => {
    const simulation = new Simulation();
    simulation.annotations = { requestedAt: 'now' };
    simulation.runUntil(finished);
    expect(simulation.status.lastHandledRunRequest).toBe('now');
    simulation.annotations = {};
    simulation.runUntil(() => false, 60_000);
    expect(simulation.status.run?.number).toBe(1);
    simulation.annotations = { requestedAt: 'again' };
    simulation.runUntil(({ status }) => status.run?.number === 2);
    expect(simulation.status.run?.requestedAt).toBe('again');
  });

  describe('with rerun: OnPodTemplateChange', () => {
    const rerun = { rerun: 'OnPodTemplateChange' };
    /** The pods of the simulation become those of a template: `settled` once its rollout has ended. */
    const rollOut = (simulation: Simulation, template: string, settled = true): void => {
      const { observed } = simulation;
      simulation.podTemplate = settled ? template : undefined;
      if (settled) observed.podTemplate = template;
      else delete observed.podTemplate;
      if (observed.target) observed.target = { ...observed.target, podTemplate: template };
    };
    const ran = (simulation: Simulation, ms = 300_000): number | undefined => {
      simulation.runUntil(() => false, ms);
      return simulation.status.run?.number;
    };

    it('runs again once a rollout has ended, and not before', () => {
      const simulation = new Simulation(simulatedSpec(rerun));
      rollOut(simulation, 'a');
      expect(ran(simulation)).toBe(1);
      expect(simulation.last?.awaitsRollout).toBe(true);
      rollOut(simulation, 'b', false);
      expect(ran(simulation)).toBe(1);
      rollOut(simulation, 'b');
      expect(ran(simulation)).toBe(2);
      expect(simulation.status.run).toMatchObject({ podTemplate: 'b', verdict: { phase: 'Succeeded' } });
    });

    it('lets a run end whose pods are replaced, and runs again then', () => {
      const simulation = new Simulation(simulatedSpec(rerun));
      rollOut(simulation, 'a');
      simulation.runUntil(at(5));
      rollOut(simulation, 'b');
      simulation.runUntil(finished);
      expect(simulation.status.run).toMatchObject({ number: 1, podTemplate: 'a' });
      expect(ran(simulation)).toBe(2);
    });

    it('does not run for a rollout while suspended, and catches up with it afterwards', () => {
      const simulation = new Simulation(simulatedSpec(rerun));
      rollOut(simulation, 'a');
      simulation.runUntil(finished);
      simulation.spec = simulatedSpec({ ...rerun, suspend: true });
      rollOut(simulation, 'b');
      expect(ran(simulation)).toBe(1);
      simulation.spec = simulatedSpec(rerun);
      expect(ran(simulation)).toBe(2);
    });

    it('takes the template it finds for that of a run that recorded none, without running', () => {
      const simulation = new Simulation(simulatedSpec(rerun));
      simulation.runUntil(finished);
      rollOut(simulation, 'a');
      expect(ran(simulation)).toBe(1);
      expect(simulation.status.run?.podTemplate).toBe('a');
      rollOut(simulation, 'b');
      expect(ran(simulation)).toBe(2);
    });

    it('is needed: without it a rollout starts nothing and nobody looks for one', () => {
      const simulation = new Simulation();
      rollOut(simulation, 'a');
      simulation.runUntil(finished);
      rollOut(simulation, 'b');
      expect(ran(simulation)).toBe(1);
      expect(simulation.last).toMatchObject({ awaitsRollout: false, wakeAt: undefined });
    });
  });

  it('keeps the verdict where an edit starts no run', () => {
    const simulation = new Simulation();
    simulation.runUntil(finished);
    const before = simulation.status.conditions?.map(({ type, status }) => [type, status]);
    simulation.spec = simulatedSpec({ historyLimit: 2, suspend: true });
    simulation.generation = 2;
    simulation.runUntil(() => false, 5000);
    expect(simulation.status.conditions?.map(({ type, status }) => [type, status])).toEqual(before);
    expect(simulation.status.conditions?.every(({ observedGeneration }) => observedGeneration === 2)).toBe(
      true,
    );
  });

  it('adopts a key of another version of the hash without running', () => {
    const simulation = new Simulation();
    simulation.runUntil(finished);
    const { run } = simulation.status;
    if (run) run.key = 'v0:something';
    simulation.runUntil(() => false, 60_000);
    expect(simulation.status.run?.number).toBe(1);
    expect(simulation.status.run?.key).toMatch(/^v1:/);
  });

  it('says why it is refused, as Stalled, and starts once that is mended', () => {
    const simulation = new Simulation();
    simulation.observed.admission = { state: 'refused', reason: 'NoSuchPods', message: 'no pod has app=x' };
    simulation.runUntil(() => false, 15_000);
    expect(condition(simulation, 'Stalled')).toMatchObject({ status: 'True', reason: 'NoSuchPods' });
    expect(condition(simulation, 'Complete')?.status).toBe('False');
    simulation.observed.admission = { state: 'granted' };
    simulation.runUntil(finished);
    expect(simulation.status.phase).toBe('Succeeded');
  });

  it('lets Redis rest a minute after a superseded fault: five quick edits are not five pauses', () => {
    const simulation = new Simulation();
    simulation.runUntil(at(5));
    for (const runId of ['a', 'b', 'c', 'd', 'e']) {
      simulation.spec = simulatedSpec({ runId });
      simulation.runUntil(() => false, 2000);
    }
    simulation.runUntil(({ status }) => status.run?.id === 'e' && status.run.completedAt !== undefined);
    expect(simulation.status.phase).toBe('Succeeded');
    const pauses = simulation.injected.filter(({ scenario }) => scenario === 'counter-drift');
    expect(pauses).toHaveLength(2);
    expect((pauses[1]?.at ?? 0) - (pauses[0]?.at ?? 0)).toBeGreaterThan(60_000);
    expect(simulation.status.history?.at(-1)?.reason).toBe('Superseded');
  });

  it.each([1, 3])(
    'carries out the next run where one is superseded in chapter %i, with another session',
    (chapter) => {
      const simulation = new Simulation(simulatedSpec({ pace: { mode: 'Manual' } }));
      for (const passed of [1, 2].filter((each) => each < chapter)) {
        simulation.annotations = { advance: `1/${passed}` };
        simulation.runUntil(() => false, 100);
      }
      simulation.runUntil(at(chapter));
      simulation.spec = simulatedSpec({ runId: 'next' });
      simulation.runUntil(({ status }) => status.run?.id === 'next' && status.run.completedAt !== undefined);
      expect(simulation.status.run).toMatchObject({ number: 2, verdict: { phase: 'Succeeded' } });
    },
  );

  it('lets Redis rest also after the fault of a run that was aborted', () => {
    const simulation = new Simulation();
    simulation.runUntil(at(5));
    simulation.annotations = { abort: '1', requestedAt: 'again' };
    simulation.runUntil(({ status }) => status.run?.number === 2 && status.run.completedAt !== undefined);
    const pauses = simulation.injected.filter(({ scenario }) => scenario === 'counter-drift');
    expect((pauses[1]?.at ?? 0) - (pauses[0]?.at ?? 0)).toBeGreaterThan(60_000);
  });

  it('starts one run for a request that is longer than the status can hold', () => {
    const simulation = new Simulation();
    simulation.annotations = { requestedAt: 'r'.repeat(300) };
    simulation.runUntil(finished);
    simulation.runUntil(() => false, 60_000);
    expect(simulation.status.run?.number).toBe(1);
    expect(statusSchema.safeParse(simulation.status).error).toBeUndefined();
  });

  it('aborts and releases when the namespace takes its permission back', () => {
    const simulation = new Simulation();
    simulation.runUntil(at(5));
    simulation.observed.admission = {
      state: 'refused',
      reason: 'NamespaceNotEnabled',
      message: 'label gone',
    };
    simulation.runUntil(finished, 5000);
    expect(simulation.status.run?.verdict).toMatchObject({ phase: 'Aborted', reason: 'NamespaceNotEnabled' });
    expect(simulation.pausedUntil).toBeLessThanOrEqual(simulation.now);
  });
});

describe('deletion', () => {
  it('is not held by a burst, which nobody could cut short', () => {
    const simulation = new Simulation(simulatedSpec({ scenarios: [{ name: 'g', type: 'GhostAllowing' }] }));
    simulation.runUntil((now) => now.last?.finalizer === true || now.finished());
    expect(simulation.finished()).toBe(true);
  });

  it('keeps the finalizer only while a fault may be active, and releases it', () => {
    const simulation = new Simulation();
    simulation.runUntil(at(3));
    expect(simulation.last?.finalizer).toBe(false);
    simulation.runUntil(at(5));
    expect(simulation.last?.finalizer).toBe(true);
    simulation.deleting = true;
    simulation.runUntil(({ last }) => last?.finalizer === false, 2000);
    expect(simulation.last?.finalizer).toBe(false);
    expect(simulation.pausedUntil).toBeLessThanOrEqual(simulation.now);
  });
});

describe('an end that cannot be brought about', () => {
  it('lets the object go at the end of the pause where Redis could not be released', () => {
    const simulation = new Simulation(simulatedSpec(), { releases: false });
    simulation.runUntil(at(5));
    simulation.annotations = { abort: '1' };
    simulation.runUntil(finished);
    expect(simulation.status.run?.verdict?.message).toContain('not restored');
    expect(simulation.last?.finalizer).toBe(true);
    simulation.runUntil(({ last }) => last?.finalizer === false, 60_000);
    expect(simulation.last?.finalizer).toBe(false);
    expect(simulation.pausedUntil).toBeLessThanOrEqual(simulation.now);
    expect(condition(simulation, 'FaultActive')?.status).toBe('False');
  });

  it('releases at once for an abort, though the run was to end with its fault', () => {
    const long = { scenarios: [{ name: 'd', type: 'CounterDrift', counterDrift: { pause: '30s' } }] };
    const simulation = new Simulation(simulatedSpec({ ...long, activeDeadline: '30s' }));
    simulation.runUntil(({ status }) => status.run?.ending?.reason === 'DeadlineExceeded');
    expect(simulation.pausedUntil).toBeGreaterThan(simulation.now);
    simulation.annotations = { abort: '1' };
    simulation.runUntil(finished, 1000);
    expect(simulation.status.run?.verdict).toMatchObject({ phase: 'Aborted', reason: 'Aborted' });
    expect(simulation.pausedUntil).toBeLessThanOrEqual(simulation.now);
  });
});

describe('a restart of the operator', () => {
  it('makes one pause where it died during the countdown', () => {
    const simulation = new Simulation();
    simulation.runUntil(({ status }) => status.scenarios?.[0]?.fault !== undefined);
    simulation.crash(15_000);
    simulation.runUntil(finished);
    expect(simulation.injected.filter(({ scenario }) => scenario === 'counter-drift')).toHaveLength(1);
    expect(simulation.status.phase).toBe('Succeeded');
  });

  it('looks again at a run that it took over and that has to wait for its Redis', () => {
    const simulation = new Simulation();
    simulation.runUntil(at(3));
    simulation.crash(15_000);
    const reason = 'RedisInUse';
    simulation.observed.admission = { state: 'waiting', reason, message: 'held by another' };
    simulation.step();
    expect(simulation.last?.wakeAt).toBeLessThanOrEqual(simulation.now + 10_000);
    expect(simulation.finished()).toBe(false);
  });

  it('makes no second pause where it died right after the first, and is Errored since nobody felt it', () => {
    const simulation = new Simulation();
    simulation.runUntil(({ injected }) => injected.length === 1);
    simulation.crash(15_000);
    simulation.runUntil(finished);
    expect(simulation.injected.filter(({ scenario }) => scenario === 'counter-drift')).toHaveLength(1);
    expect(simulation.status.run?.verdict).toMatchObject({ phase: 'Errored', reason: 'Inconclusive' });
  });

  it('keeps what was detected before it died', () => {
    const simulation = new Simulation();
    simulation.runUntil(({ status }) => status.scenarios?.[0]?.result === 'Detected');
    simulation.crash(15_000);
    simulation.runUntil(finished);
    expect(simulation.status.phase).toBe('Succeeded');
    expect(simulation.injected.filter(({ scenario }) => scenario === 'counter-drift')).toHaveLength(1);
  });

  it('repeats a burst without a result once, with a new id and a new key', () => {
    const simulation = new Simulation();
    simulation.runUntil(({ injected }) => injected.length === 2);
    simulation.crash(15_000);
    simulation.runUntil(finished);
    const bursts = simulation.injected.filter(({ scenario }) => scenario === 'ghost-allowing');
    expect(bursts.map(({ id }) => id)).toEqual(['1-ghost-allowing-1', '1-ghost-allowing-2']);
    expect(simulation.status.phase).toBe('Succeeded');
    expect(simulation.status.scenarios?.[1]?.fault?.key).toMatch(/-2$/);
  });

  it('does not repeat a burst a second time', () => {
    const simulation = new Simulation();
    simulation.runUntil(({ injected }) => injected.length === 2);
    simulation.crash(15_000);
    simulation.runUntil(({ injected }) => injected.length === 3);
    simulation.crash(15_000);
    simulation.runUntil(finished);
    expect(simulation.injected).toHaveLength(3);
    expect(simulation.status.run?.verdict?.reason).toBe('Inconclusive');
  });
});
