/** The configuration of a Redis started here; passed to the server on its standard input. */
import { TestbedError } from './errors.ts';
import type { RedisServerOptions } from './redis-server.ts';

/**
 * The text of a redis.conf without persistence.
 * @throws TestbedError REDIS_CONFIG_INVALID for an ACL line that contains more, or something else
 */
export function renderConfig(
  options: RedisServerOptions & { readonly host: string; readonly port: number; readonly dir: string },
): string {
  const { tls } = options;
  const lines = [
    `bind ${JSON.stringify(options.host)}`,
    // Loopback pods (127.0.0.2 ...) are not "local" to every version; a wider bind needs a password.
    'protected-mode no',
    `dir ${JSON.stringify(options.dir)}`,
    'daemonize no',
    'save ""',
    'appendonly no',
    ...(tls === undefined
      ? [`port ${options.port}`]
      : [
          'port 0',
          `tls-port ${options.port}`,
          `tls-cert-file ${JSON.stringify(tls.certFile)}`,
          `tls-key-file ${JSON.stringify(tls.keyFile)}`,
          `tls-ca-cert-file ${JSON.stringify(tls.caFile)}`,
          'tls-auth-clients no',
        ]),
    ...(options.requirepass === undefined ? [] : [`requirepass ${JSON.stringify(options.requirepass)}`]),
    ...(options.aclUsers ?? []).map(checkAclLine),
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

function checkAclLine(line: string): string {
  if (!/^user \S+ [^\r\n]+$/.test(line)) {
    // The line may contain a password: do not repeat it here.
    throw new TestbedError(
      'REDIS_CONFIG_INVALID',
      'an ACL line must be one line that reads "user <name> <rules>", as in redis.conf',
    );
  }
  return line;
}
