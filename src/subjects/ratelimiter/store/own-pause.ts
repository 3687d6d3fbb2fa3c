/** What this demo knows of a pause of its own: whoever pauses Redis notes it here, and whoever restores reads it. */
export class OwnPause {
  #state: 'none' | 'active' | 'unknown';
  #released = false;

  /** @param mayBeOn an earlier process may have left one on */
  constructor(mayBeOn: boolean) {
    this.#state = mayBeOn ? 'unknown' : 'none';
  }

  /** none: certainly none is on. unknown: this process saw nothing of it, but an earlier one may have paused. */
  get state(): 'none' | 'active' | 'unknown' {
    return this.#state;
  }

  /** Whether it was cut short by this demo itself. */
  get released(): boolean {
    return this.#released;
  }

  begun(): void {
    this.#state = 'active';
    this.#released = false;
  }

  ended(): void {
    this.#state = 'none';
  }

  /** No earlier one can be on any more; one of this process stays as it is. */
  outlived(): void {
    if (this.#state === 'unknown') this.#state = 'none';
  }

  toBeReleased(): void {
    this.#released = true;
  }
}
