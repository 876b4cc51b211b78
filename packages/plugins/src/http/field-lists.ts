/** The fields of a decision beside those that a response has already: lists are appended to, and what can be said once is the strictest. */

/** Reads a field of a response; undefined where it has none. */
export type ReadField = (name: string) => string | undefined

/** Fields by name. */
export type Fields = Readonly<Record<string, string>>

const MS_PER_SECOND = 1_000
/** A text in quotes, whatever it holds, or an effective window. */
const WINDOW = /"(?:[^"\\]|\\.)*"|;t=(\d+)/g
const NAME = /"((?:[^"\\]|\\.)*)"\s*;\s*q=/g

/** Returns the fields that a response should have after those it has, and those of limiters, in their order. */
export function appendFields(read: ReadField, own: readonly Fields[]): Fields {
  const said = (name: string): readonly string[] =>
    [read(name), ...own.map((fields) => fields[name])].filter((text) => text !== undefined)
  const result: Record<string, string> = {}
  const policies = said('RateLimit-Policy')
  if (policies.length > 0) result['RateLimit-Policy'] = policies.join(', ')
  const retryAfter = latest(said('Retry-After'))
  if (retryAfter !== undefined) result['Retry-After'] = retryAfter.text
  const limits = said('RateLimit').join(', ')
  if (limits !== '') result['RateLimit'] = withinWindow(limits, retryAfter?.seconds)
  return { ...result, ...tightestLegacy(read, own) }
}

/** The names of policies in a field `RateLimit-Policy`. */
export function policyNamesIn(field: string | undefined): readonly string[] {
  return Array.from((field ?? '').matchAll(NAME), ([, name = '']) => name)
}

/** `Retry-After` must not be earlier than the end of a window, so windows of other limiters that end later are left out. */
function withinWindow(limits: string, retryAfter: number | undefined): string {
  if (retryAfter === undefined) return limits
  return limits.replaceAll(WINDOW, (text, seconds: string | undefined) =>
    seconds !== undefined && Number(seconds) > retryAfter ? '' : text,
  )
}

/** The latest of some values of `Retry-After`, each a number of seconds or a date. */
function latest(texts: readonly string[]): { text: string; seconds: number } | undefined {
  let found: { text: string; seconds: number } | undefined
  for (const text of texts) {
    const seconds = /^\d+$/.test(text)
      ? Number(text)
      : Math.ceil((Date.parse(text) - Date.now()) / MS_PER_SECOND)
    if (found === undefined || seconds > found.seconds) found = { text, seconds }
  }
  return found
}

const LEGACY = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'] as const

/** These can be said once: of the limit with the smallest part left. */
function tightestLegacy(read: ReadField, own: readonly Fields[]): Fields {
  const before = Object.fromEntries(LEGACY.map((name) => [name, read(name)] as const))
  let tightest: Readonly<Record<string, string | undefined>> = before
  for (const fields of own) {
    if (fields[LEGACY[0]] === undefined || partLeft(fields) > partLeft(tightest)) continue
    tightest = fields
  }
  if (tightest === before) return {}
  return Object.fromEntries(LEGACY.map((name) => [name, tightest[name] ?? '']))
}

function partLeft(fields: Readonly<Record<string, string | undefined>>): number {
  const limit = fields[LEGACY[0]]
  if (limit === undefined) return Number.POSITIVE_INFINITY
  return Number(fields[LEGACY[1]]) / (Number(limit) || 1)
}
