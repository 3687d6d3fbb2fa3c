import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { IDLE } from '../../../test/fixtures/operator/metrics/idle.ts';
import { FakeApiServer } from '../../../test/simulation/fake-api.ts';
import { FakeClock } from '../../../test/simulation/fake-clock.ts';
import { FakeEvidence } from '../../../test/simulation/fake-evidence.ts';
import { ProcessClock } from '../../../test/simulation/process-clock.ts';
import { SimulatedConnector } from '../../../test/simulation/simulated-connector.ts';
import { simulatedDefinition, simulatedDemo } from '../../../test/simulation/simulated-subject.ts';
import { type Behaviour, SimulatedTarget } from '../../../test/simulation/simulated-target.ts';
import type { Logger } from '../log.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { Leadership } from './leadership.ts';

const metrics = createMetrics(IDLE, []);
const STOP = { release: true };
const LOST = { release: false };

/** One process with an election that the test decides, and a demo. */
function setup(behaviour: Partial<Behaviour> = {}, logger: Logger = pino({ level: 'silent' })) {
  const world = new FakeClock();
  const clock = new ProcessClock(world);
  const server = new FakeApiServer(world);
  const target = new SimulatedTarget(world, behaviour);
  server.create(simulatedDemo());
  const api = server.connect(clock);
  const election = { leads: true };
  const reported: boolean[] = [];
  /** What each term has reported its subjects to go by. */
  const leads: (() => boolean)[] = [];
  const leadership = new Leadership({
    api,
    evidence: new FakeEvidence(world).connect(clock),
    clock,
    logger,
    recorders: { events: { record: () => {} }, metrics },
    connect(hasLead) {
      leads.push(hasLead);
      const connector = new SimulatedConnector(target, clock);
      return [{ definition: simulatedDefinition, connector }];
    },
    processLeads: () => election.leads,
    killSwitchIsOn: () => false,
    concurrency: 2,
    maxRuns: 50,
    maxRunsPerNamespace: 5,
    keys: () => api.keys(),
    onChange: (leads) => reported.push(leads),
  });
  api.subscribe((key) => leadership.enqueue(key));
  const until = async (holds: () => boolean, maxMs = 120_000): Promise<void> => {
    for (let passed = 0; !holds() && passed < maxMs; passed += 10) await world.advance(10);
    expect(holds()).toBe(true);
  };
  const status = () => server.get('ns/demo')?.status ?? {};
  const begins = (kind: string) => () => target.performed.some((effect) => effect.kind === kind);
  const ended = async (end: Promise<void>): Promise<void> => {
    await world.advance(20_000);
    await end;
  };
  return { begins, election, ended, leadership, leads, server, status, target, reported, until, world };
}

describe('a term', () => {
  it('a term that ends between decision and write writes nothing, without an error', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
    const { election, ended, leadership, server, status, until, world } = setup({}, logger);
    const isHeld = (): boolean => server.get('ns/demo')?.metadata.finalizers !== undefined;
    // Lost as soon as the finalizer is stored, before the status that goes with it is sent.
    Object.defineProperty(election, 'leads', { get: () => !isHeld() });
    leadership.begin();
    await until(isHeld);
    const { journal } = status();
    await world.advance(100);
    await ended(leadership.end(LOST));
    expect([status().journal, lines]).toEqual([journal, []]);
  });

  it.each([
    [
      'is frozen until it leads no more',
      (_: unknown, election: { leads: boolean }) => (election.leads = false),
    ],
    ['was lost, though the process leads again', (lose: () => void) => lose()],
  ])('writes no status that it had decided on where it %s', async (_, befall) => {
    const { election, leadership, server, status, until, world } = setup();
    leadership.begin();
    await until(() => status().chapter !== undefined);
    let writes = Number.POSITIVE_INFINITY;
    // The finalizer is added before the announcement, and both are of one decision.
    server.watch(() => {
      if (server.get('ns/demo')?.metadata.finalizers === undefined || writes < Infinity) return;
      befall(() => void leadership.end(LOST), election);
      writes = server.stored.length;
    });
    await until(() => writes < Infinity);
    await world.advance(10_000);
    expect(server.stored.length).toBe(writes);
  });

  it('an orderly end keeps the state of subjects in the cluster; a lost term does not', async () => {
    const { election, ended, leadership, leads } = setup();
    leadership.begin();
    expect(leads.map((hasLead) => hasLead())).toEqual([true]);
    const lost = leadership.end(LOST);
    leadership.begin();
    // The process leads, but not by the first.
    expect(leads.map((hasLead) => hasLead())).toEqual([false, true]);
    const stopped = leadership.end(STOP);
    expect(leads.map((hasLead) => hasLead())).toEqual([false, true]);
    election.leads = false;
    expect(leads.map((hasLead) => hasLead())).toEqual([false, false]);
    await ended(Promise.all([lost, stopped]).then(() => undefined));
  });
});
