/** Sees whether the port of a fault proxy accepts connections. */
import { setTimeout as sleep } from 'node:timers/promises';
import { accepts } from '../../../src/local/address.ts';
import type { Address } from '../../kit/relay.ts';
import { now, type TortureRecord } from '../record.ts';

const EVERY_MS = 50;

export class PortEye {
  readonly #running: Promise<void>;
  #on = true;

  constructor(port: Address, lane: number, record: () => TortureRecord) {
    this.#running = this.#watch(port, lane, record);
  }

  async close(): Promise<void> {
    this.#on = false;
    await this.#running;
  }

  async #watch(port: Address, lane: number, record: () => TortureRecord): Promise<void> {
    let before = true;
    while (this.#on) {
      const at = now();
      const accepted = await accepts(port);
      if (accepted !== before) record().note({ kind: 'port', at, lane, accepts: accepted });
      before = accepted;
      await sleep(EVERY_MS);
    }
  }
}
