/** Shows a ChaosDemo while it is followed, on a screen or as plain lines, until the caller ends it. */
import { abortable } from '@chaosdemo/kube-runtime/fair';
import { follow, type LiveOptions } from './live.ts';
import { initialState, type LiveState } from './state.ts';

/** Interval between updates of countdowns, in milliseconds: they are shown in integer seconds. */
const TICK_MS = 200;

/** The display of a view. */
export interface Display {
  /** Called for every change, and several times a second. */
  update(state: LiveState): void;
  /** Restores the terminal. */
  close(): Promise<void>;
}

export interface SessionOptions<T> extends Omit<LiveOptions, 'onChange'> {
  readonly display: Display;
  /** Called with every state; returning a value ends the session. */
  readonly resultOf: (state: LiveState) => T | undefined;
}

/**
 * Follows until `resultOf` returns something, and returns that. The display is closed then, in any case.
 * @throws the reason of `signal`, or what `resultOf` throws
 */
export async function showLive<T>({ display, resultOf, ...live }: SessionOptions<T>): Promise<T> {
  const ended = Promise.withResolvers<T>();
  const stop = new AbortController();
  let state = initialState(live.namespace, live.name);
  const onChange = (change: Partial<LiveState>): void => {
    if (stop.signal.aborted) return;
    state = { ...state, ...change };
    try {
      display.update(state);
      const result = resultOf(state);
      if (result !== undefined) ended.resolve(result);
    } catch (error) {
      ended.reject(error);
    }
  };
  const ticking = setInterval(() => onChange({}), TICK_MS);
  const following = follow({ ...live, onChange, signal: AbortSignal.any([live.signal, stop.signal]) });
  try {
    return await abortable(ended.promise, live.signal);
  } finally {
    clearInterval(ticking);
    stop.abort(new Error('the view is closed'));
    await following;
    await display.close();
  }
}
