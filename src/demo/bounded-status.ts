/**
 * Keeps a status small. Each text and list in it has its bound, but all of them full at once are several times what
 * every watcher should be sent with each change. What is dropped first can be read elsewhere, or is least missed.
 */
import type { ChaosDemoStatus } from '../api/index.ts';
import { truncate } from '../api/index.ts';

/** Bytes of a status as JSON, at most. */
export const STATUS_BYTES = 32 * 1024;

/** What messages are cut to where nothing else is left to drop, in characters. */
const SHORTER = [256, 128, 64, 32, 16];

/** Drops one thing, or nothing where there is none of it left. Says whether it has. */
type Drop = (status: ChaosDemoStatus) => boolean;

/** In this order, each as often as it drops something. Nothing of it is gone by in a decision. */
const DROPS: readonly Drop[] = [
  // Both are of an answer whose claims stay; what was seen is kept with the evidence of the run.
  ({ diagnoses = [] }) =>
    first(
      diagnoses,
      ({ evidence }) => evidence.length > 0,
      (one) => (one.evidence = []),
    ),
  ({ diagnoses = [] }) =>
    first(
      diagnoses,
      ({ alternatives }) => alternatives !== undefined,
      (one) => delete one.alternatives,
    ),
  ({ scenarios = [] }) =>
    first(
      scenarios,
      ({ evidence }) => evidence !== undefined,
      (one) => delete one.evidence,
    ),
  ({ history = [] }) => history.pop() !== undefined,
  ({ diagnoses = [] }) =>
    first(
      diagnoses,
      ({ chain }) => chain.length > 1,
      (one) => (one.chain = one.chain.slice(0, 1)),
    ),
  ...SHORTER.map(
    (most): Drop =>
      (status) =>
        shorten(status, most),
  ),
  ({ run }) => run?.pods?.pop() !== undefined,
  ({ diagnoses }) => diagnoses?.shift() !== undefined,
];

/**
 * The same status, changed in place, in {@link STATUS_BYTES} as JSON: with no more dropped than it takes. Doing it
 * again changes nothing. One that somebody else has filled, beyond what any run comes to, may stay larger.
 */
export function boundStatus(status: ChaosDemoStatus): ChaosDemoStatus {
  for (const drop of DROPS) {
    while (bytesOf(status) > STATUS_BYTES) if (!drop(status)) break;
  }
  return status;
}

function bytesOf(status: ChaosDemoStatus): number {
  return Buffer.byteLength(JSON.stringify(status));
}

/** Does it to the first to which it applies. Says whether there is one. */
function first<T>(all: readonly T[], applies: (one: T) => boolean, drop: (one: T) => void): boolean {
  const one = all.find(applies);
  if (one !== undefined) drop(one);
  return one !== undefined;
}

/** Cuts each message to so many characters. Says whether one was longer. */
function shorten(status: ChaosDemoStatus, most: number): boolean {
  const { chapters = [], conditions = [], diagnoses = [], scenarios = [] } = status;
  const faults = scenarios.flatMap(({ fault }) => fault ?? []);
  const all: { message?: string | undefined }[] = [
    ...chapters,
    ...conditions,
    ...diagnoses,
    ...scenarios,
    ...faults,
  ];
  const long = all.filter(({ message = '' }) => message.length > most);
  for (const one of long) one.message = truncate(one.message ?? '', most);
  return long.length > 0;
}
