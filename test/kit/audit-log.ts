/** An audit log of an API server, at the level Metadata: no bodies, so no secrets. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const POLICY =
  'apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{ level: Metadata }]\n';

/** The flags for a log `audit.log` in this folder. */
export function auditFlags(folder: string): string[] {
  const policy = join(folder, 'audit-policy.yaml');
  writeFileSync(policy, POLICY);
  return [`--audit-log-path=${join(folder, 'audit.log')}`, `--audit-policy-file=${policy}`];
}
