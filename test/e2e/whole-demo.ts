/** manifests/samples/demo.yaml as it is shipped, as kubectl get -w shows it. */
import { expect, it } from 'vitest';
import { numbered } from '../../src/engine/chapter.ts';
import { keepingTime } from '../kit/pace.ts';
import type { Cluster } from './support/cluster.ts';

export function wholeDemo(cluster: Cluster): void {
  it(
    'succeeds, and kubectl get -w shows its chapters',
    keepingTime(async () => {
      await cluster.apply('demo.yaml', 'demo');
      const rows = await cluster.watchToTheEnd('demo', 'demo-watch.txt');
      const status = await cluster.ended('demo');
      expect(status.run).toMatchObject({ phase: 'Succeeded', reason: 'ExpectationsMet' });
      expect(numbered(status).map(({ state }) => state)).toEqual(Array(11).fill('Completed'));
      expect(status.scenarios).toMatchObject([
        { type: 'CounterDrift', result: 'Violated', fault: { proof: 'Confirmed' } },
        {
          type: 'GhostAllowing',
          result: 'Violated',
          fault: { proof: 'Confirmed' },
          summary: '>= 20/10, 3/3 trials',
        },
      ]);
      const chapters = Array.from({ length: 11 }, (_, index) => `${index + 1}/11`);
      const shown = rows.flatMap((row) => / (\d+\/11) /.exec(row)?.[1] ?? []);
      expect([...new Set(shown)]).toEqual(chapters);
      expect(rows.at(-1)).toMatch(
        /^demo\s+Succeeded\s+11\/11 Demo Complete\s+True\s+False\s+counter-drift violated; ghost-allowing violated/,
      );
      await cluster.writeThroughLimiter();
    }),
  );
}
