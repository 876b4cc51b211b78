/** The head of a response as a handler has written it, by whichever method. */

import type { OutgoingHttpHeader, ServerResponse } from 'node:http'

/** Of node since 15.4; its types have it on requests alone. */
type WithRawNames = ServerResponse & { getRawHeaderNames?(): string[] }

/** Responses of HTTP/2, which have a stream, have no reason, and warn where they are asked. */
export function reasonOf(response: ServerResponse): string | undefined {
  return 'stream' in response ? undefined : response.statusMessage || undefined
}

export function headersOf(
  response: ServerResponse,
): readonly (readonly [string, OutgoingHttpHeader])[] {
  const names = (response as WithRawNames).getRawHeaderNames?.() ?? response.getHeaderNames()
  return names.map((name) => [name, response.getHeader(name) ?? ''] as const)
}

/** In all forms that `writeHead` takes: an object, a list of pairs, a flat list. */
export function applyHeaders(response: ServerResponse, headers: unknown): void {
  if (typeof headers !== 'object' || headers === null) return
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers))
      if (value !== undefined) response.setHeader(name, value as string)
    return
  }
  const isOfPairs = Array.isArray(headers[0])
  const flat = isOfPairs ? (headers as unknown[][]).flat() : (headers as unknown[])
  const set = new Set<string>()
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = String(flat[i])
    // Those of the list replace what was set; among themselves they add up.
    if (set.has(name.toLowerCase())) response.appendHeader(name, flat[i + 1] as string)
    else response.setHeader(name, flat[i + 1] as string)
    set.add(name.toLowerCase())
  }
}
