/**
 * `npm run --silent redis-users | kubectl create -f -`: Secrets with new random
 * passwords for manifests/ratelimiter. Git holds no password; the rights come from
 * where the embedded run has them.
 *
 * With `create` a second call fails rather than locking everybody out. To change the
 * passwords, delete the four Secrets, make new ones, and restart Redis and the limiters.
 */
import { createHash } from 'node:crypto';
import { ownSettings } from '@chaosdemo/settings';
import { aclLines, makeRedisUsers } from '../src/local/redis-users.ts';

ownSettings({
  about: `Usage: npm run --silent redis-users | kubectl create -f -

Writes the Secrets of manifests/ratelimiter with new random passwords, as JSON.`,
  settings: {},
});

const namespace = 'ratelimiter';

// Nobody needs every right in a cluster: who administers Redis there restarts it.
const { admin: _admin, ...users } = makeRedisUsers();
const shipped = new Set(['default', ...Object.values(users).map(({ username }) => username)]);
const acl = aclLines({ ...users, admin: { username: 'admin', password: '' } })
  .filter((line) => shipped.has(line.split(' ')[1]))
  // Redis is given hashes, so that its own Secret opens nothing.
  .map((line) => line.replace(/ >(\S+)/, (_, password) => ` #${sha256(password)}`));

const items = [
  secret('redis-users', 'Opaque', { 'users.acl': `${acl.join('\n')}\n` }),
  secret('redis-limiter', 'kubernetes.io/basic-auth', users.limiter),
  // The one type of Secret that the operator reads.
  secret('redis-auth', 'chaosdemo.dev/redis-auth', users.operator),
  secret('redis-observer', 'kubernetes.io/basic-auth', users.observer),
];
process.stdout.write(`${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2)}\n`);

function secret(name, type, stringData) {
  const labels = { 'app.kubernetes.io/part-of': 'ratelimiter' };
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name, labels }, type, stringData };
}

function sha256(text) {
  return createHash('sha256').update(text).digest('hex');
}
