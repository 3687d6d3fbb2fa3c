/** The options of the commands that probe an API: what the user states about it. What is left out is found by requests. */
import * as values from '@chaosdemo/settings/values';
import { InvalidArgumentError, Option } from 'commander';
import { formatDuration } from '../../api/index.ts';
import { type HttpInterfaceSpec, httpInterfaceSchema } from '../../subjects/ratelimiter/spec/http-schema.ts';
import { MOST_REQUESTS, rateLimiterSchema } from '../../subjects/ratelimiter/spec/schema.ts';
import { headerName as headerSchema } from '../../subjects/spec/pods-schema.ts';
import { parserOf, wholeNumber } from '../option-value.ts';
import type { Limit } from './manifest.ts';

export interface ProbeOptions {
  readonly method: HttpInterfaceSpec['method'];
  readonly header?: readonly Header[];
  readonly body?: string;
  readonly keyHeader?: string;
  readonly identity?: 'address';
  readonly health?: string;
  readonly limit?: number;
  readonly rejected?: number;
  readonly window?: string;
  readonly algorithm?: Limit['algorithm'];
  readonly windowStart?: Limit['windowStart'];
  readonly refill?: string;
}

/** Fields of the limit in a spec. */
const LIMIT = rateLimiterSchema.shape.limit.unwrap().shape;

/** A header of the request. */
export type Header = Readonly<HttpInterfaceSpec['headers'][number]>;

const headerName = parserOf({ schema: headerSchema, write: 'the name of a header, such as X-Api-Key' });

export const PROBE_OPTIONS: readonly Option[] = [
  new Option('--method <method>', 'method of the request')
    .choices(httpInterfaceSchema.shape.method.unwrap().options)
    .default('GET'),
  new Option(
    '--header <header>',
    "header of the request, as 'Name: value'; $(key) is the key of a caller; may be given several times",
  ).argParser(header),
  new Option('--body <text>', 'body of the request; $(key) is the key of a caller'),
  new Option('--key-header <name>', 'header by which the API identifies callers (default: found)')
    .argParser(headerName)
    .conflicts('identity'),
  new Option('--identity <kind>', 'address: the API only knows the address of a caller').choices(['address']),
  new Option('--health <path>', 'path that uses no limiter (default: found, such as /healthz)'),
  new Option('--limit <requests>', 'requests in one window (default: measured)').argParser(
    wholeNumber(1, MOST_REQUESTS),
  ),
  new Option('--rejected <status>', 'status over the limit (default: 429)').argParser(wholeNumber(200, 599)),
  new Option('--window <duration>', 'length of a window, such as 60s (default: found or measured)').argParser(
    duration,
  ),
  new Option(
    '--algorithm <name>',
    'how the API counts (default: measured if the result depends on it)',
  ).choices(LIMIT.algorithm.unwrap().options),
  new Option(
    '--window-start <start>',
    'of FixedWindow (default: measured if the result depends on it)',
  ).choices(LIMIT.windowStart.unwrap().options),
  new Option('--refill <duration>', 'of TokenBucket: how often tokens come, in steps').argParser(duration),
];

function header(text: string, earlier: readonly Header[] = []): Header[] {
  const [, name = '', value = ''] = /^([^:]*):\s*(.*)$/.exec(text) ?? [];
  if (value === '') throw new InvalidArgumentError("Write a header as 'Name: value'.");
  return [...earlier, { name: headerName(name), value }];
}

const parseWindow = parserOf(values.duration('1s', '1h', '60s'));

/** As a spec has it. */
export function duration(text: string): string {
  return formatDuration(parseWindow(text));
}
