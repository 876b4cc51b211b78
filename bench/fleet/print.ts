/** The fleet's figures as rows. */

import { printRows } from '../report.ts'
import type { FanOut } from './fan-out.ts'
import type { Idle, LoadSize, Size } from './measure.ts'

export function printSizes(sizes: readonly Size[]): void {
  const [first] = sizes
  if (first === undefined) return
  const evicting = sizes.filter(({ scheme }) => scheme !== 'one PING')
  printRows(
    `At rest, ${first.servers}`,
    sizes.map(({ scheme, nodes, idle }) => [
      nameOf(scheme, nodes),
      `${(idle.cpuUsPerSecond / 1e4).toFixed(2)} % of a core`.padStart(18),
      `${idle.commandsPerSecond.toFixed(0)} commands/s`.padStart(16),
      ...(idle.roundsPerSecond === 0 ? [] : roundCells(scheme, idle)),
    ]),
  )
  printRows(
    `One eviction after the other, ${first.servers}`,
    evicting.map(({ scheme, nodes, eviction }) => [
      nameOf(scheme, nodes),
      `${eviction.cpuUs.toFixed(0)} µs`.padStart(10),
      `${(eviction.cpuUs / nodes).toFixed(2)} µs a node`.padStart(18),
      `${eviction.commands.toFixed(1)} commands`,
      `${eviction.messages.toFixed(2)} messages`,
      `${eviction.bytesOut.toFixed(0)} B out`,
    ]),
  )
}

export function printFanOut(messages: readonly FanOut[]): void {
  printRows(
    'A message, for each subscriber',
    messages.map(({ subscribers, bytes, cpuUsEach }) => [
      `${bytes} B to ${subscribers} subscribers`,
      `${cpuUsEach.toFixed(2)} µs`,
    ]),
  )
}

export function printLoad(loads: readonly LoadSize[]): void {
  printRows(
    `Evictions over all keys, ${loads[0]?.askedPerSecond ?? 0} a second asked for`,
    loads.map((load) => [
      nameOf(load.scheme, load.nodes),
      `${load.perSecond.toFixed(0)} evictions/s`.padStart(18),
      `${(100 * load.coreShare).toFixed(0)} % of a core`.padStart(15),
      `${load.cpuUsPerEviction.toFixed(0)} µs each`.padStart(14),
      `${load.messagesPerSecond.toFixed(0)} messages/s`.padStart(16),
      `${load.scriptsPerEviction.toFixed(2)} scripts each`,
      `${(load.bytesOutPerSecond / 1e6).toFixed(1)} MB/s out`,
      `old values for ${load.oldestMs.toFixed(0)} ms at most`,
      load.realNodes < load.nodes ? `(${load.realNodes} nodes are real)` : '',
    ]),
  )
}

function roundCells(scheme: string, idle: Idle): readonly string[] {
  const { cpuUsPerRound, commandsPerRound, bytesPerRound } = idle
  return [
    `${cpuUsPerRound.toFixed(1)} µs a node and ${scheme === 'Larder' ? 'sync' : 'PING'}`.padStart(
      26,
    ),
    `${commandsPerRound.toFixed(1)} commands, ${bytesPerRound.toFixed(0)} B`,
  ]
}

function nameOf(scheme: string, nodes: number): string {
  return `${scheme}, ${nodes} nodes`
}
