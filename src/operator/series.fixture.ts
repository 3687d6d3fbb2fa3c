/** What a registry counts, for tests. */
import type { Registry } from 'prom-client';

/** Every series by its name, labels included as they are written: `chaosdemo_runs_total{verdict="Failed"}`. */
export async function seriesOf(registry: Registry): Promise<Map<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}
