/** A limiter that cannot be fooled: the gate passes, and a demo that expects anomalies fails. */
import { beforeAll, expect, it } from 'vitest';
import { keepingTime } from '../kit/pace.ts';
import type { Cluster } from './support/cluster.ts';

export function strictGate(cluster: Cluster): void {
  beforeAll(() => cluster.useLimiter('strict'));

  it(
    'passes manifests/samples/gate.yaml: both anomalies are proven absent',
    keepingTime(async () => {
      await cluster.apply('gate.yaml', 'gate');
      const status = await cluster.ended('gate');
      expect(status.run).toMatchObject({ phase: 'Succeeded', reason: 'ExpectationsMet' });
      expect(status.scenarios).toMatchObject([{ result: 'Held' }, { result: 'Held' }]);
      await cluster.inNamespace('wait', 'chaosdemo/gate', '--for=condition=Succeeded', '--timeout=5s');
    }),
  );

  it(
    'fails manifests/samples/demo.yaml honestly: ViolationNotReproduced',
    keepingTime(async () => {
      await cluster.apply('demo.yaml', 'expecting');
      const status = await cluster.ended('expecting');
      expect(status.run).toMatchObject({ phase: 'Failed', reason: 'ViolationNotReproduced' });
      expect(status.scenarios).toMatchObject([{ result: 'Held' }, { result: 'Held' }]);
    }),
  );
}
