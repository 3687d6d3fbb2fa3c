/** The memory of a burst of 10,000 requests beyond that of an idle process: ours, compared with clients of undici. */

import { fileURLToPath } from 'node:url';
import { attempt } from '@chaosdemo/testbed';
import type { BurstMemory } from '../arrivals/burst-process.ts';
import { Receiver } from '../arrivals/receiver.ts';
import type { Benchmark } from '../benchmark.ts';
import { median } from '../statistics.ts';
import { whyNoFiles } from './burst-span.ts';

const REQUESTS = 10_000;
const ROUNDS = 5;
const TIMEOUT_MS = 60_000;
const PROGRAM = fileURLToPath(new URL('../arrivals/burst-process.ts', import.meta.url));

export const burstMemory: Benchmark = {
  name: 'burst-memory',
  what: 'memory of a burst of 10,000 requests beyond idle, compared with clients of undici',
  async run({ say, signal }) {
    const noFiles = await whyNoFiles(REQUESTS);
    if (noFiles) {
      say(`skipped: ${noFiles}`);
      return [];
    }
    const receiver = await Receiver.start(signal);
    try {
      say(
        `sending ${ROUNDS} bursts of ${REQUESTS} requests by each of: ours, undici; each by a separate process`,
      );
      const [own, theirs, rest]: [number[], number[], number[]] = [[], [], []];
      for (let round = 0; round < ROUNDS; round++) {
        const { restMiB, peakMiB } = await memoryOf('ours', receiver, signal);
        own.push(peakMiB - restMiB);
        rest.push(restMiB);
        const other = await memoryOf('undici', receiver, signal);
        theirs.push(other.peakMiB - other.restMiB);
      }
      const what = `most memory of a burst of ${REQUESTS} beyond idle, median`;
      const baseline = { what: 'the same burst by clients of undici', value: median(theirs) };
      const note = `${ROUNDS} bursts of each, each by a new process; idle it has ${median(rest).toFixed(0)} MiB`;
      return [{ what, value: median(own), unit: 'MiB', baseline, note }];
    } finally {
      receiver.stop();
    }
  },
};

/** @throws when the burst does not work */
async function memoryOf(sender: string, receiver: Receiver, signal: AbortSignal): Promise<BurstMemory> {
  let memory: BurstMemory | undefined;
  const send = async (): Promise<void> => {
    const args = [PROGRAM, sender, String(receiver.port), String(REQUESTS)];
    const { ok, errorText, stdout } = await attempt(process.execPath, args, {
      timeoutMs: TIMEOUT_MS,
      signal,
    });
    if (!ok) throw new Error(`the burst by ${sender} failed:\n${errorText}`);
    memory = JSON.parse(stdout) as BurstMemory;
  };
  await receiver.time(REQUESTS, send, signal);
  if (!memory) throw new Error(`the burst by ${sender} reported nothing`);
  return memory;
}
