/** Sees what Sentinels write into their logs: each command for a failover that they accept, and each switch. */
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FailoverSeen, now, type TortureRecord } from '../record.ts';

const EVERY_MS = 20;

export class FailoverEye {
  readonly #running: Promise<unknown>;
  #on = true;

  /** @param logs of the Sentinels */
  constructor(logs: readonly string[], lane: number, record: () => TortureRecord) {
    this.#running = Promise.all(
      logs.map((log, sentinel) =>
        this.#watch(log, (what) =>
          record().note<FailoverSeen>({ kind: 'failover', at: now(), lane, sentinel, what }),
        ),
      ),
    );
  }

  async close(): Promise<void> {
    this.#on = false;
    await this.#running;
  }

  async #watch(log: string, note: (what: FailoverSeen['what']) => void): Promise<void> {
    const file = await open(log);
    try {
      let rest = '';
      while (this.#on) {
        const lines = (rest + (await newIn(file))).split('\n');
        rest = lines.pop() ?? '';
        for (const what of lines.flatMap(failoverIn)) note(what);
        await sleep(EVERY_MS);
      }
    } finally {
      await file.close();
    }
  }
}

/** What was written since the last call. */
async function newIn(file: FileHandle): Promise<string> {
  return await file.readFile('utf8');
}

/** What a line of the log of a Sentinel states. Pure. */
export function failoverIn(line: string): FailoverSeen['what'][] {
  if (/Executing user requested FAILOVER of '/.test(line)) return ['accepted'];
  return / \+switch-master /.test(line) ? ['switched'] : [];
}
