/** Messages and exit statuses of commands that fail. */

/** Exit statuses of the plugin; those of verdicts are {@link EXIT_BY_PHASE}. */
export const EXIT = {
  done: 0,
  /** `doctor`: something prevents a run. */
  found: 1,
  /** The command failed, or there is no verdict. */
  failed: 2,
  /** As sysexits' EX_USAGE. */
  usage: 64,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const;

/** The command failed. The message states what happened and to what; `remedy` what to do, a command if there is one. */
export class PluginError extends Error {
  override readonly name = 'PluginError';
  readonly remedy: string | undefined;
  readonly exit: number;

  constructor(message: string, remedy?: string, exit: number = EXIT.failed) {
    super(message);
    this.remedy = remedy;
    this.exit = exit;
  }
}
