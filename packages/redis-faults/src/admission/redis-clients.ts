/**
 * Who else uses a Redis: reads CLIENT LIST and finds the clients that a pause of writes would hit although they are not
 * part of the demo. Pure.
 */
import { ipOf } from '../client/address.ts';
import type { ClientListReply } from '../client/redis-client.ts';
import { unexpectedReply } from '../client/redis-error.ts';

/** The fields of one line of CLIENT LIST that are used. */
export type RedisClient = ReturnType<typeof parseClientList>[number];

export interface KnownClients {
  /** IPs of the selected pods. */
  podIPs: ReadonlySet<string>;
  /** Address of our own connection, as Redis sees it. */
  ownAddr: string;
  /** Whether this process has other connections to this Redis: then all clients at its own address are its own. */
  connected?: boolean | undefined;
  /** ACL user of the operator; undefined for the default user. */
  ownUser?: string | undefined;
}

/** Redis writes at least 320 bytes per client, so a reply of 1 MiB holds fewer. */
const MOST_CLIENTS = 4096;

/**
 * The clients in the answer to CLIENT LIST. A line without an address is left out. Values hold no spaces: Redis rejects
 * them in client names and user names. The parser searches for the five fields and splits nothing else, because the
 * server chooses how many fields a line has.
 */
export function parseClientList(text: string) {
  return text.split(/\r?\n/, MOST_CLIENTS).flatMap((line) => {
    const addr = fieldOf(line, 'addr');
    if (addr === '') return [];
    const ip = ipOf(addr);
    const id = fieldOf(line, 'id');
    const client = {
      /** A decimal number, unique since the server started; '' if there is none. */
      id: /^\d{1,19}$/.test(id) ? id : '',
      /** Remote address as Redis writes it: `10.0.0.9:33412`, `[fd00::9]:33412`, or a path and `:0` for a Unix socket. */
      addr,
      /** Its IP without the port; none for a Unix socket. */
      ...(ip === undefined ? {} : { ip }),
      /** Set by CLIENT SETNAME; else ''. */
      name: fieldOf(line, 'name'),
      /** ACL user; '' before Redis 6. */
      user: fieldOf(line, 'user'),
      /** Kind of client in letters: N normal, S replica, M master ... (https://redis.io/docs/latest/commands/client-list/). */
      flags: fieldOf(line, 'flags'),
      // It has sent no command since it connected. It may be anyone, also one of ours about to log in.
      ...(fieldOf(line, 'cmd') === 'NULL' && { silent: true as const }),
    };
    return [client];
  });
}

/**
 * The clients in the answer to CLIENT LIST.
 * @param ownUser of the connection that requested it; a user made for the operator also identifies it, if addresses are
 * rewritten on the way
 * @throws RedisWireError for a list without that very connection, which is forged or comes from another server
 */
export function clientsOf({ ownAddr, text }: ClientListReply, ownUser: string | undefined): RedisClient[] {
  const clients = parseClientList(text);
  const isOurs = ({ addr, user }: RedisClient): boolean =>
    addr.replace(/^\[::ffff:([\d.]+)\]/, '$1') === ownAddr || (isNamed(ownUser) && user === ownUser);
  if (clients.some(isOurs)) return clients;
  const wanted = `a list that holds the connection from ${ownAddr} that requested it`;
  throw unexpectedReply('CLIENT LIST', wanted, 'a list without it');
}

/** Whether it is a user that was made for somebody. */
function isNamed(user: string | undefined): boolean {
  return user !== undefined && user !== '' && user !== 'default';
}

/** The value of a field in a line `field=value field=value`; '' if it is missing. */
function fieldOf(line: string, field: string): string {
  return new RegExp(`(?:^| )${field}=([^ ]*)`).exec(line)?.[1] ?? '';
}

/**
 * The clients that are neither a selected pod, nor a replica or master, nor a Sentinel, nor ours. A client that has sent
 * no command yet is left out: it does not write, so a pause does it no harm, and the next check finds it once it does. Our own clients
 * are recognised by address and by ACL user. By address: a pod IP belongs to one pod, so everything from our address is
 * ours; on loopback, where all clients may share one address, only this very connection, if it is the only one. By
 * user: connections of an operator process that ended a moment ago have other addresses, and a user made for the
 * operator is used by no other client. If a selected pod logs in as the same user, that user was not made for the
 * operator and proves nothing.
 */
export function findStrangers(clients: readonly RedisClient[], known: KnownClients): RedisClient[] {
  const { podIPs, ownAddr, connected = false, ownUser } = known;
  const fromPod = ({ ip }: RedisClient): boolean => ip !== undefined && podIPs.has(ip);
  const userIsOurs =
    isNamed(ownUser) && !clients.some((client) => fromPod(client) && client.user === ownUser);
  const ownIP = ipOf(ownAddr);
  const addressIsOurs = ({ addr, ip }: RedisClient): boolean =>
    addr === ownAddr || (ip !== undefined && ip === ownIP && (connected || !isLoopback(ip)));
  return clients.filter(
    (client) =>
      !client.silent &&
      !fromPod(client) &&
      !isOfRedis(client) &&
      !addressIsOurs(client) &&
      !(userIsOurs && client.user === ownUser),
  );
}

/** Whether it is a replica of this Redis, its master, or a Sentinel that watches it. */
export function isOfRedis(client: RedisClient): boolean {
  return /[SM]/.test(client.flags) || isSentinel(client);
}

/** Whether it is one of the two connections that each Sentinel keeps, with names that it generates. */
export function isSentinel({ name }: RedisClient): boolean {
  return /^sentinel-[0-9a-f]+-(cmd|pubsub)$/.test(name);
}

function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}
