/**
 * Formats labels for a query to the API server, which compares them. Labels are refused if they could have another
 * meaning in that format (a comma in a value would begin another requirement).
 */

// Syntax of labels: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
const keyPrefix = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const keyName = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;

/**
 * The value of the query parameter `labelSelector` for objects that have all of these labels.
 *
 * @throws RangeError if there is none, or for an invalid key or value; the message states what to write
 * @example formatLabelSelector({ app: 'limiter' }) // 'app=limiter'
 */
export function formatLabelSelector(labels: Readonly<Record<string, string>>): string {
  const requirements = Object.entries(labels).map(([key, value]) => {
    check(
      isKey(key),
      `"${key}" is not a label key: write up to 63 letters, digits and ._-, after an optional domain and "/"`,
    );
    check(
      labelValue.test(value),
      `"${value}" is not a label value: write up to 63 letters, digits and ._-, the first and last a letter or digit`,
    );
    return `${key}=${value}`;
  });
  check(requirements.length > 0, 'the selector is empty and would match every pod: name at least one label');
  return requirements.join(',');
}

function check(is: boolean, problem: string): void {
  if (!is) throw new RangeError(problem);
}

function isKey(key: string): boolean {
  const slash = key.indexOf('/');
  const isPrefix = slash === -1 || (slash <= 253 && keyPrefix.test(key.slice(0, slash)));
  return isPrefix && keyName.test(key.slice(slash + 1));
}
