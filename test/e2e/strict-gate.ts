/** A limiter that cannot be fooled: the gate passes, and a demo that expects anomalies does not. */
import { beforeAll, expect, it } from 'vitest';
import { keepingTime } from '../kit/pace.ts';
import type { Cluster } from './support/cluster.ts';

export function strictGate(cluster: Cluster): void {
  beforeAll(() => cluster.useLimiter('strict'));

  it(
    'passes manifests/samples/gate.yaml: nobody is admitted beyond the limit',
    keepingTime(async () => {
      await cluster.apply('gate.yaml', 'gate');
      const status = await cluster.ended('gate');
      expect(status.run).toMatchObject({ phase: 'Succeeded', reason: 'ExpectationsMet' });
      expect(status.scenarios).toMatchObject([{ result: 'Held' }, { result: 'Held' }]);
      await cluster.inNamespace('wait', 'chaosdemo/gate', '--for=condition=Succeeded', '--timeout=5s');
    }),
  );

  it(
    'proves no drift by manifests/samples/demo.yaml, as it admits nothing',
    keepingTime(async () => {
      await cluster.apply('demo.yaml', 'expecting');
      const status = await cluster.ended('expecting');
      expect(status.run).toMatchObject({ phase: 'Errored', reason: 'Inconclusive' });
      expect(status.scenarios).toMatchObject([{ result: 'Inconclusive' }, { result: 'Held' }]);
    }),
  );
}
