/** The configuration of a Redis started here; passed to the server on its standard input. */

export interface RedisConfig {
  /** ACL lines as in redis.conf, e.g. `user probe on >secret ~probe:* +get`. */
  readonly aclUsers?: readonly string[];
  /** Password of the default user. */
  readonly requirepass?: string;
  /** Further lines as in redis.conf, e.g. `maxclients 100`; they come last, so they win. */
  readonly settings?: readonly string[];
}

/** The text of a redis.conf without persistence. */
export function renderConfig(
  options: RedisConfig & { readonly host: string; readonly port: number; readonly dir: string },
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
export function secretsOf({ aclUsers = [], requirepass }: RedisConfig): string[] {
  const rules = aclUsers.flatMap((line) => line.split(/\s+/).filter((rule) => /^[><#!]./.test(rule)));
  const secrets = requirepass === undefined ? rules : [...rules, requirepass];
  const escape = (text: string): string => JSON.stringify(text).slice(1, -1);
  return secrets.flatMap((secret) => [escape(escape(secret)), escape(secret), secret]);
}
