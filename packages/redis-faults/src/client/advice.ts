/** What to do about an error of Redis. One text for each error, wherever it occurs. */
import { type RedisTarget, settingOf } from './redis-target.ts';

/**
 * The rights that the operator's user needs in Redis, for a complete run. The same as in docs and manifests; shown if
 * one is missing.
 */
export const REDIS_ACL =
  '-@all +client|pause +client|unpause +client|list +watch +multi +exec +ping +info +time +set +get +hvals ~chaosdemo:probe:* %R~rl:* resetchannels';

const BY_REPLY: readonly (readonly [RegExp, string])[] = [
  [
    /^NOPERM .*client\|kill/,
    'the ACL user lacks a right that fault type Disconnect needs: grant it "+client|kill" in addition to the others',
  ],
  [
    /^NOPERM .*cluster\|nodes/,
    'the ACL user lacks a right that a Cluster needs: grant it "+cluster|nodes" besides the others',
  ],
  [/^(EXECABORT .*\b)?NOPERM/, `the ACL user lacks a right: grant it "${REDIS_ACL}"`],
  [/^LOADING/, 'it is loading its data: wait until it is ready'],
  [/^(MOVED|ASK)\b/, 'the slot of this key has moved to another primary: run again'],
  [/^READONLY/, 'it is a replica: point the Service at the primary only'],
  [/^MISCONF/, 'it rejects writes because it cannot save to disk: free its disk'],
  [
    /^NOREPLICAS/,
    'it rejects writes because it has fewer replicas than it wants: set min-replicas-to-write to 0',
  ],
  [/^BUSY/, 'a script keeps it from everything else: wait until that has ended'],
  [/^ERR max number of clients/, 'it accepts no more clients: raise its maxclients, or end some'],
  [/^OOM/, 'it rejects writes because its memory is full: free some'],
];

/** What to do about an error that Redis answered; undefined if unknown. */
export function adviceOnReply(text: string, target: RedisTarget): string | undefined {
  const secret = settingOf(target, 'authSecretName');
  if (text.startsWith('NOAUTH'))
    return `it requires a password: name a Secret with the password in ${secret}`;
  if (/^(WRONGPASS|ERR AUTH|ERR invalid password)/.test(text))
    return `correct username and password in the Secret that ${secret} names`;
  return BY_REPLY.find(([reply]) => reply.test(text))?.[1];
}

/** What to do about a connection that failed with this error. */
export function adviceOnConnection(text: string, target: RedisTarget): string {
  const known = adviceOnReply(text, target);
  if (known !== undefined) return known;
  if (/certificate required/.test(text)) {
    return 'it wants a certificate of the client, and the operator has none: set tls-auth-clients to no or optional';
  }
  if (/certificate has expired/.test(text)) return 'renew its certificate';
  if (/certificate|altname|self.signed/i.test(text)) {
    return `its certificate must be valid for ${target.servername ?? 'the Service'} and issued by an authority in redis.tls.caSecretName`;
  }
  if (target.tls) return 'check that it runs, speaks TLS on this port, and no NetworkPolicy blocks it';
  return 'check that it runs, speaks no TLS on this port (else set redis.tls), and no NetworkPolicy blocks it';
}
