/** IP addresses by their bits: one address has many spellings, and IPv4 comes in several kinds of IPv6 clothes. */

import { isIP } from 'node:net'

const GROUPS = 8

/** An address that was understood: an IPv4 text, or the eight numbers of an IPv6 address. */
export type IpAddress =
  | { readonly version: 4; readonly text: string }
  | { readonly version: 6; readonly groups: readonly number[] }

/**
 * Where an IPv4 address stands in the last two groups: mapped (`::ffff:1.2.3.4`), translated (`::ffff:0:1.2.3.4`) and by the
 * well-known NAT64 prefix (`64:ff9b::1.2.3.4`).
 */
const CLOTHES: readonly (readonly number[])[] = [
  [0, 0, 0, 0, 0, 0xffff],
  [0, 0, 0, 0, 0xffff, 0],
  [0x64, 0xff9b, 0, 0, 0, 0],
]

/** Returns undefined for what is no address. IPv4 in IPv6 clothes is IPv4; a zone (`fe80::1%eth0`) is left out. */
export function parseIp(address: unknown): IpAddress | undefined {
  if (typeof address !== 'string') return undefined
  const [bare = '', ...zone] = address.split('%')
  if (zone.length > 1) return undefined
  const version = isIP(bare)
  if (version === 0 || (version === 4 && zone.length > 0)) return undefined
  if (version === 4) return { version, text: bare }
  const groups = groupsOf(bare)
  return isIpv4(groups) ? { version: 4, text: lastAsIpv4(groups) } : { version: 6, groups }
}

function isIpv4(groups: readonly number[]): boolean {
  if (CLOTHES.some((prefix) => prefix.every((group, i) => group === groups[i]))) return true
  // `::1.2.3.4`, which nobody should write any more; `::` and `::1` are something else.
  return groups.slice(0, GROUPS - 2).every((group) => group === 0) && groups[GROUPS - 2] !== 0
}

function lastAsIpv4(groups: readonly number[]): string {
  return groups
    .slice(-2)
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
