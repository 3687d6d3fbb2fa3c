/** Words of commands that people paste into a shell. */

/**
 * A part of a command that is safe to paste into a shell: each value becomes one word. Names come from specs,
 * kubeconfigs and servers, which may contain anything.
 * @example shell`-n ${"my ns"} get pods` // "-n 'my ns' get pods"
 */
export function shell(parts: TemplateStringsArray, ...words: readonly (string | number)[]): string {
  return String.raw({ raw: parts }, ...words.map((word) => shellWord(String(word))));
}

/** A word that a POSIX shell takes literally, quoted only if necessary. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
