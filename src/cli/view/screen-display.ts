/** A view on the screen of a terminal, drawn anew for every change, tick and size. */

import { type Key, openScreen, wantsColor } from './screen.ts';
import type { Display } from './session.ts';
import type { LiveState } from './state.ts';
import type { Frame } from './watch-view.ts';

export interface ScreenDisplayOptions {
  readonly view: (state: LiveState, frame: Frame) => string[];
  /** What the last line says of the keys, at this moment. */
  readonly keys: (state: LiveState) => string;
  readonly onKey: (key: Key, state: LiveState | undefined) => void;
}

/** Time between two pictures at least, in milliseconds. */
const FRAME_MS = 40;

/** Takes the terminal until it is closed. */
export async function screenDisplay({ keys, onKey, view }: ScreenDisplayOptions): Promise<Display> {
  const color = wantsColor();
  let shown: LiveState | undefined;
  let drawing: NodeJS.Timeout | undefined;
  const draw = (): void => {
    if (!shown) return;
    const { columns, rows } = screen.size();
    // As many lines as there are rows would scroll.
    screen.show(view(shown, { columns, rows: rows - 1, color, now: Date.now(), keys: keys(shown) }));
  };
  const screen = await openScreen({
    onKey: (key) => {
      onKey(key, shown);
      draw();
    },
    onResize: () => draw(),
  });
  /** A list of a hundred events is one picture. */
  const drawSoon = (): void => {
    drawing ??= setTimeout(() => {
      drawing = undefined;
      draw();
    }, FRAME_MS);
  };
  return {
    update(state) {
      shown = state;
      drawSoon();
    },
    async close() {
      clearTimeout(drawing);
      await screen.close();
    },
  };
}
