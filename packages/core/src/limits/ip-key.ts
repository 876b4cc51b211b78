/** Who a client is, by its address. */

import { isIP } from 'node:net'
import { KeyError } from '../errors/key-error.ts'
import { assertInteger } from '../options/assert-option.ts'

const GROUPS = 8
const BITS_PER_GROUP = 16
const MAPPED = '::ffff:'

/**
 * Returns a key for the address of a client: an IPv4 address itself, an IPv6 address by its network, because a client has
 * all addresses of that to choose from. IPv4 in IPv6 clothes (`::ffff:1.2.3.4`) is IPv4.
 *
 * @param prefix - How many bits of an IPv6 address count. 32 to 128; 56 is what homes get. @default 56
 * @throws KeyError for what is no address; InvalidOptionError
 * @example limiter.consume(ipKey(request.ip)) // '2001:db8:1:2300::/56'
 */
export function ipKey(address: string, prefix = 56): string {
  assertInteger(prefix, 'ipKey.prefix', { min: 32, max: 128 })
  const [bare = ''] = address.split('%')
  const version = isIP(bare)
  if (version === 4) return bare
  if (version === 0) throw new KeyError('An IP address was expected to make a key of.')
  const lower = bare.toLowerCase()
  const ipv4 = lower.startsWith(MAPPED) ? lower.slice(MAPPED.length) : ''
  if (isIP(ipv4) === 4) return ipv4
  const groups = groupsOf(lower)
  const kept = groups.map((group, i) => group & mask(prefix - i * BITS_PER_GROUP))
  return `${kept.map((group) => group.toString(16)).join(':')}/${prefix}`
}

/** The eight numbers of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  const [before = '', after] = withoutDots(address).split('::')
  const left = before === '' ? [] : before.split(':')
  if (after === undefined) return left.map(hex)
  const right = after === '' ? [] : after.split(':')
  const gap = Array.from({ length: GROUPS - left.length - right.length }, () => '0')
  return [...left, ...gap, ...right].map(hex)
}

/** Some write the last two groups as an IPv4 address. */
function withoutDots(address: string): string {
  const start = address.lastIndexOf(':') + 1
  const parts = address.slice(start).split('.').map(Number)
  if (parts.length !== 4) return address
  const [a = 0, b = 0, c = 0, d = 0] = parts
  const group = (high: number, low: number): string => ((high << 8) | low).toString(16)
  return `${address.slice(0, start)}${group(a, b)}:${group(c, d)}`
}

function hex(group: string): number {
  return Number.parseInt(group, 16)
}

function mask(bits: number): number {
  if (bits >= BITS_PER_GROUP) return 0xffff
  return bits <= 0 ? 0 : (0xffff << (BITS_PER_GROUP - bits)) & 0xffff
}
