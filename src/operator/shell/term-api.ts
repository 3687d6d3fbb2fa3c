/** The API server as one term may use it: who leads no more writes nothing, whatever it had decided before. */
import type { DemoApi } from './ports.ts';

/** A write was not sent, since the term that decided on it does not lead. */
export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError';

  constructor() {
    super('nothing was written: this operator no longer leads');
  }
}

/** `api`, whose writes reject with a {@link NotLeadingError} as soon as `mayWrite` does not hold. */
export function apiOfTerm(api: DemoApi, mayWrite: () => boolean): DemoApi {
  const guarded =
    <A extends unknown[], T>(write: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      // Right before: a process may be frozen between what it decides and what it sends.
      if (!mayWrite()) throw new NotLeadingError();
      return await write(...args);
    };
  return {
    read: (key) => api.read(key),
    fetch: (demo, signal) => api.fetch(demo, signal),
    applyStatus: guarded((demo, status, signal) => api.applyStatus(demo, status, signal)),
    addFinalizer: guarded((demo, signal) => api.addFinalizer(demo, signal)),
    removeFinalizer: guarded((demo, signal) => api.removeFinalizer(demo, signal)),
  };
}
