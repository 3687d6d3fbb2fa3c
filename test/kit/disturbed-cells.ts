/** An operator of which a test can end or stop a thread of runs: see test/fixtures/operator/cells/disturbed.ts. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OperatorOptions } from '../../src/local/operator.ts';
import { until } from './until.ts';

const PRELOAD = new URL('../fixtures/operator/cells/disturbed.ts', import.meta.url).href;
const MAIN = fileURLToPath(new URL('../../src/operator/main.ts', import.meta.url));

/** A thread looks every 20 ms, unless it is busy. */
const TAKEN_MS = 2000;

export type Disturbance = 'end' | 'hang' | `freeze ${number}`;

export class DisturbedCells {
  /** The program to start the operator with. */
  readonly program: NonNullable<OperatorOptions['program']>;
  readonly #file: string;

  /** @param folder of this operator */
  constructor(folder: string) {
    this.#file = join(folder, 'disturbance');
    const env = { ...process.env, NODE_OPTIONS: `--import=${PRELOAD}`, DISTURB_CELL: this.#file };
    this.program = { file: MAIN, env };
  }

  /**
   * Disturbs one thread, or that of the cell at this place: cells count from 0, as they are started.
   * @returns false if none took it in two seconds: the process may have none
   */
  async disturb(what: Disturbance, place?: number): Promise<boolean> {
    const file = place === undefined ? this.#file : `${this.#file}-${place}`;
    const complete = `${file}.complete`;
    writeFileSync(complete, what);
    await rename(complete, file);
    const taken = until(() => !existsSync(file), { what: 'a thread to take it', deadlineMs: TAKEN_MS });
    return await taken.then(
      () => true,
      () => {
        rmSync(file, { force: true });
        return false;
      },
    );
  }
}
