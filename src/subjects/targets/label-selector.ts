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
  const requirements = Object.entries(labels).map(([key, value]) => `${checkKey(key)}=${checkValue(value)}`);
  if (requirements.length === 0) {
    throw new RangeError('the selector is empty and would match every pod: name at least one label');
  }
  return requirements.join(',');
}

function checkKey(key: string): string {
  const slash = key.indexOf('/');
  const prefix = slash === -1 ? undefined : key.slice(0, slash);
  const valid =
    keyName.test(key.slice(slash + 1)) &&
    (prefix === undefined || (prefix.length <= 253 && keyPrefix.test(prefix)));
  if (!valid) {
    throw new RangeError(
      `"${key}" is not a label key: write up to 63 letters, digits and ._-, after an optional domain and "/"`,
    );
  }
  return key;
}

function checkValue(value: string): string {
  if (!labelValue.test(value)) {
    throw new RangeError(
      `"${value}" is not a label value: write up to 63 letters, digits and ._-, the first and last a letter or digit`,
    );
  }
  return value;
}
