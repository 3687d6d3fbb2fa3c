/** The page of metrics: however many ask for it, it is made about once a second, and once at a time. */
import type { Registry } from 'prom-client';

/** For so long the page is handed out as it is, in milliseconds. */
const FRESH_MS = 1000;

/** Hands out the metrics of a registry, not older than a second. @returns a function that throws where a metric cannot be read */
export function createMetricsPage(registry: Pick<Registry, 'metrics'>): () => Promise<string> {
  let page: Promise<string> | undefined;
  let madeAt = -Infinity;
  let making = false;
  const make = async (): Promise<string> => {
    making = true;
    try {
      return await registry.metrics();
    } finally {
      making = false;
      madeAt = performance.now();
    }
  };
  return () => {
    if (page === undefined || (!making && performance.now() - madeAt >= FRESH_MS)) page = make();
    return page;
  };
}
