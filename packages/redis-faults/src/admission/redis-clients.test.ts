import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findStrangers, isSentinel, type KnownClients, parseClientList } from './redis-clients.ts';

interface Fields {
  addr: string;
  user?: string;
  flags?: string;
  name?: string;
}
const clientLine = ({ addr, user = 'default', flags = 'N', name = '' }: Fields): string =>
  `id=1 addr=${addr} laddr=10.0.0.7:6379 fd=8 name=${name} age=1 flags=${flags} user=${user}`;

describe('parseClientList', () => {
  it.each(['-1', '1 2', 'a', '9'.repeat(20)])('takes no id that is not a number of Redis: %s', (id) => {
    const [client] = parseClientList(`addr=10.0.0.9:1 id=${id}`);
    expect(client?.id).toBe(id === '1 2' ? '1' : '');
  });

  it('gives back what a list was written from', () => {
    const word = fc.stringMatching(/^[!-~]{0,12}$/);
    const client = fc.record({
      ip: fc.ipV4(),
      port: fc.integer({ min: 1, max: 65_535 }),
      name: word,
      user: word,
      flags: fc.stringMatching(/^[A-Za-z]{1,3}$/),
    });
    fc.assert(
      fc.property(fc.array(client), (clients) => {
        const text = clients
          .map(({ ip, port, ...rest }) => `${clientLine({ addr: `${ip}:${port}`, ...rest })}\n`)
          .join('');
        expect(parseClientList(text)).toEqual(
          clients.map(({ ip, port, ...rest }) => ({ id: '1', addr: `${ip}:${port}`, ip, ...rest })),
        );
      }),
    );
  });
});

describe('findStrangers', () => {
  const known: KnownClients = {
    podIPs: new Set(['10.0.0.1', '10.0.0.2']),
    ownAddr: '10.0.9.9:5000',
    ownUser: 'chaosdemo',
  };
  const strangers = (clients: Fields[], changes: Partial<KnownClients> = {}): string[] =>
    findStrangers(parseClientList(clients.map(clientLine).join('\n')), { ...known, ...changes }).map(
      ({ addr }) => addr,
    );

  it.each<[string, Fields]>([
    ['a selected pod, whatever its user', { addr: '10.0.0.2:1', user: 'limiter' }],
    ['this connection', { addr: '10.0.9.9:5000' }],
    ['another connection of the operator', { addr: '10.0.9.9:5001' }],
    ['a connection of an operator process that ended', { addr: '10.0.9.8:7000', user: 'chaosdemo' }],
    ['a replica', { addr: '10.0.3.3:1', flags: 'S' }],
    ['a master', { addr: '10.0.3.3:1', flags: 'M' }],
  ])('knows %s', (_, client) => {
    expect(strangers([client])).toEqual([]);
  });

  it.each<[string, Fields]>([
    ['another pod', { addr: '10.0.0.3:1' }],
    ['an address that only begins alike', { addr: '10.0.0.22:1' }],
    ['a Unix socket', { addr: '/run/redis.sock:0' }],
    ['a monitor', { addr: '10.0.3.3:1', flags: 'O' }],
  ])('does not know %s', (_, client) => {
    expect(strangers([client])).toEqual([client.addr]);
  });

  it('trusts a user name only if no pod of the rate limiter uses it', () => {
    const clients = [
      { addr: '10.0.0.1:1', user: 'chaosdemo' },
      { addr: '10.0.3.3:1', user: 'chaosdemo' },
    ];
    expect(strangers(clients)).toEqual(['10.0.3.3:1']);
  });

  it.each([undefined, '', 'default'])('never trusts the user %j', (ownUser) => {
    expect(strangers([{ addr: '10.0.3.3:1', user: ownUser ?? 'default' }], { ownUser })).toEqual([
      '10.0.3.3:1',
    ]);
  });
});

describe('a client without a command yet', () => {
  const known = { podIPs: new Set<string>(), ownAddr: '10.0.1.1:5000', ownUser: 'chaosdemo' };
  const strangers = (cmd: string) =>
    findStrangers(parseClientList(`${clientLine({ addr: '10.0.9.9:1' })} cmd=${cmd}`), known);

  it('is no stranger: it may be an operator that was stopped before it had logged in', () => {
    expect(strangers('NULL')).toEqual([]);
  });

  it('is a stranger as soon as it sends a command', () => {
    expect(strangers('get')).toHaveLength(1);
    expect(strangers('null')).toHaveLength(1);
  });
});

it('isSentinel knows the connections of a Sentinel by the names it gives them', () => {
  const named = (name: string) => parseClientList(clientLine({ addr: '10.0.3.3:1', name })).map(isSentinel);
  expect(named('sentinel-3bd5ac1c-cmd')).toEqual([true]);
  expect(named('sentinel-3bd5ac1c-pubsub')).toEqual([true]);
  expect(named('sentinel-dashboard')).toEqual([false]);
});
