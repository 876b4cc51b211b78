/** Starts a manager's plugins, and stops them in the reverse order. */

import type { Clock } from '../contracts/clock.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import type { Emitter } from '../events/emitter.ts'
import { eventNamed } from '../events/event-table.ts'
import type { EventName, PluginEvents } from '../events/events.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { CURRENT_CONTEXT } from '../lifecycle/call-context.ts'
import { isThenable } from '../lifecycle/is-thenable.ts'
import { assertFunction } from '../options/assert-option.ts'
import type { ManagerStats } from '../stats/stats.ts'
import type { HostManager, Listen, Plugin, PluginHost } from './plugin.ts'

/** How long `stop` of one plugin is awaited. */
const STOP_MS = 2_000

export interface PluginPlace {
  readonly clock: Clock
  readonly events: Emitter
  readonly work: BackgroundWork
  stats(): ManagerStats
}

/** A plugin that was started, and what ends its listening. */
interface Started {
  readonly plugin: Plugin
  readonly hearing: Set<() => void>
  isOver: boolean
}

export class StartedPlugins {
  readonly #place: PluginPlace
  readonly #plugins: readonly Plugin[]
  readonly #started: Started[] = []

  constructor(plugins: readonly Plugin[], place: PluginPlace) {
    this.#plugins = plugins
    this.#place = place
  }

  /** Names of the events that they have. */
  get events(): readonly string[] {
    return this.#plugins.flatMap(({ events = [] }) => events)
  }

  /** @throws what a plugin throws; those before it are still to be stopped */
  start(manager: HostManager): void {
    for (const plugin of this.#plugins) {
      const started: Started = { plugin, hearing: new Set(), isOver: false }
      const starting: unknown = plugin.start?.(this.#hostOf(started, manager))
      this.#started.push(started)
      // Not awaited, but one that fails later must not end the process.
      if (isThenable(starting)) {
        this.#place.work.run(`start ${plugin.name}`, Promise.resolve(starting))
      }
    }
  }

  /** Never rejects, and ends whatever they do: what a plugin fails with is reported. */
  async stop(): Promise<void> {
    for (const started of this.#started.splice(0).reverse()) {
      const { plugin, hearing } = started
      try {
        await this.#within(plugin.name, async () => plugin.stop?.())
      } catch (error) {
        this.#place.events.emit('background-error', { task: `stop ${plugin.name}`, error })
      }
      started.isOver = true
      for (const end of hearing) end()
    }
  }

  async #within(name: string, stop: () => Promise<void>): Promise<void> {
    let cancel: (() => void) | undefined
    const patience = new Promise<void>((_, reject) => {
      const giveUp = (): void => reject(new Error(`${name} has not stopped for ${STOP_MS} ms`))
      cancel = this.#place.clock.schedule(STOP_MS, giveUp, 'caller')
    })
    const stopping = stop()
    // What it fails with later has no listener any more.
    stopping.catch(() => undefined)
    try {
      await Promise.race([stopping, patience])
    } finally {
      cancel?.()
    }
  }

  #hostOf(started: Started, manager: HostManager): PluginHost {
    const { clock, events, stats } = this.#place
    const { plugin, hearing } = started
    const listening =
      (listen: Listen): Listen =>
      (event, listener) => {
        if (started.isOver) return () => undefined
        const end = listen(event, listener)
        const endOnce = (): void => {
          hearing.delete(endOnce)
          end()
        }
        hearing.add(endOnce)
        return endOnce
      }
    const on = listening(manager.on.bind(manager))
    const onInCall = listening((event, listener) => {
      assertFunction(listener, `plugin ${plugin.name}: onInCall.listener`)
      const name = eventNamed(event, `plugin ${plugin.name}: onInCall.event`, this.events)
      return events.on(name as typeof event, listener, CURRENT_CONTEXT)
    })
    const emit = (event: keyof PluginEvents, what: PluginEvents[keyof PluginEvents]): void => {
      assertOwn(plugin, event)
      if (!started.isOver) events.emit(event as EventName, what)
    }
    return { namespace: manager.namespace, clock, manager, stats, on, onInCall, emit }
  }
}

function assertOwn({ name, events = [] }: Plugin, event: string): void {
  if (events.includes(event)) return
  const expected =
    events.length === 0 ? 'nothing: the plugin declares no events' : `one of ${events.join(', ')}`
  throw new InvalidOptionError({ option: `plugin ${name}: emit.event`, expected, received: event })
}
