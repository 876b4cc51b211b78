/** Who a client is, by its address. */

import { describe, expect, it } from 'vitest'
import { KeyError } from '../errors/key-error.ts'
import { ipKey } from './ip-key.ts'

describe('ipKey', () => {
  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::FFFF:1.2.3.4', '1.2.3.4'],
    ['2001:db8:1:23ab::1', '2001:db8:1:2300:0:0:0:0/56'],
    ['2001:DB8:1:23FF:a:b:c:d', '2001:db8:1:2300:0:0:0:0/56'],
    ['::1', '0:0:0:0:0:0:0:0/56'],
    ['::', '0:0:0:0:0:0:0:0/56'],
    ['fe80::1%eth0', 'fe80:0:0:0:0:0:0:0/56'],
    ['64:ff9b::1.2.3.4', '64:ff9b:0:0:0:0:0:0/56'],
  ])('%s → %s', (address, key) => {
    expect(ipKey(address)).toBe(key)
  })

  it('counts as many bits as it is told', () => {
    const address = '2001:db8:ffff:ffff:ffff:ffff:1.2.3.4'
    expect(ipKey(address, 32)).toBe('2001:db8:0:0:0:0:0:0/32')
    expect(ipKey(address, 65)).toBe('2001:db8:ffff:ffff:8000:0:0:0/65')
    expect(ipKey(address, 128)).toBe('2001:db8:ffff:ffff:ffff:ffff:102:304/128')
    expect(() => ipKey(address, 31)).toThrow(/ipKey\.prefix/)
  })

  it.each(['', 'example.com', '1.2.3', '1:2:3'])('refuses %o', (address) => {
    expect(() => ipKey(address)).toThrow(KeyError)
  })
})
