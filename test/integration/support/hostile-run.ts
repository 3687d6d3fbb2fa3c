/** A finished run whose texts were written by an attacker. */

import { gunzipSync, gzipSync } from 'node:zlib';
import { resourcePath } from '@chaosdemo/kube-runtime';
import type { ChaosDemo } from '../../../src/api/index.ts';
import { evidenceName } from '../../../src/evidence/index.ts';
import { CHAOS_DEMO_TYPE } from '../../../src/operator/adapters/kube-demo-api.ts';
import { uniqueNamespace } from '../../kit/control-plane.ts';
import { demo } from '../../kit/demo.ts';
import { Demos } from '../../kit/demos.ts';

/** Markup that does something, and a letter that turns the rest around; of 31 bytes, which every text has room for. */
const HOSTILE = '<img src=x onerror=alert(1)>\u202e';
/** For longer texts also what leaves its element, what moves the cursor of a terminal, and no space; of 150 bytes. */
const MORE = `${HOSTILE}</style></title><a href="javascript:alert(3)">txet\u001b[2J\u0007${'w'.repeat(62)}`;
const LONG = new Set(['message', 'text', 'recommendation']);
const SHORT = new Set(['chapter', 'title', 'summary']);

interface ConfigMap {
  readonly metadata: { readonly labels?: Record<string, string> };
  readonly data?: Record<string, string>;
}

/** Copies a run and its evidence, with hostile texts, to a namespace that no operator watches. @returns that namespace */
export async function plantHostileRun(demos: Demos, run: ChaosDemo): Promise<string> {
  const namespace = await uniqueNamespace('hostile');
  const { name } = run.metadata;
  const planted = new Demos(demos.client, namespace);
  await planted.applyObject(demo({ name, namespace }, run.spec ?? {}));
  const { metadata } = await planted.object(name);
  await demos.client.request({
    method: 'PATCH',
    path: `${resourcePath(CHAOS_DEMO_TYPE, { namespace, name })}/status`,
    contentType: 'application/merge-patch+json',
    body: { status: withHostile(run.status) },
  });
  const evidence = evidenceName(name, run.status?.run?.number ?? 0);
  const configMaps = (of: string) => `/api/v1/namespaces/${of}/configmaps`;
  const found = await demos.client.request<ConfigMap>({
    method: 'GET',
    path: `${configMaps(demos.namespace)}/${evidence}`,
  });
  const hostileOf = (line: string): string =>
    JSON.stringify(withHostile(JSON.parse(line))).replaceAll(run.metadata.uid ?? '', metadata.uid ?? '');
  const files = Object.entries(found.data ?? {}).map(([file, content]) => {
    if (file.endsWith('.json')) return [file, hostileOf(content)];
    const lines = gunzipSync(Buffer.from(content, 'base64')).toString().trim().split('\n');
    return [file, gzipSync(`${lines.map(hostileOf).join('\n')}\n`).toString('base64')];
  });
  await demos.client.request({
    method: 'POST',
    path: configMaps(namespace),
    body: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: evidence, labels: found.metadata.labels },
      data: Object.fromEntries(files) as Record<string, string>,
    },
  });
  return namespace;
}

/** With all strings made hostile that are texts, wherever they are. */
function withHostile<T>(value: T, name = ''): T {
  if (typeof value === 'string') return (LONG.has(name) ? MORE : SHORT.has(name) ? HOSTILE : value) as T;
  if (Array.isArray(value)) return value.map((each) => withHostile<unknown>(each)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, withHostile<unknown>(each, key)]),
  ) as T;
}
