/** The target of a request as a key, and as the tag by which everything that is stored for it is evicted. */

import { createHash } from 'node:crypto'

/** A target that can be cached: a path, and a query. */
export interface Target {
  /** As the client sent it. */
  readonly path: string
  readonly query: readonly (readonly [name: string, value: string])[]
}

/** The longest path that is a tag as it is. */
const MOST_CHARS = 150

/** The path of a target, absolute or not, for what is to be evicted; `undefined` where it has none. */
export function pathOf(target: string): string | undefined {
  return readTarget(target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '') || '/')?.path
}

/** Takes a target apart; `undefined` for one that is not a path (`http://…`, `*`) or has what a path cannot have. */
export function readTarget(target: string): Target | undefined {
  if (!target.startsWith('/') || /[^\u0021-\u007e]/.test(target)) return undefined
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const text = mark < 0 ? '' : target.slice(mark + 1)
  if (path.includes('#') || text.includes('#')) return undefined
  const query = text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=')
      return equals < 0
        ? ([decode(pair), ''] as const)
        : ([decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))] as const)
    })
  return { path, query }
}

/**
 * The tag of everything that is stored for a path. Paths that some router takes for the same have one tag: in another case, with
 * a slash at the end, with more or less of it encoded. Evicting too much costs a render; evicting too little shows what is old.
 */
export function uriTag(path: string): string {
  const folded = foldedPath(path)
  if (folded.length <= MOST_CHARS) return `uri:${folded}`
  return `uri:#${createHash('sha256').update(folded).digest('base64url')}`
}

function foldedPath(path: string): string {
  // Bytes above 127 stay encoded: a path has them in no other way.
  const decoded = path.replaceAll(/%([0-7][0-9A-Fa-f])/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  const parts: string[] = []
  for (const part of decoded.toLowerCase().split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return `/${parts.join('/')}`
}

/** What cannot be decoded stays as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
