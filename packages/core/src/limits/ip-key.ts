/** Who a client is, by its address. */

import { KeyError } from '../errors/key-error.ts'
import { assertInteger } from '../options/assert-option.ts'
import { parseIp } from './ip-address.ts'

const BITS_PER_GROUP = 16
const ALL_BITS = 128
/** `64:ff9b:1::/48` is for translators of one's own (RFC 8215): all of IPv4 is behind one network of it. */
const OWN_TRANSLATORS: readonly number[] = [0x64, 0xff9b, 1]

/**
 * Returns a key for the address of a client: an IPv4 address itself, an IPv6 address by its network, because a client has
 * all addresses of that to choose from. IPv4 in IPv6 clothes (`::ffff:1.2.3.4`, `::ffff:102:304`, `64:ff9b::1.2.3.4`) is
 * IPv4, in every spelling; so are the tunnels of 6to4 (`2002::/16`) and Teredo (`2001::/32`), whose networks belong to an
 * IPv4 host or to all clients of a server. Behind a proxy, see `clientAddress`.
 *
 * @param prefix - How many bits of an IPv6 address count. 32 to 128; 56 is what homes get. @default 56
 * @throws KeyError for what is no address; InvalidOptionError
 * @example limiter.consume(ipKey('2001:db8:1:23ab::1')) // '2001:db8:1:2300:0:0:0:0/56'
 */
export function ipKey(address: string, prefix = 56): string {
  assertInteger(prefix, 'ipKey.prefix', { min: 32, max: ALL_BITS })
  const parsed = parseIp(address)
  if (parsed === undefined) throw new KeyError('An IP address was expected to make a key of.')
  if (parsed.version === 4) return parsed.text
  const { groups } = parsed
  const isTranslated = OWN_TRANSLATORS.every((group, i) => group === groups[i])
  const bits = isTranslated ? ALL_BITS : prefix
  const kept = groups.map((group, i) => group & mask(bits - i * BITS_PER_GROUP))
  return `${kept.map((group) => group.toString(16)).join(':')}/${bits}`
}

function mask(bits: number): number {
  if (bits >= BITS_PER_GROUP) return 0xffff
  return bits <= 0 ? 0 : (0xffff << (BITS_PER_GROUP - bits)) & 0xffff
}
