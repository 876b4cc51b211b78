/** What does an operation take besides time: round trips, bytes on the wire and of the heap, Redis's processor? */

import { printRows, writeChart, writeJson } from '../report.ts'
import { type Allocation, allocation } from './allocation.ts'
import { type RedisCpu, redisCpu } from './redis-cpu.ts'
import { type RoundTrips, roundTrips } from './round-trips.ts'

export interface ResourceOptions {
  readonly url: string
  readonly machine: string
  readonly isQuick: boolean
}

const ONE_AND_MANY = [1, 64]

/** Asks all of it, prints it, and writes resources.json and charts. */
export async function resources({ url, machine, isQuick }: ResourceOptions): Promise<void> {
  const trips = await roundTrips(url, isQuick ? 50 : 500)
  printRows('Round trips at the socket, one call after the other', trips.map(tripCells))
  const heap = await allocation(url, isQuick ? 50_000 : 500_000)
  printRows('Heap allocated', heap.map(heapCells))
  const cpu = await redisCpu(url, ONE_AND_MANY, isQuick ? 200 : 5_000)
  printRows("Redis's processor", cpu.map(cpuCells))
  if (isQuick) return
  writeJson('resources', { machine, trips, heap, cpu })
  writeChart(
    'round-trips',
    'Round trips of an operation, at the socket',
    trips.map(({ name, roundTrips: value }) => ({ name, value, label: value.toFixed(2) })),
  )
  writeChart(
    'heap-allocated',
    'Heap allocated by a hit',
    heap.map(({ name, bytesPerOperation: value }) => ({
      name,
      value,
      label: `${value.toFixed(0)} B`,
    })),
  )
  writeChart(
    'redis-cpu',
    "Redis's processor, by operation and callers",
    cpu.map(({ name, callers, usPerOperation: value }) => {
      return { name: `${name}, ${callersOf(callers)}`, value, label: `${value.toFixed(1)} µs` }
    }),
  )
}

function tripCells({ name, ...each }: RoundTrips): readonly string[] {
  return [
    name,
    `${each.roundTrips.toFixed(2)} round trips`,
    `${each.commands.toFixed(2)} commands`,
    `${each.bytesOut.toFixed(0)} B out`,
    `${each.bytesIn.toFixed(0)} B in`,
  ]
}

function heapCells({ name, bytesPerOperation }: Allocation): readonly string[] {
  return [name, `${bytesPerOperation.toFixed(0)} B`.padStart(8)]
}

/** Of commands that a script calls, the script's own time tells; they are in the JSON. */
function cpuCells({ name, callers, usPerOperation, commands }: RedisCpu): readonly string[] {
  const scripts = commands.filter((each) => each.name === 'evalsha' || each.name === 'mget')
  const calls = scripts.map(
    (each) =>
      `${each.callsPerOperation.toFixed(2)} ${each.name} of ${each.usPerCall.toFixed(1)} µs`,
  )
  const cpu = `${usPerOperation.toFixed(1)} µs`.padStart(8)
  return [`${name}, ${callersOf(callers)}`, cpu, calls.join(', ')]
}

function callersOf(callers: number): string {
  return callers === 1 ? '1 caller' : `${callers} callers`
}
