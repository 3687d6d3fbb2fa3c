/**
 * Who else uses a Redis: reads CLIENT LIST and finds the clients that a pause of
 * writes would hit though they have no part in the demo. Pure.
 */
import { isIP } from 'node:net';
import { linesOf } from '../store/lines.ts';
import { ReplyTypeError } from '../store/reply-types.ts';

/** One line of CLIENT LIST, as far as it is used. */
export interface RedisClient {
  /** A decimal number that no other connection has had since the server started; '' if there is none. */
  id: string;
  /** Remote address as Redis writes it: `10.0.0.9:33412`, `[fd00::9]:33412`, or a path and `:0` for a Unix socket. */
  addr: string;
  /** Its IP alone; undefined for a Unix socket. */
  ip?: string;
  /** Set by CLIENT SETNAME; '' if it was not. */
  name: string;
  /** ACL user; '' before Redis 6. */
  user: string;
  /** Kind of client in letters: N normal, S replica, M master ... (https://redis.io/docs/latest/commands/client-list/). */
  flags: string;
  /** It has asked for nothing since it connected: Redis writes `cmd=NULL`. It may be anybody, also one of ours about to log in. */
  silent?: true;
}

/** What makes a client known. */
export interface KnownClients {
  /** IPs of the selected pods. */
  podIPs: ReadonlySet<string>;
  /** Address of the connection that asks, as Redis sees it. */
  ownAddr: string;
  /** Whether this process has other connections to this Redis: then all from its own address are its own. */
  connected?: boolean;
  /** ACL user of the operator; undefined if it logs in as nobody in particular. */
  ownUser?: string | undefined;
}

/** Redis writes at least 320 bytes per client, so a reply of 1 MiB holds fewer. */
const MOST_CLIENTS = 4096;

/** Longer than any address, name or user that is used. */
const MOST_VALUE = 1024;

/**
 * The clients in the answer to CLIENT LIST. A line without an address is left out.
 *
 * Values hold no spaces: Redis rejects them in client names and user names. The parser searches for the five fields and
 * splits nothing else, because the server chooses how many fields a line has.
 * @throws ReplyTypeError for more than 4,096 lines
 */
export function parseClientList(text: string): RedisClient[] {
  const clients: RedisClient[] = [];
  let lines = 0;
  for (const line of linesOf(text, MOST_CLIENTS + 1)) {
    lines += 1;
    if (lines > MOST_CLIENTS) {
      throw new ReplyTypeError('CLIENT LIST', `at most ${MOST_CLIENTS} clients`, 'more');
    }
    const addr = fieldOf(line, 'addr');
    if (addr === '') continue;
    const ip = ipOf(addr);
    const id = fieldOf(line, 'id');
    clients.push({
      id: /^\d{1,19}$/.test(id) ? id : '',
      addr,
      ...(ip === undefined ? {} : { ip }),
      name: fieldOf(line, 'name'),
      user: fieldOf(line, 'user'),
      flags: fieldOf(line, 'flags'),
      ...(fieldOf(line, 'cmd') === 'NULL' && { silent: true }),
    });
  }
  return clients;
}

/** The value of a field in a line `field=value field=value`; '' if it is missing or longer than {@link MOST_VALUE}. */
function fieldOf(line: string, field: string): string {
  const isFirst = line.startsWith(`${field}=`);
  const at = isFirst ? 0 : line.indexOf(` ${field}=`);
  if (at === -1) return '';
  const from = at + field.length + (isFirst ? 1 : 2);
  const space = line.indexOf(' ', from);
  const to = space === -1 ? line.length : space;
  return to - from > MOST_VALUE ? '' : line.slice(from, to);
}

/**
 * The clients that are neither a selected pod, nor a replica or master, nor ours. One that has asked for nothing yet
 * is none either: a pause harms nobody who does not write, and the next look finds it when it does.
 *
 * Ours is told by address and by ACL user. By address: a pod IP belongs to one pod,
 * so whatever comes from where we come from is us; on loopback, where everything may
 * come from one address, only this very connection, as long as it is the only one. By user: connections of an
 * operator process that ended a moment ago have other addresses, and a user made for
 * the operator is nobody else's. Where a selected pod logs in as the same user, that
 * user was not made for the operator, and proves nothing.
 */
export function findStrangers(clients: readonly RedisClient[], known: KnownClients): RedisClient[] {
  const { podIPs, ownAddr, connected = false, ownUser } = known;
  const fromPod = ({ ip }: RedisClient): boolean => ip !== undefined && podIPs.has(ip);
  const userIsOurs =
    ownUser !== undefined &&
    ownUser !== '' &&
    ownUser !== 'default' &&
    !clients.some((client) => fromPod(client) && client.user === ownUser);
  const ownIP = ipOf(ownAddr);
  const addressIsOurs = ({ addr, ip }: RedisClient): boolean =>
    addr === ownAddr || (ip !== undefined && ip === ownIP && (connected || !isLoopback(ip)));
  return clients.filter(
    (client) =>
      !client.silent &&
      !fromPod(client) &&
      !/[SM]/.test(client.flags) &&
      !addressIsOurs(client) &&
      !(userIsOurs && client.user === ownUser),
  );
}

/** Whether a Sentinel watches this Redis: each keeps two connections with names of its own making. */
export function watchedBySentinel(clients: readonly RedisClient[]): boolean {
  return clients.some(({ name }) => /^sentinel-[0-9a-f]+-(cmd|pubsub)$/.test(name));
}

/** Address and port as Redis writes them. */
export function formatAddr(ip: string, port: number): string {
  const address = plain(ip);
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function ipOf(addr: string): string | undefined {
  const ip = plain(addr.slice(0, Math.max(addr.lastIndexOf(':'), 0)).replace(/^\[(.*)\]$/, '$1'));
  return isIP(ip) === 0 ? undefined : ip;
}

/** IPv4 that came in over an IPv6 socket is IPv4. */
function plain(ip: string): string {
  return ip.replace(/^::ffff:(?=\d+\.)/i, '');
}

function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}
