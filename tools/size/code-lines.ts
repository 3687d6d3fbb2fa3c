/** Counts lines of code, by the folders of the budget. Pure. */

/** A folder, or `tests`, with the most lines of code that it may have. */
export type Budget = Readonly<Record<string, number>>;

/** A source file, by its path from the root with slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** All tests, wherever they are, with their fixtures and kits. */
export const TESTS = 'tests';

/** Lines that are neither blank nor only comment. */
export function codeLines(text: string): number {
  let lines = 0;
  let isComment = false;
  for (const line of text.split('\n')) {
    let rest = line.trim();
    if (isComment) {
      const end = rest.indexOf('*/');
      if (end === -1) continue;
      isComment = false;
      rest = rest.slice(end + 2).trim();
    }
    if (rest.startsWith('/*')) {
      const end = rest.indexOf('*/', 2);
      isComment = end === -1;
      rest = isComment ? '' : rest.slice(end + 2).trim();
    }
    if (rest !== '' && !rest.startsWith('//')) lines += 1;
  }
  return lines;
}

/** Lines of code of each entry of `budget`. A file counts for the longest folder that has it. */
export function sizesOf(files: readonly SourceFile[], budget: Budget): Map<string, number> {
  const folders = Object.keys(budget).toSorted((a, b) => b.length - a.length);
  const sizes = new Map(Object.keys(budget).map((name) => [name, 0]));
  for (const { path, text } of files) {
    const isTest = path.startsWith('test/') || /\.(test|fixture)\.tsx?$/.test(path);
    const name = isTest ? TESTS : folders.find((folder) => path.startsWith(`${folder}/`));
    if (name !== undefined) sizes.set(name, (sizes.get(name) ?? 0) + codeLines(text));
  }
  return sizes;
}
