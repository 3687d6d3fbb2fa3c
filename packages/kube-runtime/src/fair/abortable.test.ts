import { expect, it } from 'vitest';
import { abortable } from './abortable.ts';

it('abortable settles as the work does, or with the abort, whichever is first', async () => {
  const abort = new AbortController();
  const reason = new Error('enough');
  await expect(abortable(Promise.resolve(1), abort.signal)).resolves.toBe(1);
  await expect(abortable(Promise.reject(new Error('bad')), abort.signal)).rejects.toThrow('bad');
  const hanging = abortable(new Promise(() => {}), abort.signal);
  abort.abort(reason);
  await expect(hanging).rejects.toBe(reason);
  await expect(abortable(new Promise(() => {}), abort.signal)).rejects.toBe(reason);
});
