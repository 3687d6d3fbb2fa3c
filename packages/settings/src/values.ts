/** The kinds of settings. They are the same for every program: a duration is `10s`, a boolean `true` or `false`. */
import { z } from 'zod';
import { DURATION_PATTERN, parseDuration } from './duration.ts';

/** The syntax of a value, and how its text is parsed. */
export interface ValueType<T> {
  /** The placeholder after the flag in `--help`. */
  readonly placeholder: string;
  /** The expected value; completes "write ..." in an error. */
  readonly write: string;
  readonly schema: z.ZodType<T, string>;
  /** The flag may have no value, and then means true. */
  readonly isSwitch?: true;
  /** The flag may be repeated: each adds to the list. */
  readonly isList?: true;
}

/** Text, validated by the schema. */
export function text<T>(placeholder: string, write: string, schema: z.ZodType<T, string>): ValueType<T> {
  return { placeholder, write, schema };
}

/** The path of a file. */
export const file = text('<file>', 'the path of a file', z.string().min(1));

/** One of these words. */
export function choice<const T extends string>(...words: readonly [T, ...T[]]): ValueType<T> {
  return { placeholder: `<${words.join('|')}>`, write: `one of ${words.join(', ')}`, schema: z.enum(words) };
}

/** A flag without a value means true. */
export const boolean: ValueType<boolean> = {
  placeholder: '[=true|false]',
  write: 'true or false',
  isSwitch: true,
  schema: z.enum(['true', 'false']).transform((word) => word === 'true'),
};

/** An integer between two bounds, both included. */
export function integer(min: number, max: number, what = 'a whole number'): ValueType<number> {
  const schema = z.string().regex(/^[0-9]{1,10}$/);
  return {
    placeholder: '<number>',
    write: `${what} from ${min} to ${max}`,
    schema: schema.transform(Number).refine((number) => number >= min && number <= max),
  };
}

/** A port; from 1 if 0, any free one, makes no sense. */
export function port(min: 0 | 1): ValueType<number> {
  return { ...integer(min, 65_535, 'a port'), placeholder: '<port>' };
}

/** A duration in the format of the API between two bounds, both included, as milliseconds. */
export function duration(min: string, max: string, example: string): ValueType<number> {
  const within = (milliseconds: number): boolean =>
    milliseconds >= parseDuration(min) && milliseconds <= parseDuration(max);
  const write = `a duration from ${min} to ${max}, such as ${example}`;
  const valid = z.string().regex(DURATION_PATTERN, `write ${write}`);
  const schema = valid.transform(parseDuration).refine(within, `write ${write}`);
  return { placeholder: '<duration>', write, schema };
}

/** Several values of a kind, separated by commas or given one flag each; blanks and duplicates are dropped. */
export function list<T>(placeholder: string, write: string, item: z.ZodType<T, string>): ValueType<T[]> {
  const split = z.string().transform((values) =>
    values
      .split(',')
      .map((value) => value.trim())
      .filter((value) => value !== ''),
  );
  return {
    placeholder,
    write,
    isList: true,
    schema: split.pipe(z.array(item).transform((values) => [...new Set(values)])) as z.ZodType<T[], string>,
  };
}
