/** The clock of one simulated process, which may be frozen, or die. */
import type { Clock } from '../../src/engine/clock.ts';
import { createSystemClock } from '../../src/operator/adapters/system-clock.ts';
import type { SystemClock } from '../../src/operator/shell/ports.ts';

export class ProcessClock implements SystemClock {
  readonly #world: Clock;
  /** The clocks of a real process. */
  readonly #system: SystemClock;
  #diedAt: number | undefined;
  /** Who would have been woken while the process was frozen. */
  #frozen: (() => void)[] | undefined;

  constructor(world: Clock) {
    this.#world = world;
    this.#system = createSystemClock(
      () => Math.floor(world.now()),
      () => world.monotonic(),
    );
  }

  /** Whether the process has not died. */
  get isAlive(): boolean {
    return this.#diedAt === undefined;
  }

  /** When it died, on the monotonic clock. */
  get diedAt(): number | undefined {
    return this.#diedAt;
  }

  now(): number {
    return this.#system.now();
  }

  follow(): void {
    this.#system.follow();
  }

  monotonic(): number {
    return this.#world.monotonic();
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return this.live(this.#world.sleep(ms, signal));
  }

  /** What comes from outside, as far as this process lives to see it: at its thaw, and never after its death. */
  live<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const deliver = (settle: () => void): void => {
        if (!this.isAlive) return;
        if (this.#frozen) this.#frozen.push(settle);
        else settle();
      };
      work.then(
        (value) => deliver(() => resolve(value)),
        (error: unknown) => deliver(() => reject(error)),
      );
    });
  }

  /** Nothing goes on in this process until `thaw`. */
  freeze(): void {
    this.#frozen ??= [];
  }

  /** Everything that was due goes on now, in its order. */
  thaw(): void {
    const late = this.#frozen ?? [];
    this.#frozen = undefined;
    for (const settle of late) settle();
  }

  /** Nothing goes on in this process any more. */
  kill(): void {
    this.#diedAt ??= this.#world.monotonic();
  }
}
