/** The page of metrics: rendered about once a second and one at a time, however many clients request it. */
import type { Registry } from 'prom-client';

/** How long a rendered page is reused, in milliseconds. */
const FRESH_MS = 1000;

/**
 * Serves the metrics of a registry, at most a second old. @returns a function that throws if a metric cannot be read
 */
export function createMetricsPage(registry: Pick<Registry, 'metrics'>): () => Promise<string> {
  let page: Promise<string> | undefined;
  const forget = (): void => {
    page = undefined;
  };
  return () => {
    page ??= registry.metrics().finally(() => setTimeout(forget, FRESH_MS).unref());
    return page;
  };
}
