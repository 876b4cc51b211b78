/** The address of a client behind proxies, whatever the client writes into the headers. */

import { describe, expect, it } from 'vitest'
import { KeyError } from '../errors/key-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { clientAddress, type RequestLike } from './client-address.ts'

const CLIENT = '203.0.113.7'
const PROXY = '10.0.0.1'

const requestOf = (
  headers: Record<string, string | string[] | undefined>,
  remoteAddress: string | undefined = PROXY,
): RequestLike => ({ headers, socket: { remoteAddress } })

const xff = (value: string | string[], proxies = 1): string =>
  clientAddress(requestOf({ 'x-forwarded-for': value }), { proxies })

const forwarded = (value: string, proxies = 1): string =>
  clientAddress(requestOf({ forwarded: value }), { proxies, header: 'forwarded' })

describe('x-forwarded-for', () => {
  it.each([
    ['what the only proxy appended', CLIENT],
    ['not what the client wrote before', `6.6.6.6, ${CLIENT}`],
    ['whatever that was', `unknown,, "6.6.6.6, ;for= ,${CLIENT}`],
    ['with a port', `${CLIENT}:4711`],
    ['in one of several lines', ['6.6.6.6', CLIENT]],
  ])('is %s', (_, value) => {
    expect(xff(value)).toBe(CLIENT)
  })

  it('counts several proxies from the end', () => {
    expect(xff(`6.6.6.6, ${CLIENT}, 10.0.0.2`, 2)).toBe(CLIENT)
    expect(xff(`6.6.6.6, 7.7.7.7, ${CLIENT}, 10.0.0.3, 10.0.0.2`, 3)).toBe(CLIENT)
  })

  it('that came around the outer proxies is as good as the first one trusted', () => {
    expect(xff(CLIENT, 3)).toBe(CLIENT)
    expect(clientAddress(requestOf({}, CLIENT), { proxies: 2 })).toBe(CLIENT)
  })

  it('takes IPv6, in brackets and with a port too', () => {
    for (const value of ['2001:db8::1', '[2001:db8::1]', '[2001:db8::1]:80'])
      expect(xff(value)).toBe('2001:db8::1')
  })

  it('without an address where one is due is who wrote it', () => {
    expect(xff('unknown')).toBe(PROXY)
    expect(xff('6.6.6.6, unknown, 10.0.0.2', 2)).toBe('10.0.0.2')
  })

  it('is not looked at without proxies, nor for the other header', () => {
    expect(xff('6.6.6.6', 0)).toBe(PROXY)
    expect(
      clientAddress(requestOf({ forwarded: 'for=6.6.6.6', 'x-forwarded-for': CLIENT }), {
        proxies: 1,
      }),
    ).toBe(CLIENT)
    expect(
      clientAddress(requestOf({ 'x-forwarded-for': '6.6.6.6', forwarded: `for=${CLIENT}` }), {
        proxies: 1,
        header: 'forwarded',
      }),
    ).toBe(CLIENT)
  })
})

describe('forwarded', () => {
  it.each([
    ['plain', `for=${CLIENT}`],
    ['with a port, in quotes', `for="${CLIENT}:4711"`],
    ['among others', `by=10.0.0.1;for=${CLIENT};proto=https`],
    ['with spaces, in any case', ` For = ${CLIENT} ; host="a,b"`],
    ['behind what the client wrote', `for=6.6.6.6, for=${CLIENT}`],
    ['behind quotes that the client did not close', `for="6.6.6.6, for=${CLIENT}`],
    ['behind a host that the client chose', `host="x;for=6.6.6.6;y";for=${CLIENT}`],
    ['behind a host with quotes in it', `host="x\\";for=6.6.6.6;y=\\"";for=${CLIENT}`],
    ['before a host with quotes and commas in it', `for=${CLIENT};host="x\\", for=6.6.6.6"`],
    ['with a port that its proxy made up', `for="${CLIENT}:_p0rt"`],
    ['with escapes that it does not need', `for="2\\${CLIENT.slice(1)}"`],
    ['behind quotes of the client that hide commas', `for="6.6.6.6, for=7.7.7.7", for=${CLIENT}`],
  ])('%s', (_, value) => {
    expect(forwarded(value)).toBe(CLIENT)
  })

  it('counts several proxies from the end', () => {
    expect(forwarded(`for=6.6.6.6, for=${CLIENT};host="x,y", for="[2001:db8::2]"`, 2)).toBe(CLIENT)
  })

  it('takes IPv6 as it is written there', () => {
    expect(forwarded('for="[2001:db8:cafe::17]:4711"')).toBe('2001:db8:cafe::17')
  })

  it.each(['for=unknown', 'for=_hidden', 'proto=https', 'xfor=6.6.6.6', ''])(
    'without an address is who wrote it: %o',
    (value) => {
      expect(forwarded(value)).toBe(PROXY)
    },
  )
})

describe('a request', () => {
  it('may be one of fetch', () => {
    const headers = new Headers({ 'X-Forwarded-For': CLIENT })
    expect(clientAddress({ headers }, { proxies: 1 })).toBe(CLIENT)
  })

  it('may keep the case of its headers', () => {
    expect(clientAddress(requestOf({ 'X-Forwarded-For': CLIENT }), { proxies: 1 })).toBe(CLIENT)
  })

  it('with one header in two spellings has both, in their order', () => {
    const headers = { 'X-FORWARDED-FOR': '6.6.6.6', 'x-forwarded-for': CLIENT }
    expect(clientAddress(requestOf(headers), { proxies: 1 })).toBe(CLIENT)
    expect(clientAddress(requestOf(headers), { proxies: 2 })).toBe('6.6.6.6')
  })

  it('whose connection is gone has no address', () => {
    const gone = { headers: {}, socket: { remoteAddress: undefined } }
    expect(() => clientAddress(gone, { proxies: 1 })).toThrow(KeyError)
  })

  it.each([
    [{}, /clientAddress\.proxies/],
    [{ proxies: -1 }, /clientAddress\.proxies/],
    [{ proxies: 1, header: 'x-real-ip' }, /clientAddress\.header/],
    [{ proxie: 1 }, /Did you mean proxies\?/],
    [undefined, /clientAddress/],
  ])('with options %o is an error', (options, message) => {
    const run = (): string => clientAddress(requestOf({}), options as never)
    expect(run).toThrow(message)
    expect(run).toThrow(InvalidOptionError)
  })

  it('that is none is an error', () => {
    expect(() => clientAddress(undefined as never, { proxies: 1 })).toThrow(InvalidOptionError)
  })
})
