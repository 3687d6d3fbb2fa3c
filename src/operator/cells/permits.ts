/**
 * A permit for another thread. It is checked right before a command, which cannot wait for a message. So the thread that
 * leads keeps writing the end of the permit to shared memory, and the other thread reads it there. If the thread that
 * leads stands still, injections stop as well.
 */
import { type Permit, REFUSALS } from '../../engine/subject.ts';

/** How long a permit holds without a renewal, in milliseconds: less than a lease outlives its renewal deadline. */
const HOLDS_MS = 500;
const RENEW_MS = 100;

/** Why nothing may be sent once it was not renewed. */
const NOT_RENEWED = 'the thread of the operator that leads did not renew the permit';

const CODES: readonly string[] = Object.values(REFUSALS);

function refused(refusal: string): bigint {
  return BigInt(-1 - Math.max(0, CODES.indexOf(refusal)));
}

/** The side of the thread that leads. End it when the effect has ended. */
export class LentPermit {
  /** Until when it holds, in microseconds by the monotonic clock; negative: the index of the refusal, less one. */
  readonly memory = new SharedArrayBuffer(8);
  readonly #state = new BigInt64Array(this.memory);
  readonly #permit: Permit;
  readonly #mayHave: () => boolean;
  readonly #timer: NodeJS.Timeout;

  /** @param mayHave whether the other thread may have permits at all */
  constructor(permit: Permit, mayHave: () => boolean) {
    this.#permit = permit;
    this.#mayHave = mayHave;
    this.renew();
    this.#timer = setInterval(() => this.renew(), RENEW_MS).unref();
  }

  /** Checks the permit of this thread again, and writes the result. */
  renew(): void {
    const refusal = this.#permit.refusal();
    if (refusal !== undefined) return this.#write(refused(refusal));
    if (this.#mayHave()) this.#write(BigInt(Math.round((performance.now() + HOLDS_MS) * 1000)));
  }

  end(): void {
    clearInterval(this.#timer);
    this.#write(refused(REFUSALS.ended));
  }

  #write(state: bigint): void {
    Atomics.store(this.#state, 0, state);
  }
}

/** The side of the thread that injects. */
export class BorrowedPermit implements Permit {
  readonly #state: BigInt64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#state = new BigInt64Array(memory);
  }

  refusal(): ReturnType<Permit['refusal']> {
    const state = Number(Atomics.load(this.#state, 0));
    if (state < 0) return CODES[-1 - state];
    return performance.now() * 1000 < state ? undefined : NOT_RENEWED;
  }
}
