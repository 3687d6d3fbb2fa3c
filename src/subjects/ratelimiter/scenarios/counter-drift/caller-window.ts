/** The window of a caller of a limiter behind HTTP: nobody reports when it begins and ends, so it is computed. */
import { parseDuration } from '../../../../api/index.ts';
import type { Prepared } from '../../../../demo/observed.ts';
import { limitOf } from '../../interfaces/http/limit-of-spec.ts';
import { untilItFits, windowEnd } from '../../limits/window-turn.ts';
import type { Toolkit } from '../../tools.ts';

/** How long a caller that was never seen can be used where the limit has no windows by the clock; milliseconds. */
const USABLE_MS = 600_000;

export class CallerWindow {
  readonly #toolkit: Pick<Toolkit, 'limiter' | 'now'>;
  readonly #storyMs: number;
  /** When the first request of the key was sent: its window begins no earlier. */
  #firstSentAt: number | undefined;
  /** When its window by the clock ends; undefined: it has none. */
  #clockEnd: number | undefined;

  /** @param storyMs what has to fit into one window; milliseconds */
  constructor(toolkit: Pick<Toolkit, 'limiter' | 'now'>, storyMs: number) {
    this.#toolkit = toolkit;
    this.#storyMs = storyMs;
  }

  /** Nothing is sent: a caller is new to the limiter until the fault. @throws the reason of `signal` */
  async open(key: string, signal: AbortSignal): Promise<Omit<Prepared, 'sequence'>> {
    const { limiter, now } = this.#toolkit;
    const limit = limitOf(limiter);
    await untilItFits(limit, this.#storyMs, now, signal);
    this.#clockEnd = windowEnd(limit, now());
    const usableUntil = Math.floor(this.#clockEnd ?? now() + USABLE_MS);
    return { fixture: key, usableUntil, message: `A caller that the rate limiter has never seen: ${key}` };
  }

  /** A request of the caller is being sent. */
  sending(): void {
    this.#firstSentAt ??= this.#toolkit.now();
  }

  /** Whether it may have ended by then, and its count with it. */
  isOver(at: number): boolean {
    if (this.#clockEnd !== undefined && at >= this.#clockEnd) return true;
    const windowMs = parseDuration(this.#toolkit.limiter.limit.window);
    return this.#firstSentAt !== undefined && at >= this.#firstSentAt + windowMs;
  }
}
