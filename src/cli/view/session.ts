/** Shows a ChaosDemo while it is followed, on a screen or as plain lines, until the caller ends it. */

import type { KubeApi } from '@chaosdemo/kube-runtime';
import { terminalLine } from '../../api/index.ts';
import { follow } from './live.ts';
import { plainLines } from './plain.ts';
import { header, row } from './rows.ts';
import { applyInput, initialState, type LiveState } from './state.ts';

/** Interval between updates of countdowns, in milliseconds: they are shown in integer seconds. */
const TICK_MS = 200;

/** The display of a view. */
export interface Display {
  /** Called for every change, and several times a second. */
  update(state: LiveState): void;
  /** Restores the terminal. */
  close(): Promise<void>;
}

export interface SessionOptions<T> {
  readonly client: KubeApi;
  readonly namespace: string;
  readonly name: string;
  readonly display: Display;
  /** Whether the display shows charts. */
  readonly hasCharts: boolean;
  readonly signal: AbortSignal;
  /** Called with every state; returning a value ends the session. */
  readonly resultOf: (state: LiveState) => T | undefined;
}

/**
 * Follows until `resultOf` returns something, and returns that. The display is closed then, in any case.
 * @throws the reason of `signal`, or what `resultOf` throws
 */
export async function showLive<T>(options: SessionOptions<T>): Promise<T> {
  const { client, display, hasCharts, resultOf, name, namespace, signal } = options;
  const stop = new AbortController();
  let state = initialState(namespace, name);
  let following: Promise<void> | undefined;
  let ticking: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      const turn = (): void => {
        try {
          display.update(state);
          const result = resultOf(state);
          if (result !== undefined) resolve(result);
        } catch (error) {
          reject(error);
        }
      };
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      if (signal.aborted) reject(signal.reason as Error);
      ticking = setInterval(turn, TICK_MS);
      following = follow({
        client,
        namespace,
        name,
        hasCharts,
        signal: AbortSignal.any([signal, stop.signal]),
        onInput: (input) => {
          if (stop.signal.aborted) return;
          state = applyInput(state, input);
          turn();
        },
      });
    });
  } finally {
    clearInterval(ticking);
    stop.abort(new Error('the view is closed'));
    await following;
    await display.close();
  }
}

/** Prints rows as `kubectl get -w`, and lines between them as they become known, each once. */
export function plainDisplay(print: (line: string) => void): Display {
  let before: LiveState | undefined;
  let last: string | undefined;
  return {
    update(state) {
      const { demo } = state;
      // The age alone is no change.
      if (demo && row(demo, 0) !== last) {
        if (last === undefined) print(header(state.name));
        last = row(demo, 0);
        print(terminalLine(row(demo, Date.now())));
      }
      for (const line of plainLines(before ?? initialState(state.namespace, state.name), state)) {
        print(terminalLine(line));
      }
      before = state;
    },
    close: async () => undefined,
  };
}
