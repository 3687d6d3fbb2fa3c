/**
 * Spreads what takes time to read over turns of the event loop. Nodes choose when their answers come: thousands may
 * come in one turn, and to parse them all there would hold up everything else, the renewal of the lease included.
 */
import { JSON_BYTES } from './json-body.ts';

/** To parse so many takes 10 ms at most. */
const BODIES_A_TURN = 100;
/** What is shorter takes a few microseconds, and what is longer than {@link JSON_BYTES} is not parsed. */
const QUICK_BYTES = 512;

let left = BODIES_A_TURN;
let nextTurn: Promise<void> | undefined;

/** Resolves when it is the turn of this body to be read; undefined: now. Of all runs of this process together. */
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
