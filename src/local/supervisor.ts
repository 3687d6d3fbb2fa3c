/**
 * Owns child processes and temporary folders, so that nothing outlives the run
 * that made it: neither after an orderly stop, nor after a crash, nor after
 * SIGKILL (see watchdog.ts). Children stand in process groups of their own: a
 * Ctrl-C in the terminal reaches only the parent, which stops them in order.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LocalError, messageOf } from './errors.ts';

const watchdogProgram = fileURLToPath(new URL('watchdog.ts', import.meta.url));

const removal = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 };

/** How a child ended: exactly one of the two is set. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What to run, and where its output goes. */
export interface ProcessSpec {
  /** What messages call it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child; default: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Standard output and error are appended to this file. */
  readonly logFile: string;
}

/** A child process that belongs to a supervisor. */
export class OwnedProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Settles when the process has ended; never rejects. */
  readonly exited: Promise<ProcessExit>;
  #exit: ProcessExit | undefined;

  constructor(spec: ProcessSpec, child: ChildProcess, pid: number) {
    this.name = spec.name;
    this.logFile = spec.logFile;
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
      // It ended and its exit event is still to come.
    }
  }

  /** SIGTERM, and SIGKILL to its whole group after `graceMs` (default 5 s). Resolves when it has ended. */
  async stop(graceMs = 5_000): Promise<ProcessExit> {
    this.kill('SIGTERM');
    const timer = setTimeout(() => this.killGroup(), graceMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  /** SIGKILL to the process and what it started. */
  killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Nobody is left in the group.
    }
  }

  /** The last lines of its output, for error messages. */
  logTail(lines = 15): string {
    try {
      return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } catch {
      return '(no output)';
    }
  }

  /** The error to throw when it ended although it should run. */
  exitError(): LocalError {
    const how = this.#exit?.signal
      ? `was ended by ${this.#exit.signal}`
      : `exited with status ${this.#exit?.code}`;
    return new LocalError('PROCESS_EXITED', `${this.name} ${how}. Its last output:\n${this.logTail()}`);
  }
}

/**
 * Starts processes and makes folders that end with it.
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
  readonly #groups = new Set<number>();
  readonly #folders = new Set<string>();
  #watchdog: ChildProcess;
  #closed: Promise<void> | undefined;

  constructor() {
    this.#watchdog = this.#startWatchdog();
  }

  /** Starts a child. Throws PROCESS_EXITED when the command cannot be run at all. */
  async start(spec: ProcessSpec): Promise<OwnedProcess> {
    this.#assertOpen();
    const log = openSync(spec.logFile, 'a');
    try {
      const child = spawn(spec.command, spec.args, {
        stdio: ['ignore', log, log],
        detached: true,
        env: spec.env ?? process.env,
      });
      if (child.pid === undefined) {
        const [error] = await once(child, 'error');
        throw new LocalError('PROCESS_EXITED', `${spec.name} could not be started: ${messageOf(error)}`);
      }
      const owned = new OwnedProcess(spec, child, child.pid);
      this.#processes.add(owned);
      const release = this.adoptGroup(owned.pid);
      void owned.exited.then(() => {
        owned.killGroup(); // What it started goes with it.
        this.#processes.delete(owned);
        release();
      });
      return owned;
    } finally {
      closeSync(log);
    }
  }

  /** Has a process group that somebody else started killed with the rest. Returns how to take that back. */
  adoptGroup(group: number): () => void {
    this.#groups.add(group);
    this.#tell(`+group ${group}`);
    return () => {
      this.#groups.delete(group);
      this.#tell(`-group ${group}`);
    };
  }

  /** Makes a folder for this user alone, under the system's temporary folder. It is removed at the end. */
  temporaryFolder(purpose: string): string {
    this.#assertOpen();
    const folder = mkdtempSync(join(tmpdir(), `chaosdemo-${purpose}-`));
    this.#folders.add(folder);
    this.#tell(`+folder ${folder}`);
    return folder;
  }

  /** Removes a folder before the end. */
  async removeFolder(folder: string): Promise<void> {
    await rm(folder, removal);
    this.#folders.delete(folder);
    this.#tell(`-folder ${folder}`);
  }

  /** Stops what still runs (5 s each at most, all at once), removes the folders, ends the watchdog. Idempotent. */
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
      watchdog.stdin?.end();
      await ended;
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new LocalError('STOPPED', 'The environment is already stopped or stopping');
  }

  #startWatchdog(): ChildProcess {
    const watchdog = spawn(process.execPath, [watchdogProgram], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      env: { PATH: process.env['PATH'] },
    });
    // It must keep nobody alive, and a broken pipe to it is no reason to crash.
    watchdog.unref();
    watchdog.stdin.on('error', () => {});
    watchdog.on('error', () => {});
    watchdog.on('exit', () => {
      if (this.#closed) return;
      this.#watchdog = this.#startWatchdog();
      for (const group of this.#groups) this.#tell(`+group ${group}`);
      for (const folder of this.#folders) this.#tell(`+folder ${folder}`);
    });
    return watchdog;
  }

  #tell(line: string): void {
    this.#watchdog.stdin?.write(`${line}\n`);
  }
}
