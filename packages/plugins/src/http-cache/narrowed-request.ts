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

/** Returns a function that brings everything back. */
export function narrow(request: IncomingMessage, fields: ReadonlyMap<string, string>): () => void {
  const { headers } = request
  const names = new Set(cookieNames(fields.get('cookie')))
  const parsed = request as WithCookies
  const { cookies, signedCookies } = parsed
  request.headers = Object.fromEntries(fields)
  if (isRecord(cookies)) parsed.cookies = only(cookies, names)
  if (isRecord(signedCookies)) parsed.signedCookies = only(signedCookies, names)
  return () => {
    request.headers = headers
    if (isRecord(cookies)) parsed.cookies = cookies
    if (isRecord(signedCookies)) parsed.signedCookies = signedCookies
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
