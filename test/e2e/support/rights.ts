/** Rights as one line each, `ROLE: VERB GROUP/RESOURCE [NAME]`, from roles and from an audit log. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { root } from '../../../src/local/root.ts';

interface Role {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly name?: string;
    readonly namespace?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The roles under manifests/operator. */
export async function readShippedRoles(): Promise<Role[]> {
  const files = ['operator/cluster-role.yaml', 'operator/target-cluster-role.yaml', 'operator/role.yaml'];
  const texts = await Promise.all(files.map((file) => readFile(join(root, 'manifests', file), 'utf8')));
  return texts
    .flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as Role))
    .filter(({ rules }) => rules !== undefined);
}

/** One line for each verb on each resource. */
export function grantedBy(roles: readonly Role[]): string[] {
  return roles.flatMap(({ kind, metadata, rules = [] }) =>
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.map((verb) => line(kind, metadata.name, verb, group, resource)),
        ),
      ),
    ),
  );
}

/**
 * What an audit log of one user holds: rights that were used, with the role that the API server
 * says allowed it; requests that were refused; requests that something else allowed.
 */
export function usedIn(log: string): { used: Set<string>; refused: string[]; elsewhere: string[] } {
  const used = new Set<string>();
  const refused = new Set<string>();
  const elsewhere = new Set<string>();
  for (const text of log.split('\n').filter(Boolean)) {
    const { verb, requestURI, objectRef = {}, annotations = {} } = JSON.parse(text) as AuditEvent;
    const { apiGroup = '', resource = '', subresource } = objectRef;
    const what = subresource ? `${resource}/${subresource}` : resource;
    const reason = annotations['authorization.k8s.io/reason'] ?? '';
    // RBAC: allowed by RoleBinding "x/y" of ClusterRole "z" to ServiceAccount "..."
    const [, kind, role] = / of (Role|ClusterRole) "([^"]+)" to ServiceAccount /.exec(reason) ?? [];
    if (annotations['authorization.k8s.io/decision'] !== 'allow') refused.add(`${verb} ${requestURI}`);
    else if (kind && role) used.add(line(kind, role, verb, apiGroup, what));
    else elsewhere.add(`${verb} ${requestURI}: ${reason}`);
  }
  return { used, refused: [...refused], elsewhere: [...elsewhere] };
}

function line(kind: string, role: string, verb: string, group: string, resource: string): string {
  return `${kind} ${role}: ${verb} ${group === '' ? '' : `${group}/`}${resource}`;
}
