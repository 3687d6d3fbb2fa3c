/** Since when selected pods have not been Ready: a run on the others would judge only a part of the subject. */
import type { Clock } from '../../engine/clock.ts';
import type { Admission } from '../../engine/observed.ts';
import { awaitReady } from './eligible-pods.ts';

/** Keeps for each object how long its pods have not been Ready. */
export class Readiness {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #unreadySince = new Map<string, { generation: number; at: number }>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /**
   * Why a run cannot begin yet; undefined once all selected pods are Ready.
   * @param part see `PodChoice`
   */
  obstacle(
    { uid, generation }: { readonly uid: string; readonly generation: number },
    eligible: Parameters<typeof awaitReady>[0],
    part: string,
  ): Admission | undefined {
    if (eligible.notReady.length === 0) {
      this.forget(uid);
      return undefined;
    }
    const now = this.#clock.monotonic();
    const known = this.#unreadySince.get(uid);
    // Another spec may select other pods, whose time starts again.
    const since = known?.generation === generation ? known : { generation, at: now };
    this.#unreadySince.set(uid, since);
    return awaitReady(eligible, now - since.at, part);
  }

  forget(uid: string): void {
    this.#unreadySince.delete(uid);
  }
}
