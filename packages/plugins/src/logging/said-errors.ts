/** What lines have of an error and of a key: nothing that may be secret, unless an option asks for it. */

import { createHash } from 'node:crypto'

/** As pino's serializer prints errors. */
export interface SaidError {
  readonly type: string
  readonly code?: string | number
  readonly message?: string
}

const LONGEST = 400
const CREDENTIALS = /(\/\/)[^/\s@]*@/g
const HASH_LENGTH = 16

/** Text for people: one line of limited length, without the credentials of URLs. */
export function inOneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').replace(CREDENTIALS, '$1…@')
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line
}

export function saidError(error: unknown, hasMessage: boolean): SaidError {
  if (!(error instanceof Error)) return { type: error === null ? 'null' : typeof error }
  const { code } = error as { readonly code?: unknown }
  return {
    type: error.name,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(hasMessage ? { message: inOneLine(error.message) } : {}),
  }
}

/** The same key of a namespace has the same hash; in another namespace it has another one. */
export function hashOf(namespace: string, key: string): string {
  return createHash('sha256').update(`${namespace}\0${key}`).digest('hex').slice(0, HASH_LENGTH)
}
