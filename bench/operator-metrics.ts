/** What the operator says of itself at /metrics: its counters, and what the system counts of its process. */
import { request } from 'undici';

/** Series by name, labels included as they are written: `chaosdemo_status_writes_total{result="stored"}`. */
export type Metrics = ReadonlyMap<string, number>;

const TIMEOUT_MS = 30_000;

/** @throws if nothing answers at `url` */
export async function readMetrics(url: string): Promise<Metrics> {
  const answer = await request(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  return parseMetrics(await answer.body.text());
}

/** Reads the text format of Prometheus, as far as prom-client writes it. Pure. */
export function parseMetrics(text: string): Metrics {
  const series = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line): [string, number] => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    });
  return new Map(series);
}

/** @throws when the operator has no such series, which would make every figure of it 0 */
export function metric(metrics: Metrics, name: string): number {
  const value = metrics.get(name);
  if (value === undefined) throw new Error(`the operator has no metric ${name}`);
  return value;
}

/** Resident memory of the process, as the system counts it. */
export const residentMiB = (metrics: Metrics): number =>
  metric(metrics, 'process_resident_memory_bytes') / 1024 ** 2;

/** Objects of JavaScript that are alive, or not collected yet. */
export const heapMiB = (metrics: Metrics): number =>
  metric(metrics, 'nodejs_heap_size_used_bytes') / 1024 ** 2;

/** Processor time of the process since its start, in all its threads. */
export const cpuSeconds = (metrics: Metrics): number => metric(metrics, 'process_cpu_seconds_total');

/** Reconciles since the start, those with an error included. */
export const reconciles = (metrics: Metrics): number =>
  metric(metrics, 'controller_runtime_reconcile_time_seconds_count{controller="chaosdemo"}');

/** ChaosDemos that wait for a worker. */
export const queueDepth = (metrics: Metrics): number =>
  metric(metrics, 'workqueue_depth{name="chaosdemo",controller="chaosdemo"}');

/** Statuses stored since the start. */
export const statusWrites = (metrics: Metrics): number =>
  metric(metrics, 'chaosdemo_status_writes_total{result="stored"}');
