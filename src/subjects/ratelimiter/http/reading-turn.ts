/**
 * Spreads the parsing of bodies over turns of the event loop. Thousands of answers can arrive in one turn, and parsing
 * all of them there would block everything else, including the renewal of the leader Lease.
 */
import { JSON_BYTES } from './json-body.ts';

/** Parsing this many takes at most 10 ms. */
const BODIES_A_TURN = 100;
/** Shorter bodies take a few microseconds. Bodies longer than {@link JSON_BYTES} are not parsed. */
const QUICK_BYTES = 512;

let left = BODIES_A_TURN;
let nextTurn: Promise<void> | undefined;

/** Resolves when this body may be parsed; undefined if it may be parsed now. Shared by all runs of the process. */
export function readingTurn({ length }: Pick<Buffer, 'length'>): Promise<void> | undefined {
  if (length <= QUICK_BYTES || length > JSON_BYTES) return undefined;
  nextTurn ??= new Promise((resolve) => {
    setImmediate(() => {
      left = BODIES_A_TURN;
      nextTurn = undefined;
      resolve();
    });
  });
  if (left === 0) return nextTurn.then(() => readingTurn({ length }));
  left -= 1;
  return undefined;
}
