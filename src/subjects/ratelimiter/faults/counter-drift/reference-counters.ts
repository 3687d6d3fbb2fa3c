/** Counters of the reference interface: each node tells what it admitted, and where Redis counts. */
import { checkNode } from '../../interfaces/reference/check-node.ts';
import { sampleCounters } from '../../interfaces/reference/counter-sample.ts';
import type { Toolkit } from '../fault.ts';
import { prepareKey, usedBefore } from '../fixture.ts';
import { watchRecovery } from '../recovery.ts';
import type { Counters } from './counters.ts';

export function referenceCounters(toolkit: Toolkit): Counters {
  const { loaders, now, observers, redis } = toolkit;
  return {
    source: 'Nodes',
    prepare: async (key, signal) => await prepareKey(toolkit, key, signal),
    usedBefore: async (window, signal) => await usedBefore(toolkit, window, signal),
    nodes: (window) => loaders.map((client) => checkNode(client, window)),
    look: async (window, _, signal) => await sampleCounters(observers, redis, window, now, signal),
    recover: async (recovery, signal) => await watchRecovery({ ...recovery, observers, redis, now }, signal),
  };
}
