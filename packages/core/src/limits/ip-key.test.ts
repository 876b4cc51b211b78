/** Who a client is, by its address. */

import { describe, expect, it } from 'vitest'
import { KeyError } from '../errors/key-error.ts'
import { ipKey } from './ip-key.ts'

describe('ipKey', () => {
  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['2001:db8:1:23ab::1', '2001:db8:1:2300::/56'],
    ['2001:DB8:1:23FF:a:b:c:d', '2001:db8:1:2300::/56'],
    ['::1', '::/56'],
    ['::', '::/56'],
    ['fe80::1%eth0', 'fe80::/56'],
    ['2001:1::1', '2001:1::/56'],
    ['2003:102:304::1', '2003:102:304::/56'],
  ])('%s → %s', (address, key) => {
    expect(ipKey(address)).toBe(key)
  })

  it.each([
    '::ffff:1.2.3.4',
    '::FFFF:1.2.3.4',
    '::ffff:102:304',
    '::ffff:0102:0304',
    '0:0::ffff:102:304',
    '0:0:0:0:0:ffff:1.2.3.4',
    '0000:0000:0000:0000:0000:ffff:0102:0304',
    '::ffff:1.2.3.4%eth0',
    '::ffff:0:1.2.3.4',
    '0::ffff:0:102:304',
    '64:ff9b::1.2.3.4',
    '64:FF9B::102:304',
    '0064:ff9b:0:0:0:0:102:304',
    '::1.2.3.4',
    '::102:304',
  ])('IPv4 embedded in IPv6 is IPv4: %s', (address) => {
    expect(ipKey(address)).toBe('1.2.3.4')
  })

  it.each([
    ['::ffff:255.255.255.255', '255.255.255.255'],
    ['::ffff:0.0.0.0', '0.0.0.0'],
    ['64:ff9b::ffff:ffff', '255.255.255.255'],
  ])('with all bits of it: %s → %s', (address, key) => {
    expect(ipKey(address)).toBe(key)
  })

  it.each([
    ['6to4', '2002:102:304::1'],
    ['6to4', '2002:102:304:ffff::1'],
    ['6to4', '2002:0102:0304:100:a:b:c:d'],
    ['Teredo', '2001::fefd:fcfb'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:fefd:fcfb'],
    ['Teredo, by another server and port', '2001:0:5ef5:79fb:0:1:fefd:fcfb'],
  ])('who tunnels by %s is one client, whatever network it chooses: %s', (_, address) => {
    for (const prefix of [32, 56, 64, 128]) expect(ipKey(address, prefix)).toBe('1.2.3.4')
  })

  it('keeps clients apart who tunnel by one Teredo server', () => {
    const clients = ['fefd:fcfb', 'fefd:fcfa'].map((end) => `2001:0:4136:e378:8000:63bf:${end}`)
    expect(clients.map((address) => ipKey(address))).toEqual(['1.2.3.4', '1.2.3.5'])
  })

  it('keeps clients apart who come through a translator of your own', () => {
    const keys = ['64:ff9b:1::1.2.3.4', '64:ff9b:1::9.9.9.9'].map((address) => ipKey(address))
    expect(keys).toEqual(['64:ff9b:1::102:304/128', '64:ff9b:1::909:909/128'])
  })

  it('spells a network in one way: the longest run of zeros is left out, the first of two', () => {
    expect(ipKey('1:0:0:2:0:0:0:3', 128)).toBe('1:0:0:2::3/128')
    expect(ipKey('1:0:0:2:3:0:0:4', 128)).toBe('1::2:3:0:0:4/128')
    expect(ipKey('1:0:2:3:4:5:6:7', 128)).toBe('1:0:2:3:4:5:6:7/128')
  })

  it('counts as many bits as it is told', () => {
    const address = '2001:db8:ffff:ffff:ffff:ffff:1.2.3.4'
    expect(ipKey(address, 32)).toBe('2001:db8::/32')
    expect(ipKey(address, 65)).toBe('2001:db8:ffff:ffff:8000::/65')
    expect(ipKey(address, 128)).toBe('2001:db8:ffff:ffff:ffff:ffff:102:304/128')
    expect(() => ipKey(address, 31)).toThrow(/ipKey\.prefix/)
  })

  it.each([
    '',
    'example.com',
    '1.2.3',
    '1:2:3',
    '01.2.3.4',
    '1.2.3.4%x',
    '1.2.3.4:80',
    '[::1]',
    'fe80::1%a%b',
    ' 1.2.3.4',
    null,
    undefined,
    5,
    ['1.2.3.4'],
  ])('refuses %o', (address) => {
    expect(() => ipKey(address as string)).toThrow(KeyError)
  })
})
