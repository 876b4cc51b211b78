/** Asks servers, and reads the fields of their responses with a parser of RFC 9651. */

import { type Item, isInnerList, parseList } from 'structured-headers'

/** A member of a field: its name and its parameters. */
export interface Member {
  readonly name: string
  readonly [parameter: string]: unknown
}

/** The members of a list of Items whose values are Strings. @throws what is not one */
export function membersOf(field: string | null): readonly Member[] {
  if (field === null) return []
  return parseList(field).map((member) => {
    if (isInnerList(member)) throw new Error(`${field} has an inner list`)
    const [name, parameters] = member as Item
    if (typeof name !== 'string') throw new Error(`${field} has a member that is not a String`)
    return { name, ...Object.fromEntries(parameters) }
  })
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
  /** Of `RateLimit-Policy`. */
  readonly policies: readonly Member[]
  /** Of `RateLimit`. */
  readonly limits: readonly Member[]
}

/** Asks, reads everything, and checks what holds of every response. */
export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init)
  const body = await response.text()
  const { status, headers } = response
  const policies = membersOf(headers.get('RateLimit-Policy'))
  const limits = membersOf(headers.get('RateLimit'))
  const retryAfter = headers.get('Retry-After')
  for (const { t } of limits) {
    if (retryAfter !== null && t !== undefined && Number(t) > Number(retryAfter))
      throw new Error(`Retry-After ${retryAfter} is before the end of a window of ${t} s`)
  }
  return { status, headers, body, policies, limits }
}

/** Whom a request counts for in these tests. */
export const as = (user: string): RequestInit => ({ headers: { 'x-user': user } })
