/** Builds the URL path of a resource; the only place that distinguishes `/api` from `/apis`. */

/** A resource by its API names; the core group is ''. */
export interface ResourceType {
  group: string;
  version: string;
  plural: string;
}

/**
 * The path of a collection, of an object (with `name`) or of its subresource.
 *
 * @example
 * resourcePath({ group: '', version: 'v1', plural: 'pods' }, { namespace: 'shop' }); // /api/v1/namespaces/shop/pods
 */
export function resourcePath(
  type: ResourceType,
  where: { namespace?: string | undefined; name?: string; subresource?: string | undefined } = {},
): string {
  const segments = type.group === '' ? ['api', type.version] : ['apis', type.group, type.version];
  if (where.namespace !== undefined) segments.push('namespaces', where.namespace);
  segments.push(type.plural);
  if (where.name !== undefined) segments.push(where.name);
  if (where.subresource !== undefined) segments.push(where.subresource);
  return `/${segments.map(encodeURIComponent).join('/')}`;
}

/** As {@link resourcePath}, of a resource of the core group. */
export function corePath(plural: string, where?: Parameters<typeof resourcePath>[1]): string {
  return resourcePath({ group: '', version: 'v1', plural }, where);
}
