/** One atomic step on a server: what it works on, and what it finds. */

import type { BusMessage, KeysMessage } from '../../contracts/bus.ts'
import type { EntryAddress } from '../../contracts/remote-store.ts'
import { decodeHeader, type EntryHeader, FLAG } from '../../entry/envelope.ts'
import type { MemorySpace } from './memory-space.ts'

/** Where and when a step happens, and how it tells the nodes. */
export interface Step {
  readonly space: MemorySpace
  /** Server time, whole microseconds since the epoch. */
  readonly nowUs: number
  publish(message: BusMessage): void
  /** Publishes what waits to be announced. */
  sendOwed(): void
  /** Publishes a change, or leaves it waiting: then within how many ms it should be heard of. `isUrgent`: somebody waits for it. */
  announce(message: KeysMessage, isUrgent: boolean): number | undefined
}

export function nowMsOf(step: Step): number {
  return Math.floor(step.nowUs / 1_000)
}

/** Bytes that are not an entry of this format count as absent. */
export function find(
  step: Step,
  address: EntryAddress,
): { readonly bytes: Buffer; readonly header: EntryHeader } | undefined {
  const bytes = step.space.get(address, nowMsOf(step))
  const header = bytes === undefined ? undefined : decodeHeader(bytes)
  return bytes === undefined || header === undefined ? undefined : { bytes, header }
}

/** Whether a caller waits for the lease on an entry. */
export function isWaitedFor(step: Step, address: EntryAddress): boolean {
  return ((find(step, address)?.header.flags ?? 0) & FLAG.waited) !== 0
}
