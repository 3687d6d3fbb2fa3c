/**
 * The process that cleans up if nothing else could: over its stdin it receives the process groups and folders of a run,
 * and when that pipe closes, for whatever reason, it kills the groups and removes the folders. A pipe closes even when
 * its writer is killed with SIGKILL, on every Unix, without privileges. Run by supervisor.ts, never by hand.
 *
 * One line a message: `+group 123`, `-group 123`, `+folder /tmp/x`, `-folder /tmp/x`.
 */
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const groups = new Set<number>();
const folders = new Set<string>();

for await (const line of createInterface({ input: process.stdin })) {
  const space = line.indexOf(' ');
  const verb = line.slice(0, space);
  const subject = line.slice(space + 1);
  if (verb === '+group') groups.add(Number(subject));
  if (verb === '-group') groups.delete(Number(subject));
  if (verb === '+folder') folders.add(subject);
  if (verb === '-folder') folders.delete(subject);
}

for (const group of groups) signalGroup(group, 'SIGKILL');
// Folders are removed after their writers. A killed process that was not reaped answers signals: bound the wait.
const deadline = Date.now() + 3_000;
while ([...groups].some((group) => signalGroup(group, 0)) && Date.now() < deadline) await sleep(20);
for (const folder of folders)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });

function signalGroup(group: number, signal: 'SIGKILL' | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}
