import { expect, it } from 'vitest';
import { codeLines, sizesOf } from './code-lines.ts';

it.each([
  ['blank lines', '\n  \n\t\n', 0],
  ['line comments', '// one\n  // two\nconst a = 1; // three', 1],
  ['a block comment over several lines', '/**\n * one\n\n * two\n */\nconst a = 1;', 1],
  ['code after the end of a comment', '/* one\n two */ const a = 1;', 1],
  ['a comment in front of code', '/* one */ const a = 1;', 1],
  ['two comments in a line', '/* one */ // two', 0],
  ['code that multiplies', 'const a =\n  2\n  * 3;', 3],
])('counts no comments, and all code: %s', (_, text, lines) => {
  expect(codeLines(text)).toBe(lines);
});

it('counts a file for its nearest folder, and tests apart', () => {
  const files = [
    'src/a/x.ts',
    'src/a/b/x.ts',
    'src/a/x.test.ts',
    'test/kit/x.ts',
    'src/ab/x.ts',
    'bench/x.ts',
  ];
  const sizes = sizesOf(
    files.map((path) => ({ path, text: 'x' })),
    { src: 9, 'src/a': 9, 'src/a/b': 9, tests: 9 },
  );
  expect(Object.fromEntries(sizes)).toEqual({ src: 1, 'src/a': 1, 'src/a/b': 1, tests: 2 });
});
