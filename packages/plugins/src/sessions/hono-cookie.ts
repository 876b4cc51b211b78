/** The cookie of a session in Hono: its options, signed and read by Hono's own helpers. */

import { InvalidOptionError } from '@larder/core'
import {
  assertBoolean,
  assertInteger,
  assertKnownOptions,
  assertOneOf,
  optionNames,
} from '@larder/core/store'
import type { Context } from 'hono'
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie'

export interface SessionCookieOptions {
  /** What the cookie is called. @default '__Host-sid', which browsers take over HTTPS only, for the whole host, and from no other host */
  readonly name?: string | undefined
  /** Over HTTPS only. @default true; false for development without HTTPS, with a name that does not begin with `__Host-` */
  readonly secure?: boolean | undefined
  /** Whether it is sent with requests that other sites cause. @default 'Lax' */
  readonly sameSite?: 'Strict' | 'Lax' | 'None' | undefined
  /** Below which path it is sent. @default '/' */
  readonly path?: string | undefined
  /** To which hosts it is sent. @default the host that answers, and no other */
  readonly domain?: string | undefined
  /** How long the browser keeps it after each answer, seconds. 1 to 34 560 000. @default until the browser is closed */
  readonly maxAge?: number | undefined
}

const NAMES = optionNames<SessionCookieOptions>({
  name: true,
  secure: true,
  sameSite: true,
  path: true,
  domain: true,
  maxAge: true,
})
const DEFAULTS = { name: '__Host-sid', secure: true, sameSite: 'Lax', path: '/' } as const
const MOST_SECONDS = 34_560_000
const LEAST_SECRET = 16
const COOKIE_NAME = /^[\w!#$%&'*.^`|~+-]{1,64}$/

export class SessionCookie {
  readonly #name: string
  readonly #options: Omit<SessionCookieOptions, 'name'>
  readonly #secrets: readonly [string, ...string[]]

  /** @throws InvalidOptionError */
  constructor(options: SessionCookieOptions, secrets: readonly string[], where: string) {
    assertKnownOptions(options, NAMES, `${where}.cookie`)
    const { name = DEFAULTS.name, ...given } = options
    const rest = { ...DEFAULTS, ...given }
    const refuse = (option: string, expected: string, received: unknown): never => {
      throw new InvalidOptionError({ option: `${where}.${option}`, expected, received })
    }
    if (typeof name !== 'string' || !COOKIE_NAME.test(name))
      refuse('cookie.name', 'a name that cookies may have', name)
    assertBoolean(rest.secure, `${where}.cookie.secure`)
    assertOneOf(rest.sameSite, ['Strict', 'Lax', 'None'], `${where}.cookie.sameSite`)
    if (rest.maxAge !== undefined)
      assertInteger(rest.maxAge, `${where}.cookie.maxAge`, { min: 1, max: MOST_SECONDS })
    for (const part of ['path', 'domain'] as const) {
      const value = rest[part]
      const isFine = value === undefined || (typeof value === 'string' && /^[^;\r\n]+$/.test(value))
      if (!isFine) refuse(`cookie.${part}`, 'a text without semicolons and line ends', value)
    }
    const isHostOnly = rest.secure && rest.path === '/' && rest.domain === undefined
    if (/^__host-/i.test(name) && !isHostOnly)
      refuse('cookie.name', 'another name: __Host- takes secure, the path / and no domain', name)
    if (/^__secure-/i.test(name) && !rest.secure)
      refuse('cookie.name', 'another name: __Secure- takes secure', name)
    if (rest.sameSite === 'None' && !rest.secure)
      refuse('cookie.sameSite', "another value than 'None' where secure is false", rest.sameSite)
    this.#name = name
    this.#options = rest
    this.#secrets = secretsOf(secrets, `${where}.secrets`)
  }

  /** The id that a request came with, if one of the secrets has signed it. */
  async read(c: Context): Promise<string | undefined> {
    for (const secret of this.#secrets) {
      const id = await getSignedCookie(c, secret, this.#name)
      if (typeof id === 'string') return id
      if (id === undefined) return undefined
    }
    return undefined
  }

  /** True where the browser is told again with each answer how long to keep it. */
  get isRolling(): boolean {
    return this.#options.maxAge !== undefined
  }

  async write(c: Context, id: string): Promise<void> {
    await setSignedCookie(c, this.#name, id, this.#secrets[0], this.#attributes)
  }

  remove(c: Context): void {
    const { maxAge: _, ...attributes } = this.#attributes
    deleteCookie(c, this.#name, attributes)
  }

  get #attributes() {
    const { secure, sameSite, path, domain, maxAge } = this.#options
    return {
      httpOnly: true,
      ...(secure === undefined ? {} : { secure }),
      ...(sameSite === undefined ? {} : { sameSite }),
      ...(path === undefined ? {} : { path }),
      ...(domain === undefined ? {} : { domain }),
      ...(maxAge === undefined ? {} : { maxAge }),
    }
  }
}

function secretsOf(secrets: unknown, option: string): readonly [string, ...string[]] {
  const isFine =
    Array.isArray(secrets) &&
    secrets.length > 0 &&
    secrets.every((secret) => typeof secret === 'string' && secret.length >= LEAST_SECRET)
  if (isFine) return secrets as unknown as readonly [string, ...string[]]
  const expected = `a list of texts of at least ${LEAST_SECRET} characters: the first one signs, all are read`
  const described = Array.isArray(secrets) ? `a list of ${secrets.length}` : typeof secrets
  throw new InvalidOptionError({ option, expected, received: undefined, described })
}
