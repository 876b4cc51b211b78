import { describe, expect, it } from 'vitest'
import { Flight, Flights } from './flight.ts'
import type { ReadCall } from './read-call.ts'

function flightOf(key: string, seq = 0): Flight {
  const stamp = { partition: 1, birth: 0, known: 0, seq, generation: 0, changes: 0 }
  // Of the call, a flight reads the address only.
  return new Flight({ address: { partition: 1, key } } as ReadCall, stamp, 0)
}

describe('a flight', () => {
  it('hands its first outcome to everybody, and takes no other', async () => {
    const flight = flightOf('a')
    expect(flight.isSettled).toBe(false)
    flight.resolve('v')
    expect(flight.isSettled).toBe(true)
    flight.resolve('w')
    flight.reject(new Error('late'))
    expect([await flight.promise, await flight.promise]).toEqual(['v', 'v'])
  })

  it('that nobody waits for may fail', async () => {
    const flight = flightOf('a')
    flight.reject(new Error('down'))
    expect(flight.isSettled).toBe(true)
    await expect(flight.promise).rejects.toThrow('down')
  })

  it('has settlers of its own', async () => {
    const [a, b] = [flightOf('a'), flightOf('b')]
    b.resolve('b')
    a.resolve('a')
    expect([await a.promise, await b.promise]).toEqual(['a', 'b'])
  })
})

describe('the flight to join', () => {
  it('is the last one of its key; one that it displaces is kept nowhere', () => {
    const flights = new Flights()
    const [first, second, other] = [flightOf('a'), flightOf('a'), flightOf('b')]
    for (const flight of [first, other, second]) flights.add(flight)
    expect([flights.get('a') === second, flights.get('b') === other, flights.size]).toEqual([
      true,
      true,
      2,
    ])
    expect([first.isAlive, second.isAlive, other.isAlive]).toEqual([false, true, true])
  })

  it('does not displace itself', () => {
    const flights = new Flights()
    const flight = flightOf('a')
    flights.add(flight)
    flights.add(flight)
    expect([flight.isAlive, flights.get('a')]).toEqual([true, flight])
  })

  it('is not ended by the end of an earlier one', () => {
    const flights = new Flights()
    const [first, second] = [flightOf('a'), flightOf('a')]
    flights.add(first)
    flights.add(second)
    flights.remove(first)
    expect(flights.get('a')).toBe(second)
    flights.remove(second)
    expect([flights.get('a'), flights.size]).toEqual([undefined, 0])
  })

  it('detached, is alive and joinable no more', () => {
    const flights = new Flights()
    const flight = flightOf('a')
    flights.add(flight)
    flights.detach(flight)
    expect([flight.isAlive, flights.get('a')]).toEqual([false, undefined])
  })
})

describe('a change of a key', () => {
  it('kills what began before it, and nothing of other keys', () => {
    const flights = new Flights()
    const [a, b] = [flightOf('a', 5), flightOf('b', 5)]
    flights.add(a)
    flights.add(b)
    flights.kill('a', 5)
    expect([a.isAlive, flights.get('a')]).toEqual([true, a])
    flights.kill('a', 6)
    flights.kill('none', 6)
    expect([a.isAlive, flights.get('a'), b.isAlive]).toEqual([false, undefined, true])
  })

  it('reaches all that are watched, too, and is remembered by them', () => {
    const flights = new Flights()
    const [early, late, other] = [flightOf('a', 5), flightOf('a', 7), flightOf('b', 5)]
    for (const flight of [early, late, other]) flights.watch(flight)
    flights.kill('a', 7)
    flights.kill('a', 6)
    expect([early, late, other].map(({ isAlive }) => isAlive)).toEqual([false, true, true])
    expect([early, late, other].map(({ touchedAt }) => touchedAt)).toEqual([7, 7, 0])
  })

  it('does not reach what is watched no more', () => {
    const flights = new Flights()
    const [first, second] = [flightOf('a', 5), flightOf('a', 5)]
    flights.watch(first)
    flights.watch(second)
    flights.unwatch(first)
    flights.unwatch(flightOf('none'))
    flights.kill('a', 6)
    flights.unwatch(second)
    flights.kill('a', 7)
    expect([first.isAlive, first.touchedAt, second.isAlive, second.touchedAt]).toEqual([
      true,
      0,
      false,
      6,
    ])
  })
})
