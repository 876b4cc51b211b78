/** The fields of a message: names as they were written, in their order, one line each. */

/** Name and value of each line. */
export type FieldLines = readonly (readonly [name: string, value: string])[]

/** The values of a field, one for each line. */
export function linesOf(fields: FieldLines, name: string): readonly string[] {
  const lower = name.toLowerCase()
  const found: string[] = []
  for (const [each, value] of fields) if (each.toLowerCase() === lower) found.push(value)
  return found
}

/** The value of a field, its lines joined; `undefined` where there is none. */
export function fieldValue(fields: FieldLines, name: string): string | undefined {
  const lines = linesOf(fields, name)
  return lines.length === 0 ? undefined : lines.join(', ')
}

/** The members of a field that is a plain list, such as `Vary` or `Connection`, in lower case. */
export function membersOf(fields: FieldLines, name: string): readonly string[] {
  return (fieldValue(fields, name) ?? '')
    .split(',')
    .map((member) => member.trim().toLowerCase())
    .filter((member) => member !== '')
}

/** Fields that belong to one connection (RFC 9110, 7.6.1), beside those that `Connection` names. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What a cache writes itself each time. */
const OWN = new Set(['age', 'cache-status', 'content-length'])

/** A line break, or what is none to us and may be one to somebody else: such a field could end the head of a response. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const BREAKS = /[\u0000-\u0008\u000a-\u001f\u007f]/
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Tells whether each field could be written as one line, and nothing else. */
export function areSound(fields: FieldLines): boolean {
  return fields.every(([name, value]) => NAME.test(name) && !BREAKS.test(value) && isLatin(value))
}

/** Fields as they are stored: without those of the connection, of the cache, and those named. */
export function storable(fields: FieldLines, without: ReadonlySet<string>): FieldLines {
  const named = new Set(membersOf(fields, 'connection'))
  return fields.filter(([name]) => {
    const lower = name.toLowerCase()
    return !HOP_BY_HOP.has(lower) && !OWN.has(lower) && !named.has(lower) && !without.has(lower)
  })
}

function isLatin(value: string): boolean {
  for (let i = 0; i < value.length; i += 1) if (value.charCodeAt(i) > 255) return false
  return true
}
