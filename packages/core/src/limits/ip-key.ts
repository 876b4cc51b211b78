/** A key for a client, from its address. */

import { KeyError } from '../errors/key-error.ts'
import { assertInteger } from '../options/assert-option.ts'
import { parseIp } from './ip-address.ts'

const BITS_PER_GROUP = 16
const ALL_BITS = 128
/** `64:ff9b:1::/48` is for an operator's own translators (RFC 8215): one network of it contains all of IPv4. */
const OWN_TRANSLATORS: readonly number[] = [0x64, 0xff9b, 1]

/**
 * Returns a key for the address of a client: for IPv4 the address itself, for IPv6 its network, because a client can choose
 * among all addresses of its network. IPv4 embedded in IPv6 (`::ffff:1.2.3.4`, `::ffff:102:304`, `64:ff9b::1.2.3.4`) is
 * IPv4, in every spelling; so are the tunnels of 6to4 (`2002::/16`) and Teredo (`2001::/32`), whose networks belong to an
 * IPv4 host or to all clients of a server. Behind a proxy, see `clientAddress`.
 *
 * @param prefix - How many bits of an IPv6 address count. 32 to 128; homes usually get 56. @default 56
 * @param address - As frameworks offer it: `undefined` where the client has gone already.
 * @throws KeyError for anything that is not an address; InvalidOptionError
 * @example limiter.consume(ipKey('2001:db8:1:23ab::1')) // '2001:db8:1:2300::/56'
 */
export function ipKey(address: string | undefined, prefix = 56): string {
  assertInteger(prefix, 'ipKey.prefix', { min: 32, max: ALL_BITS })
  const parsed = parseIp(address)
  if (parsed === undefined)
    throw new KeyError('The argument of ipKey is not an IP address, so no key can be made of it.')
  if (parsed.version === 4) return parsed.text
  const { groups } = parsed
  const isTranslated = OWN_TRANSLATORS.every((group, i) => group === groups[i])
  const bits = isTranslated ? ALL_BITS : prefix
  const kept = groups.map((group, i) => group & mask(bits - i * BITS_PER_GROUP))
  return `${spelled(kept)}/${bits}`
}

/** In the one spelling of RFC 5952: `::` for the longest run of at least two zeros, the first one of several. */
function spelled(groups: readonly number[]): string {
  const texts = groups.map((group) => group.toString(16))
  const { at, length } = longestRunOfZeros(groups)
  if (length < 2) return texts.join(':')
  return `${texts.slice(0, at).join(':')}::${texts.slice(at + length).join(':')}`
}

function longestRunOfZeros(groups: readonly number[]): { at: number; length: number } {
  let longest = { at: 0, length: 0 }
  let length = 0
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0
    if (length > longest.length) longest = { at: i + 1 - length, length }
  }
  return longest
}

function mask(bits: number): number {
  if (bits >= BITS_PER_GROUP) return 0xffff
  return bits <= 0 ? 0 : (0xffff << (BITS_PER_GROUP - bits)) & 0xffff
}
