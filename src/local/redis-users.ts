/** The ACL users of the embedded Redis: each program gets its own, with no more rights than it needs. */
import { randomBytes } from 'node:crypto';

/** A user and its password, generated for each run. */
export interface RedisUser {
  readonly username: string;
  readonly password: string;
}

/** All users that may log in; the default user is off. */
export type RedisUsers = Readonly<Record<keyof typeof rules, RedisUser>>;

const rules = {
  // Hashes and scripts under its prefix; nothing that affects other clients or the server.
  limiter: '-@all +@read +@write +@scripting +@connection +time -@dangerous +info ~rl:* resetchannels',
  // Exactly the rights documented for the operator, including fault type Disconnect: a missing one shows here first.
  operator:
    '-@all +client|pause +client|unpause +client|list +watch +multi +exec +ping +info +time +set +get +hvals ~chaosdemo:probe:* %R~rl:* resetchannels +client|kill',
  // Reads the limiter's keys and Redis's state: for an observer independent of the operator.
  observer: '-@all +ping +info +time +client|list +hgetall +hvals +get +scan +type %R~rl:* resetchannels',
  // For the person at the terminal and for tests.
  admin: '+@all ~* &*',
};

export function makeRedisUsers(): RedisUsers {
  const user = (username: string): RedisUser => ({
    username,
    password: randomBytes(24).toString('base64url'),
  });
  return {
    limiter: user('limiter'),
    operator: user('chaosdemo-operator'),
    observer: user('observer'),
    admin: user('admin'),
  };
}

/** Lines for the configuration of Redis. They contain the passwords. */
export function aclLines(users: RedisUsers): string[] {
  const line = (role: keyof RedisUsers): string =>
    `user ${users[role].username} on >${users[role].password} ${rules[role]}`;
  return ['user default off', line('limiter'), line('operator'), line('observer'), line('admin')];
}
