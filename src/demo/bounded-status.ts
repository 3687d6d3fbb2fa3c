/**
 * Keeps a status small. Each text and list in it has its bound, but all of them full at once are several times what
 * every watcher should be sent with each change. What is dropped first can be read elsewhere, or is least missed.
 */
import type { ChaosDemoStatus } from '../api/index.ts';
import { truncate } from '../api/index.ts';

/** Bytes of a status as JSON, at most. */
export const STATUS_BYTES = 32 * 1024;

/** In this order, until the status is small enough. No decision depends on what they drop. */
const STEPS: readonly ((status: ChaosDemoStatus) => void)[] = [
  // What was seen is kept with the evidence of the run.
  ({ diagnoses = [], scenarios = [] }) => {
    for (const one of diagnoses) {
      one.evidence = [];
      delete one.alternatives;
    }
    for (const one of scenarios) delete one.evidence;
  },
  (status) => keepHistory(status, 5),
  ({ diagnoses = [] }) => {
    for (const one of diagnoses) one.chain = one.chain.slice(0, 1);
  },
  (status) => shorten(status, 128),
  ({ run }) => delete run?.pods,
  (status) => keepHistory(status, 0),
  (status) => shorten(status, 16),
  (status) => {
    // A decision depends on one whose remedy is being applied.
    const { diagnoses = [] } = status;
    status.diagnoses = diagnoses.filter(({ remediation }) => remediation?.state === 'Applying');
    for (const one of status.diagnoses) one.chain = [];
  },
];

/**
 * The same status, changed in place, in {@link STATUS_BYTES} as JSON. Doing it again changes nothing. One that somebody
 * else has filled beyond what any run reaches may stay larger.
 */
export function boundStatus(status: ChaosDemoStatus): ChaosDemoStatus {
  for (const step of STEPS) if (bytesOf(status) > STATUS_BYTES) step(status);
  return status;
}

function bytesOf(status: ChaosDemoStatus): number {
  return Buffer.byteLength(JSON.stringify(status));
}

/** Keeps the newest runs of the history, at most so many. */
function keepHistory(status: ChaosDemoStatus, most: number): void {
  if (status.history) status.history = status.history.slice(0, most);
}

/** Cuts each message to so many characters, except those that decisions depend on. */
function shorten(status: ChaosDemoStatus, most: number): void {
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
