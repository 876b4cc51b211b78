/**
 * Lets a handler see those fields of a request that the key covers, and no others, while it makes a response that others get.
 * What was read from fields before, such as `req.user`, it still sees.
 */

import type { IncomingMessage } from 'node:http'

/** Parsed cookies, where something has parsed them. */
interface WithCookies {
  cookies?: unknown
  signedCookies?: unknown
}

/** Returns a function that brings everything back. `holders`: what may have parsed cookies, such as the request of a framework. */
export function narrow(
  request: IncomingMessage,
  fields: ReadonlyMap<string, string>,
  holders: ReadonlySet<object>,
): () => void {
  const names = new Set(cookieNames(fields.get('cookie')))
  const lines = [...fields]
  const undo = [
    // Defined, and not set: requests of HTTP/2 do not let them be set.
    put(request, 'headers', Object.fromEntries(lines)),
    put(request, 'headersDistinct', Object.fromEntries(lines.map(([name, v]) => [name, [v]]))),
    put(request, 'rawHeaders', lines.flat()),
  ]
  for (const holder of holders) {
    const parsed = holder as WithCookies
    for (const name of ['cookies', 'signedCookies'] as const) {
      const all = parsed[name]
      if (isRecord(all)) undo.push(put(parsed, name, only(all, names)))
    }
  }
  return () => {
    for (const bringBack of undo) bringBack()
  }
}

function put(target: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(target, name)
  Object.defineProperty(target, name, {
    value,
    writable: true,
    configurable: true,
    enumerable: true,
  })
  return () => {
    if (before !== undefined) Object.defineProperty(target, name, before)
    else delete (target as Record<string, unknown>)[name]
  }
}

function cookieNames(field: string | undefined): readonly string[] {
  return (field ?? '').split(';').map((pair) => pair.split('=', 1)[0]?.trim() ?? '')
}

function only(
  record: Readonly<Record<string, unknown>>,
  names: ReadonlySet<string>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => names.has(name)))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
