/** Messages of commands that fail. */

/** The command failed. The message states what happened and to what; `remedy` what to do, a command if there is one. */
export class PluginError extends Error {
  override readonly name = 'PluginError';
  readonly remedy: string | undefined;

  constructor(message: string, remedy?: string) {
    super(message);
    this.remedy = remedy;
  }
}
