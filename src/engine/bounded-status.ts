/**
 * Keeps a status small. Each text and list in it is bounded, but all of them full at once would be several times what
 * each change should send to every watcher. The parts dropped first are in the evidence, or matter least.
 */
import type { ChaosDemoStatus } from '../api/index.ts';
import { truncate } from '../api/index.ts';

/** Maximum size of a status as JSON, in bytes. */
export const STATUS_BYTES = 32 * 1024;

/** Applied in this order until the status is small enough. No decision depends on the dropped parts. */
const STEPS: readonly ((status: ChaosDemoStatus) => void)[] = [
  ({ scenarios = [] }) => {
    for (const one of scenarios) delete one.evidence;
  },
  (status) => {
    if (status.pastRuns) status.pastRuns = status.pastRuns.slice(0, 5);
    shortenMessages(status, 128);
  },
  (status) => {
    delete status.pastRuns;
    shortenMessages(status, 1);
  },
  ({ diagnoses = [] }) => {
    for (const one of diagnoses) {
      if (one.recommendation !== undefined) one.recommendation = truncate(one.recommendation, 16);
    }
  },
];

/**
 * Shortens the status in place to at most {@link STATUS_BYTES} as JSON. Idempotent. A status filled by another writer
 * beyond what any run reaches may stay larger.
 */
export function boundStatus(status: ChaosDemoStatus): ChaosDemoStatus {
  for (const step of STEPS) {
    if (Buffer.byteLength(JSON.stringify(status)) > STATUS_BYTES) step(status);
  }
  return status;
}

/** Cuts each message to `most` characters, except that of the status, which a verdict may need. */
function shortenMessages(status: ChaosDemoStatus, most: number): void {
  const { chapters = [], conditions = [], diagnoses = [], scenarios = [] } = status;
  const all: { message?: string | undefined }[] = [
    ...chapters,
    ...conditions,
    ...diagnoses,
    ...scenarios,
    ...scenarios.flatMap(({ fault }) => fault ?? []),
  ];
  for (const one of all) if (one.message !== undefined) one.message = truncate(one.message, most);
}
