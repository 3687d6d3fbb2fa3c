/**
 * Owns child processes and temporary folders, so that nothing outlives the run that created it: neither after an
 * orderly stop, nor after a crash, nor after SIGKILL (see watchdog.ts). Children have their own process groups: a
 * Ctrl-C in the terminal reaches only the parent, which stops them in sequence.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { messageOf, TestbedError } from './errors.ts';

/** In a bundle, it lies beside that. */
const watchdog = import.meta.url.endsWith('.ts') ? './watchdog.ts' : './watchdog.mjs';
const watchdogProgram = fileURLToPath(new URL(watchdog, import.meta.url));

const removal = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 };

/** How a child ended: exactly one of the two is set. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The program to run, and its output. */
export interface ProcessSpec {
  /** Name in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The complete environment of the child; default: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Standard input; default: none. */
  readonly input?: string;
  /** Standard output and error are appended to this file. */
  readonly logFile: string;
  /** Secrets to remove from its output. */
  readonly secrets?: readonly string[];
}

/** A child process that belongs to a supervisor. */
export class OwnedProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Settles when the process has ended; never rejects. */
  readonly exited: Promise<ProcessExit>;
  readonly #secrets: readonly string[];
  #exit: ProcessExit | undefined;

  constructor(spec: ProcessSpec, child: ChildProcess, pid: number) {
    this.name = spec.name;
    this.logFile = spec.logFile;
    this.#secrets = spec.secrets ?? [];
    this.pid = pid;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
  }

  /** How it ended; undefined while it runs. */
  get exit(): ProcessExit | undefined {
    return this.#exit;
  }

  /** Sends a signal; does nothing once the process has ended. */
  kill(signal: NodeJS.Signals): void {
    if (this.#exit) return;
    try {
      process.kill(this.pid, signal);
    } catch {
      // It has ended; its exit event is still to come.
    }
  }

  /** SIGTERM to its whole group, and SIGKILL after `graceMs` (default 5 s). Resolves when it has ended. */
  async stop(graceMs = 5_000): Promise<ProcessExit> {
    if (!this.#exit) this.#signalGroup('SIGTERM');
    const timer = setTimeout(() => this.killGroup(), graceMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  /** SIGKILL to the process and its children. */
  killGroup(): void {
    this.#signalGroup('SIGKILL');
  }

  #signalGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // The group is empty.
    }
  }

  /**
   * Resolves once `isReady` returns true; an error counts as false. Throws {@link exitError} if the process ends before
   * that, NOT_READY after `timeoutMs`, or the reason of `signal`.
   */
  async untilReady(isReady: () => Promise<boolean>, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (performance.now() < deadline) {
      signal?.throwIfAborted();
      if (this.#exit) throw this.exitError();
      const checkedAt = performance.now();
      if (await isReady().catch(() => false)) return;
      // On a slow machine, constant polling would slow it further.
      const pause = Math.min(2_000, 20 + 4 * (performance.now() - checkedAt));
      await Promise.race([sleep(pause, undefined, signal ? { signal } : {}), this.exited]);
    }
    const seconds = timeoutMs / 1000;
    throw new TestbedError(
      'NOT_READY',
      `${this.name} is not ready after ${seconds} s. Its last output:\n${this.logTail()}`,
    );
  }

  /** The last lines of its output, for error messages, without its secrets. */
  logTail(lines = 15): string {
    try {
      const tail = readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
      return this.#secrets.reduce((text, secret) => text.replaceAll(secret, '***'), tail);
    } catch {
      return '(no output)';
    }
  }

  /** The error for an unexpected end. */
  exitError(): TestbedError {
    const how = this.#exit?.signal
      ? `was ended by ${this.#exit.signal}`
      : `exited with status ${this.#exit?.code}`;
    return new TestbedError('PROCESS_EXITED', `${this.name} ${how}. Its last output:\n${this.logTail()}`);
  }
}

/**
 * Starts processes and creates folders that end with it.
 *
 * @example
 * const supervisor = new Supervisor();
 * try {
 *   const folder = supervisor.temporaryFolder('redis');
 *   const redis = await supervisor.start({ name: 'redis', command, args, logFile: join(folder, 'log') });
 * } finally {
 *   await supervisor.close();
 * }
 */
export class Supervisor {
  readonly #processes = new Set<OwnedProcess>();
  readonly #folders = new Set<string>();
  readonly #watchdog = startWatchdog();
  #closed: Promise<void> | undefined;

  /** Starts a child. Throws PROCESS_EXITED when the command cannot be run at all. */
  async start(spec: ProcessSpec): Promise<OwnedProcess> {
    this.#assertOpen();
    const log = openSync(spec.logFile, 'a');
    try {
      const child = spawn(spec.command, spec.args, {
        stdio: [spec.input === undefined ? 'ignore' : 'pipe', log, log],
        detached: true,
        env: spec.env ?? process.env,
      });
      if (child.pid === undefined) {
        const [error] = await once(child, 'error');
        throw new TestbedError('PROCESS_EXITED', `${spec.name} could not be started: ${messageOf(error)}`);
      }
      child.stdin?.on('error', () => {}); // One that ends at once reads nothing; its exit tells the story.
      child.stdin?.end(spec.input);
      const owned = new OwnedProcess(spec, child, child.pid);
      this.#processes.add(owned);
      this.#tell();
      void owned.exited.then(() => {
        owned.killGroup(); // What it started goes with it.
        this.#processes.delete(owned);
        this.#tell();
      });
      return owned;
    } finally {
      closeSync(log);
    }
  }

  /** Creates a folder only for this user, by default under the system's temporary folder. It is removed at the end. */
  temporaryFolder(purpose: string, parent = tmpdir()): string {
    this.#assertOpen();
    const folder = mkdtempSync(join(parent, `chaosdemo-${purpose}-`));
    this.#folders.add(folder);
    this.#tell();
    return folder;
  }

  /** Removes a folder before the end. */
  async removeFolder(folder: string): Promise<void> {
    await rm(folder, removal);
    this.#folders.delete(folder);
    this.#tell();
  }

  /** Stops what still runs (at most 5 s each, all at once), removes the folders, ends the watchdog. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#processes].map((owned) => owned.stop()));
    await Promise.all([...this.#folders].map((folder) => rm(folder, removal)));
    const watchdog = this.#watchdog;
    if (watchdog.exitCode === null && watchdog.signalCode === null) {
      watchdog.ref();
      const ended = once(watchdog, 'exit');
      watchdog.stdin.end();
      await ended;
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new TestbedError('STOPPED', 'The environment is already stopped or stopping');
  }

  /** Tells the watchdog all that is owned now. */
  #tell(): void {
    const groups = [...this.#processes].map(({ pid }) => pid);
    this.#watchdog.stdin.write(`${JSON.stringify({ groups, folders: [...this.#folders] })}\n`);
  }
}

function startWatchdog() {
  const watchdog = spawn(process.execPath, [watchdogProgram], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: { PATH: process.env['PATH'] },
  });
  // It must not keep this process alive, and a broken pipe to it is no reason to crash.
  watchdog.unref();
  watchdog.stdin.on('error', () => {});
  watchdog.on('error', () => {});
  return watchdog;
}
