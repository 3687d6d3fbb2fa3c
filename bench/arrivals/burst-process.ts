/**
 * One burst in a separate process, so that its memory can be measured:
 * `node burst-process.ts <ours|undici> <port> <requests>`. Prints a `BurstMemory` as JSON.
 */
import { ours, type Send, undici } from './senders.ts';

/** MiB resident: before the burst, with everything loaded, and at the most up to its end. */
export interface BurstMemory {
  readonly restMiB: number;
  readonly peakMiB: number;
}

const SENDERS: Readonly<Record<string, Send>> = { ours, undici };
const [name = '', port, requests] = process.argv.slice(2);
const send = SENDERS[name];
if (!send) throw new Error(`no sender is named ${name}`);

const { signal } = new AbortController();
const restMiB = process.memoryUsage().rss / 2 ** 20;
await send({ port: Number(port), requests: Number(requests), arrived: signal }, signal);
// The kernel keeps the most there ever was, in KiB.
const peakMiB = process.resourceUsage().maxRSS / 1024;
process.stdout.write(JSON.stringify({ restMiB, peakMiB } satisfies BurstMemory));
