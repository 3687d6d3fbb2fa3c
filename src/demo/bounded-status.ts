/**
 * Keeps a status small. Each text and list in it has its bound, but all of them full at once are several times what
 * every watcher should be sent with each change. What is dropped first is in the evidence, or is least missed.
 */
import type { ChaosDemoStatus } from '../api/index.ts';
import { truncate } from '../api/index.ts';

/** Bytes of a status as JSON, at most. */
export const STATUS_BYTES = 32 * 1024;

/** In this order, until the status is small enough. No decision depends on what they drop. */
const STEPS: readonly ((status: ChaosDemoStatus) => void)[] = [
  ({ scenarios = [] }) => {
    for (const one of scenarios) delete one.evidence;
  },
  (status) => {
    if (status.history) status.history = status.history.slice(0, 5);
    shortenMessages(status, 128);
  },
  (status) => {
    if (status.history) status.history = [];
    delete status.run?.pods;
    shortenMessages(status, 1);
  },
  // Eight scenarios, each with all that a scenario may have.
  ({ chapters = [], diagnoses = [], scenarios = [] }) => {
    for (const one of chapters.filter(({ completedAt }) => completedAt !== undefined)) {
      delete one.startedAt;
      delete one.doneAt;
    }
    for (const one of diagnoses) {
      one.recommendation = truncate(one.recommendation, 16);
      delete one.model;
    }
    for (const one of scenarios) if (one.measures) one.measures = one.measures.slice(0, 1);
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

/** Cuts each message to `most` characters, except those that decisions depend on. */
function shortenMessages(status: ChaosDemoStatus, most: number): void {
  const { chapters = [], conditions = [], diagnoses = [], scenarios = [] } = status;
  const all: { message?: string | undefined }[] = [
    status,
    ...chapters,
    ...conditions,
    ...diagnoses,
    ...diagnoses.flatMap(({ remediation }) => remediation ?? []),
    ...scenarios,
    ...scenarios.flatMap(({ fault }) => fault ?? []),
  ];
  for (const one of all) if (one.message !== undefined) one.message = truncate(one.message, most);
}
