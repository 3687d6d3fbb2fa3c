/**
 * The operator's log: JSON lines by pino, each with its program and process. Two safeguards keep secrets out: errors
 * are written by an allowlist of fields (a client's error may carry a complete command with its password), and members
 * named like secrets are blanked near the top.
 */

import pino, { type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import type { ChaosDemo } from '../api/index.ts';

export type { Logger };

const secretNames = ['password', 'token', 'authorization', 'secret'];
/** Prefixes for such members: each pino wildcard matches one level. */
const depths = ['', '*.', '*.*.', '*.*.*.'];

/**
 * Characters that JSON leaves as they are but that a terminal, or the log of a pipeline, acts on: C1 controls, marks
 * that change the direction of text, and the `##[` and `##vso[` of pipeline agents. Written as JSON escapes.
 */
const ACTIVE = /[\u007f-\u009f\p{Cf}\u2028\u2029]|#(?=#)/gu;

const longestStackChars = 4_000;
/** Causes are followed to this depth; this also ends cycles. */
const deepestCause = 4;

/**
 * The log of this process, on standard output unless `destination` is given.
 *
 * @example
 * const log = createLogger({ level: 'info', identity: 'operator-0' });
 */
export function createLogger(
  options: { level: string; identity: string },
  destination?: DestinationStream,
): Logger {
  const settings: LoggerOptions = {
    level: options.level,
    base: { app: 'chaosdemo-operator', identity: options.identity },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: (thrown: unknown) => describeError(thrown) },
    hooks: { streamWrite: (line) => line.replace(ACTIVE, asEscape) },
    redact: { paths: depths.flatMap((depth) => secretNames.map((name) => depth + name)), censor: '***' },
  };
  return destination === undefined ? pino(settings) : pino(settings, destination);
}

/** By UTF-16 units, as in JSON. */
function asEscape(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

/** A logger whose lines carry the object, its run and its chapter, as far as it has them. */
export function loggerFor(logger: Logger, { metadata, status }: ChaosDemo): Logger {
  const { name, namespace } = metadata;
  const { chapter, run } = status ?? {};
  return logger.child({
    namespace,
    name,
    ...(run && { run: run.number }),
    ...(chapter !== undefined && { chapter }),
  });
}

/** An error as logged: type, message, stack, code, status and causes, and no other members. */
function describeError(thrown: unknown, depth = 0): object {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: String(thrown) };
  const { code, status } = thrown as { code?: unknown; status?: unknown };
  return {
    type: thrown.name,
    message: thrown.message,
    ...(thrown.stack === undefined ? {} : { stack: thrown.stack.slice(0, longestStackChars) }),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof status === 'number' ? { status } : {}),
    ...(thrown.cause === undefined || depth >= deepestCause
      ? {}
      : { cause: describeError(thrown.cause, depth + 1) }),
  };
}
