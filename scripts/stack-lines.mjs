/**
 * Part of each bundle: makes stack traces name lines of our files, also those that Node
 * prints when a program crashes. Node's own --enable-source-maps keeps text and map
 * of a bundle in memory from the start; here the map is read when a stack is, and
 * forgotten soon after.
 */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Errors come in bursts; reading the map takes a few milliseconds. */
const KEEP_MS = 1000;

const places = new RegExp(`${RegExp.escape(import.meta.url)}:(\\d+):(\\d+)`, 'g');
let map;

Error.prepareStackTrace = (error, sites) => {
  const stack = [
    Error.prototype.toString.call(error),
    ...sites.map(String).map((site) => `    at ${site}`),
  ].join('\n');
  try {
    return stack.replaceAll(places, (place, line, column) => sourceOf(Number(line), Number(column)) ?? place);
  } catch {
    // A trace that names the bundle is better than none.
    return stack;
  }
};

/** `src/operator/main.ts:87:13`; undefined for what is of a dependency. */
function sourceOf(line, column) {
  const { fileName, lineNumber, columnNumber } = loadMap().findOrigin(line, column);
  if (fileName === undefined || fileName.includes('node_modules/')) return undefined;
  return `${fileName.replace(/^(\.\.\/)+/, '')}:${lineNumber}:${columnNumber}`;
}

function loadMap() {
  if (map === undefined) {
    map = new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(import.meta.url)}.map`, 'utf8')));
    setTimeout(() => (map = undefined), KEEP_MS).unref();
  }
  return map;
}
