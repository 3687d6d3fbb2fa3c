/** What expressions of PromQL are about. Whether they are expressions at all, promtool says. */

/** Words of the language that stand where a metric could. */
const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan', 'atan2']);

/** Clauses with labels in parentheses. */
const CLAUSE = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g;

/**
 * The metrics that an expression names; of a histogram the series as it stands there. Every word counts that is
 * no function, label, value, duration or word of the language, so that a misspelt metric is found as well.
 */
export function metricsIn(expression: string): string[] {
  const bare = expression
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '')
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replaceAll(CLAUSE, ' ')
    // A function, or an aggregation, whose clause stood before its parenthesis.
    .replaceAll(/\b[a-zA-Z_]\w*\s*\(/g, '(');
  const words = bare.match(/(?<![\w.:])[a-zA-Z_:][\w:]*/g) ?? [];
  return [...new Set(words)].filter((word) => !WORDS.has(word.toLowerCase()));
}
