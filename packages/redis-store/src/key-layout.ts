/**
 * Every Redis key and channel this store uses. The hash tag comes first, so that a script's keys share a slot and no
 * namespace's keys begin with another's.
 */

/** An entry: `{shop:12}:products:42`. */
export function entryKey(namespace: string, partition: number, key: string): string {
  return `{${namespace}:${partition}}:${key}`
}

/** Head and log of a partition: `{shop:12}`. */
export function logKey(namespace: string, partition: number): string {
  return `{${namespace}:${partition}}`
}

/** The tag clock: `{shop:tags}`. */
export function tagsKey(namespace: string): string {
  return `{${namespace}:tags}`
}

/** The channel of invalidations and wake-ups: `shop:bus`. */
export function channelName(namespace: string): string {
  return `${namespace}:bus`
}

/** A SCAN pattern for the entries of all partitions whose full key begins with `prefix`. */
export function entryPattern(namespace: string, prefix: string): string {
  return `{${escapeGlob(namespace)}:*}:${escapeGlob(prefix)}*`
}

/** The full key of an entry key, or `undefined` for other keys. */
export function fullKeyOf(namespace: string, entry: string): string | undefined {
  const end = entry.indexOf('}:')
  return end > 0 && entry.startsWith(`{${namespace}:`) ? entry.slice(end + 2) : undefined
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, (char) => `\\${char}`)
}
