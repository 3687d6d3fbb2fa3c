import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PerServer } from '../client/per-server.ts';
import { RedisWireError } from '../client/redis-error.ts';
import type { RedisTarget } from '../client/redis-target.ts';
import { type ClusterView, mastersOf, parseClusterNodes, readCluster } from './cluster-nodes.ts';

const idOf = (node: number): string => node.toString(16).padStart(40, '0');
const hostOf = (node: number): string => `10.0.0.${node + 1}`;

interface Line {
  flags?: string;
  slots?: string;
  host?: string;
  id?: string;
}

/** The answer of one node of a Cluster of three masters and a replica; `changes` by number of the node. */
function answer(self: number, changes: Readonly<Record<number, Line>> = {}): string {
  const slots = ['0-5460', '5461-10922', '10923-16383', ''];
  return [...new Set([0, 1, 2, 3, ...Object.keys(changes).map(Number)])]
    .map((node) => {
      const change = changes[node] ?? {};
      const role = change.flags ?? (node === 3 ? 'slave' : 'master');
      const flags = node === self ? `myself,${role}` : role;
      const endpoint = `${change.host ?? hostOf(node)}:6379@16379,redis-${node}.redis`;
      const master = node === 3 ? idOf(0) : '-';
      return `${change.id ?? idOf(node)} ${endpoint} ${flags} ${master} 0 1 2 connected ${change.slots ?? slots[node] ?? ''}`.trimEnd();
    })
    .join('\n')
    .concat('\n');
}

function target(node: number): RedisTarget {
  return { podName: `redis-${node}`, host: hostOf(node), port: 6379, tls: false };
}

/** What the first pod makes of this text. */
function viewOf(text: string): ClusterView {
  return { target: target(0), cluster: readCluster(target(0), text) };
}

/** The same changes in the answers of all nodes. */
function views(changes?: Readonly<Record<number, Line>>): PerServer<ClusterView> {
  const view = (node: number): ClusterView => ({
    target: target(node),
    cluster: readCluster(target(node), answer(node, changes)),
  });
  return [view(0), view(1), view(2), view(3)];
}

describe('the masters of a Cluster', () => {
  it('are those with slots, each with its own', () => {
    const { masters } = mastersOf(views());
    expect(masters.map((view) => view.target)).toEqual([
      { ...target(0), slots: [[0, 5460]] },
      { ...target(1), slots: [[5461, 10_922]] },
      { ...target(2), slots: [[10_923, 16_383]] },
    ]);
  });

  it('have another layout once slots have moved, or a replica has taken over', () => {
    const { layout } = mastersOf(views());
    expect(mastersOf(views()).layout).toBe(layout);
    const moved = views({ 0: { slots: '0-5459' }, 1: { slots: '5460-10922' } });
    expect(mastersOf(moved).layout).not.toBe(layout);
    const over = views({ 0: { flags: 'slave', slots: '' }, 3: { flags: 'master', slots: '0-5460' } });
    expect(mastersOf(over).layout).not.toBe(layout);
    expect(mastersOf(over).masters.map((view) => view.target.podName)).toEqual([
      'redis-1',
      'redis-2',
      'redis-3',
    ]);
  });

  it.each<[string, Readonly<Record<number, Line>>, RegExp]>([
    ['a slot is missing', { 2: { slots: '10923-16382' } }, /exactly one primary for each of 16384 slots/],
    ['a slot has two masters', { 1: { slots: '5460-10922' } }, /exactly one primary/],
    ['as many slots are covered, and one twice', { 1: { slots: '5460-10921' } }, /exactly one primary/],
    ['a master may fail', { 1: { flags: 'master,fail?' } }, /primary 00000000 fails/],
    ['a master has failed', { 1: { flags: 'master,fail' } }, /primary 00000000 fails/],
    ['slots move away', { 1: { slots: `5461-10922 [5461->-${idOf(2)}]` } }, /slots move to or from/],
    ['slots move to it', { 1: { slots: `5461-10922 [1-<-${idOf(0)}]` } }, /slots move to or from/],
    ['a master has no slots', { 4: { flags: 'master' } }, /without slots: give it slots/],
    [
      'a master is not a pod of the Service',
      { 2: { host: '10.9.9.9' } },
      /at an address that no Ready pod .*has/,
    ],
    [
      'two pods have each other for master',
      { 1: { host: hostOf(2) }, 2: { host: hostOf(1) } },
      /is another node/,
    ],
  ])('are refused if %s', (_, changes, message) => {
    expect(() => mastersOf(views(changes))).toThrow(message);
  });

  it('are refused if one pod reports another Cluster, with its name', () => {
    const [first, second, third, fourth] = views() as [ClusterView, ClusterView, ClusterView, ClusterView];
    const other = { ...third, cluster: readCluster(target(2), answer(2, { 1: { id: 'f'.repeat(40) } })) };
    expect(() => mastersOf([first, second, other, fourth])).toThrow(
      /^redis-2 \(10\.0\.0\.3:6379\) reports other/,
    );
  });
});

describe('CLUSTER NODES', () => {
  it('is read with addresses of IPv6, ports without a name, and single slots', () => {
    const [node] = parseClusterNodes(
      `${idOf(1)} fd00::1:6379@16379 myself,master - 0 0 1 connected 7 9-10\n`,
    );
    expect(node).toMatchObject({
      host: 'fd00::1',
      port: 6379,
      slots: [
        [7, 7],
        [9, 10],
      ],
      isMoving: false,
    });
  });

  it.each([
    ['an id that is none', 'x 10.0.0.1:1@2 master - 0 0 1 connected'],
    ['no port', `${idOf(1)} 10.0.0.1 master - 0 0 1 connected`],
    ['too few fields', `${idOf(1)} 10.0.0.1:1@2 master -`],
    ['a slot beyond the last', `${idOf(1)} 10.0.0.1:1@2 master - 0 0 1 connected 0-16384`],
    ['a range that ends before it begins', `${idOf(1)} 10.0.0.1:1@2 master - 0 0 1 connected 5-4`],
    ['a slot that is no number', `${idOf(1)} 10.0.0.1:1@2 master - 0 0 1 connected a`],
  ])('is refused with %s', (_, text) => {
    expect(() => parseClusterNodes(text)).toThrow(RedisWireError);
  });

  it('is refused or read, whatever a server sends, and never takes long', () => {
    const token = fc.oneof(
      fc.constantFrom(
        idOf(1),
        idOf(2),
        'myself,master',
        'slave',
        '-',
        '0',
        'connected',
        '0-16383',
        '[1->-x]',
      ),
      fc.constantFrom('10.0.0.1:6379@16379', ':0@0', '10.0.0.1:6379@16379,h,shard-id=x', '99999', '1-2-3'),
      fc.string(),
    );
    const line = fc.array(token, { maxLength: 14 }).map((tokens) => tokens.join(' '));
    const text = fc
      .array(fc.oneof(line, fc.constant(answer(0))), { maxLength: 8 })
      .map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(text, (said) => {
        try {
          const { masters } = mastersOf([viewOf(said)]);
          expect(masters.map((view) => view.target.host)).toEqual([hostOf(0)]);
        } catch (error) {
          expect((error as Error).name).toMatch(/^(RedisWireError|RedisRefusal)$/);
        }
      }),
    );
  });
});
