/** What a check of the store before a fault means for the object of a run. */
import type { StoreRefusedError } from '@chaosdemo/redis-faults';
import type { Admission } from '../../engine/observed.ts';

/** It is unknown whether the target may be disturbed: nothing was done, and the shell tries again. */
export class NotFoundOutError extends Error {
  override readonly name = 'NotFoundOutError';
}

/** The admission that ended with this refusal. Its reason is one that the connector gave. */
export function admissionOf({ admission: { message, reason } }: StoreRefusedError): Admission {
  return { state: 'refused', reason, message };
}
