/** `Cache-Status` (RFC 9211): what became of a request here. The key is never said: it would tell an attacker what is keyed. */

/** Why a request went on to the handler. */
export type Forward =
  | 'bypass'
  | 'method'
  | 'uri-miss'
  | 'vary-miss'
  | 'miss'
  | 'request'
  | 'stale'
  | 'partial'

export interface CacheStatus {
  /** Absent for a hit. */
  readonly fwd?: Forward | undefined
  /** How long it is still fresh, s; below 0 where it is not. */
  readonly ttl?: number | undefined
  readonly stored?: boolean | undefined
  /** It was the answer to a request of somebody else that was on its way. */
  readonly collapsed?: boolean | undefined
  readonly detail?: string | undefined
}

/** The name under which this cache speaks. */
const CACHE_NAME = 'larder'

export function cacheStatusField(status: CacheStatus): string {
  const { fwd, ttl, stored, collapsed, detail } = status
  const parts = [CACHE_NAME, fwd === undefined ? 'hit' : `fwd=${fwd}`]
  if (ttl !== undefined) parts.push(`ttl=${Math.trunc(ttl)}`)
  if (stored === true) parts.push('stored')
  if (collapsed === true) parts.push('collapsed')
  if (detail !== undefined) parts.push(`detail=${detail}`)
  return parts.join('; ')
}
