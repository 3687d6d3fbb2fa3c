/** The configuration of a Redis started here; passed to the server on its standard input. */
import type { RedisServerOptions } from './redis-server.ts';

/** The text of a redis.conf without persistence. */
export function renderConfig(
  options: RedisServerOptions & { readonly host: string; readonly port: number; readonly dir: string },
): string {
  const lines = [
    `bind ${JSON.stringify(options.host)}`,
    // Loopback pods (127.0.0.2 ...) are not "local" to every version; a wider bind needs a password.
    'protected-mode no',
    `dir ${JSON.stringify(options.dir)}`,
    'daemonize no',
    'save ""',
    'appendonly no',
    `port ${options.port}`,
    ...(options.requirepass === undefined ? [] : [`requirepass ${JSON.stringify(options.requirepass)}`]),
    ...(options.aclUsers ?? []),
    ...(options.settings ?? []),
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * Secrets to hide from Redis's output: it echoes rejected lines, with quotes and backslashes escaped once and twice.
 */
export function secretsOf({ aclUsers = [], requirepass }: RedisServerOptions): string[] {
  const rules = aclUsers.flatMap((line) => line.split(/\s+/).filter((rule) => /^[><#!]./.test(rule)));
  const secrets = requirepass === undefined ? rules : [...rules, requirepass];
  const escape = (text: string): string => JSON.stringify(text).slice(1, -1);
  return secrets.flatMap((secret) => [escape(escape(secret)), escape(secret), secret]);
}
