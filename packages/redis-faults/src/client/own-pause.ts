/** What this run knows of its own pause: the fault records it here, and the restore reads it. */
export class OwnPause {
  /** none: certainly none is active. unknown: this process saw none, but an earlier one may have paused. */
  state: 'none' | 'active' | 'unknown';
  /** Whether this run itself ended it early. */
  released = false;

  /** @param mayBeOn an earlier process may have left one active */
  constructor(mayBeOn: boolean) {
    this.state = mayBeOn ? 'unknown' : 'none';
  }

  begun(): void {
    this.state = 'active';
    this.released = false;
  }

  ended(): void {
    this.state = 'none';
  }

  /** No earlier one can be active any more; one of this process stays unchanged. */
  outlived(): void {
    if (this.state === 'unknown') this.state = 'none';
  }
}
