/** IP addresses by their bits: one address has many spellings, and an IPv6 address can contain an IPv4 address in several ways. */

import { isIP } from 'node:net'

const GROUPS = 8

/** A parsed address: an IPv4 text, or the eight numbers of an IPv6 address. */
export type IpAddress =
  | { readonly version: 4; readonly text: string }
  | { readonly version: 6; readonly groups: readonly number[] }

/** IPv6 addresses that begin like this stand for an IPv4 address. */
interface Embedding {
  readonly prefix: readonly number[]
  /** The group that the IPv4 address begins with. */
  readonly at: number
  /** Its bits are inverted. */
  readonly isInverted?: boolean
}

const EMBEDDINGS: readonly Embedding[] = [
  // Mapped: `::ffff:1.2.3.4`.
  { prefix: [0, 0, 0, 0, 0, 0xffff], at: 6 },
  // Translated: `::ffff:0:1.2.3.4`.
  { prefix: [0, 0, 0, 0, 0xffff, 0], at: 6 },
  // The well-known prefix of NAT64: `64:ff9b::1.2.3.4`.
  { prefix: [0x64, 0xff9b, 0, 0, 0, 0], at: 6 },
  // 6to4 (RFC 3056): the owner of 1.2.3.4 has all of `2002:102:304::/48`.
  { prefix: [0x2002], at: 1 },
  // Teredo (RFC 4380): server, flags and port are the client's choice, and its IPv4 address stands at the end.
  { prefix: [0x2001, 0], at: 6, isInverted: true },
]

/** Returns undefined for anything that is not an address. IPv4 embedded in IPv6, tunnels too, is IPv4; a zone (`fe80::1%eth0`) is left out. */
export function parseIp(address: unknown): IpAddress | undefined {
  if (typeof address !== 'string') return undefined
  const [bare = '', ...zone] = address.split('%')
  if (zone.length > 1) return undefined
  const version = isIP(bare)
  if (version === 0 || (version === 4 && zone.length > 0)) return undefined
  if (version === 4) return { version, text: bare }
  const groups = groupsOf(bare)
  const text = ipv4In(groups)
  return text === undefined ? { version: 6, groups } : { version: 4, text }
}

/** The IPv4 address that an IPv6 address stands for, if it does. */
function ipv4In(groups: readonly number[]): string | undefined {
  const worn = EMBEDDINGS.find(({ prefix }) => prefix.every((group, i) => group === groups[i]))
  if (worn !== undefined) return asIpv4(groups.slice(worn.at, worn.at + 2), worn.isInverted)
  // `::1.2.3.4`, which is deprecated; `::` and `::1` mean something else.
  const [high = 0, ...low] = groups.slice(GROUPS - 2)
  const isZero = groups.slice(0, GROUPS - 2).every((group) => group === 0)
  return isZero && high !== 0 ? asIpv4([high, ...low]) : undefined
}

function asIpv4(groups: readonly number[], isInverted = false): string {
  return groups
    .map((group) => (isInverted ? group ^ 0xffff : group))
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.')
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

/** The last two groups may be written as an IPv4 address. */
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
