/** What the cookie of a framework's session says about how long it lasts, and whether data was changed apart from that. */

/** The parts of a cookie that matter here, whichever framework made it. */
export interface CookieLife {
  readonly expires?: Date | string | number | boolean | null | undefined
  readonly originalMaxAge?: number | null | undefined
}

/** How long a session with this cookie lasts without a use, ms: never longer than `idleMs`. 0 or less: it has ended. */
export function idleOf(cookie: CookieLife | null | undefined, idleMs: number): number {
  const expires = cookie?.expires
  if (expires === undefined || expires === null || typeof expires === 'boolean') return idleMs
  const at = new Date(expires).getTime()
  // Of a date that is none, nothing is known.
  return Number.isNaN(at) ? idleMs : Math.min(idleMs, at - Date.now())
}

/** The same cookie with the end that the session has by now: uses move it, and they do not write the data. */
export function cookieNow<Cookie extends CookieLife>(cookie: Cookie, leftMs: number): Cookie {
  if (typeof cookie.originalMaxAge !== 'number') return cookie
  return { ...cookie, expires: new Date(Date.now() + leftMs).toISOString() }
}

/** All of a cookie that a use does not move, as text. Frameworks count its age again with each use, a millisecond more or less. */
export function lastingCookie(cookie: CookieLife | null | undefined): string {
  if (typeof cookie !== 'object' || cookie === null) return ''
  const { originalMaxAge, ...rest } = cookie
  const seconds = typeof originalMaxAge === 'number' ? Math.round(originalMaxAge / 1_000) : null
  const moved = { expires: undefined, originalExpires: undefined }
  const lasting = Object.entries({ ...rest, ...moved, seconds })
  return JSON.stringify(lasting.filter(([, value]) => value !== undefined).sort())
}
