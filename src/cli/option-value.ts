/** Values of options of a command line, by the kinds of settings. */
import { integer, type ValueType } from '@chaosdemo/settings/values';
import { InvalidArgumentError } from 'commander';

/** A commander parser for values of this kind. */
export function parserOf<T>({ schema, write }: Pick<ValueType<T>, 'schema' | 'write'>): (text: string) => T {
  return (text) => {
    const parsed = schema.safeParse(text);
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(`Write ${write}.`);
  };
}

/** A commander parser for an integer between two bounds, both included. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return parserOf(integer(least, most));
}
