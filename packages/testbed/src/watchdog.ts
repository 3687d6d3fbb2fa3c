/**
 * The process that cleans up if nothing else could: over its stdin it receives the process groups and folders of a run,
 * and when that pipe closes, for whatever reason, it kills the groups and removes the folders. A pipe closes even when
 * its writer is killed with SIGKILL, on every Unix, without privileges. Run by supervisor.ts, never by hand.
 *
 * One line a message, with all of them: `{"groups":[123],"folders":["/tmp/x"]}`.
 */
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

let last = '{"groups":[],"folders":[]}';
// The last line may lack its end: its writer was killed.
for await (const line of createInterface({ input: process.stdin })) if (line.endsWith('}')) last = line;
const { folders, groups } = JSON.parse(last) as { groups: number[]; folders: string[] };

for (const group of groups) signalGroup(group, 'SIGKILL');
// Folders are removed after their writers. A killed process that was not reaped answers signals: bound the wait.
const deadline = Date.now() + 3_000;
while (groups.some((group) => signalGroup(group, 0)) && Date.now() < deadline) await sleep(20);
for (const folder of folders)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });

function signalGroup(group: number, signal: 'SIGKILL' | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}
