import { describe, expect, it } from 'vitest';
import { pathsOf, strangersIn } from './fault-proxy-clients.ts';
import { parseClientList } from './redis-clients.ts';

const PODS = [
  { name: 'api-0', host: '10.0.0.1' },
  { name: 'api-1', host: 'fd00::2' },
];
const PROXY = '10.0.0.9';
const connections = [
  { client: '10.0.0.1:40000', upstream: `${PROXY}:50000` },
  { client: '[fd00::2]:40001', upstream: `${PROXY}:50001` },
];
const listOf = (...addresses: string[]) =>
  parseClientList(
    addresses.map((addr, i) => `id=${i + 1} addr=${addr} name= flags=N user=default`).join('\n'),
  );

it('clients of a fault proxy are strangers unless selected pods or the requester', () => {
  const requester = '10.0.0.5:1234';
  const others = [{ client: '10.0.0.5:9' }, { client: '10.0.0.7:1' }, { client: ':0' }];
  const all = { requester, connections: [...connections, ...others] };
  const addresses = PODS.map(({ host }) => host);
  expect(strangersIn({ requester, connections }, addresses)).toEqual([]);
  expect(strangersIn(all, addresses)).toEqual(['10.0.0.7:1', ':0']);
});

describe('the ways of pods to Redis', () => {
  const requester = '10.0.0.5:1234';

  it('lead through the proxy if both ends are listed', () => {
    const paths = pathsOf(PODS, { requester, connections }, listOf(`${PROXY}:50000`, `${PROXY}:50001`));
    expect(paths).toEqual({ missing: [], direct: [], upstream: [`${PROXY}:50000`, `${PROXY}:50001`] });
  });

  it('lead through the proxy if all of them are on one machine, with the operator', () => {
    const pods = PODS.map(({ name }) => ({ name, host: '127.0.0.1' }));
    const some = [1, 2].map((port) => ({ client: `127.0.0.1:4${port}`, upstream: `127.0.0.1:5${port}` }));
    const list = listOf('127.0.0.1:51', '127.0.0.1:52', '127.0.0.1:7');
    const paths = pathsOf(pods, { requester: '127.0.0.1:9', connections: some }, list);
    expect(paths).toMatchObject({ missing: [], direct: [] });
  });

  it.each([
    ['the proxy leads elsewhere', connections, [`${PROXY}:50000`], ['api-1'], []],
    ['a pod is not listed by the proxy', connections.slice(0, 1), [`${PROXY}:50000`], ['api-1'], []],
    [
      'a pod is connected directly, too',
      connections,
      [`${PROXY}:50000`, `${PROXY}:50001`, '10.0.0.1:7'],
      [],
      ['api-0'],
    ],
  ])('do not if %s', (_, some, addresses, missing, direct) => {
    const paths = pathsOf(PODS, { requester, connections: some }, listOf(...addresses));
    expect(paths).toMatchObject({ missing, direct });
  });
});
