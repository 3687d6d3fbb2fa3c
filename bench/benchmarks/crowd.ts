/** Ten thousand ChaosDemos in a thousand namespaces, in the simulation: how many run at once, and how long all take. */
import { isRunActive } from '../../src/engine/fault-times.ts';
import { simulatedSpec } from '../../test/simulation/simulated-subject.ts';
import { Simulation } from '../../test/simulation/simulation.ts';
import type { Benchmark } from '../benchmark.ts';
import { quantile } from '../statistics.ts';

const NAMESPACES = 1000;
const IN_EACH = 10;
const ALL = NAMESPACES * IN_EACH;
/** Of the API server, there and back. */
const LATENCY_MS = 20;
/** Between the objects of two namespaces; milliseconds. */
const APART_MS = 100;

export const crowd: Benchmark = {
  name: 'crowd',
  isLong: true,
  what: `${ALL} ChaosDemos in ${NAMESPACES} namespaces, in the simulation: runs at once, first statuses, and the time until all have run`,
  async run({ say, signal }) {
    const aloneMs = await timeAlone();
    const simulation = new Simulation(simulatedSpec({ suspend: true }));
    const { maxRuns, maxRunsPerNamespace, server } = simulation;
    server.latencyMs = LATENCY_MS;
    const createdAt = new Map<string, number>();
    const waited = new Map<string, number>();
    const active = new Set<string>();
    const ended = new Map<string, string>();
    let most = 0;
    let mostOfNamespace = 0;
    server.watch((key) => {
      const status = server.get(key)?.status;
      const created = createdAt.get(key);
      if (!status || created === undefined) return;
      // Ten thousand runs have more statuses than a process can keep.
      server.stored.length = 0;
      if (!waited.has(key)) waited.set(key, simulation.now - created);
      if (status.run?.completedAt !== undefined) ended.set(key, status.phase ?? '');
      if (!isRunActive(status)) {
        active.delete(key);
        return;
      }
      active.add(key);
      most = Math.max(most, active.size);
      const prefix = key.slice(0, key.indexOf('/') + 1);
      const ofNamespace = [...active].filter((other) => other.startsWith(prefix)).length;
      mostOfNamespace = Math.max(mostOfNamespace, ofNamespace);
    });

    const startedAt = simulation.now;
    for (let namespace = 0; namespace < NAMESPACES; namespace += 1) {
      for (let i = 0; i < IN_EACH; i += 1) {
        createdAt.set(`crowd-${namespace}/demo-${i}`, simulation.now);
        simulation.create(`demo-${i}`, simulatedSpec(), `crowd-${namespace}`);
      }
      await simulation.pass(APART_MS);
    }
    while (ended.size < ALL) {
      signal.throwIfAborted();
      await simulation.pass(60_000);
      say(`after ${(simulation.now - startedAt) / 1000} simulated s: ${ended.size} of ${ALL} have run`);
    }

    const phases = Object.entries(Object.groupBy(ended.values(), (phase) => phase));
    const note = phases.map(([phase, of]) => `${of?.length} ${phase}`).join(', ');
    return [
      {
        what: 'runs at once, most',
        value: most,
        unit: '',
        baseline: { what: '--max-runs', value: maxRuns },
        note,
      },
      {
        what: 'runs at once of a namespace, most',
        value: mostOfNamespace,
        unit: '',
        baseline: { what: '--max-runs-per-namespace', value: maxRunsPerNamespace },
      },
      { what: 'first status, p99', value: quantile([...waited.values()], 0.99), unit: 'ms' },
      {
        what: 'until all have run',
        value: (simulation.now - startedAt) / 1000,
        unit: 's',
        baseline: {
          what: `${maxRuns} at once, each as long as a single one`,
          value: (aloneMs * ALL) / maxRuns / 1000,
        },
      },
    ];
  },
};

/** How long a run takes that is the only one. */
async function timeAlone(): Promise<number> {
  const simulation = new Simulation();
  simulation.server.latencyMs = LATENCY_MS;
  const startedAt = simulation.now;
  await simulation.runUntil((world) => world.finished());
  return simulation.now - startedAt;
}
