/** Starts a manager's plugins, and stops them in the reverse order. */

import type { Plugin } from '../contracts/plugin.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { isThenable } from '../lifecycle/is-thenable.ts'

export interface PluginPlace {
  readonly namespace: string
  readonly events: Emitter
  readonly work: BackgroundWork
}

export class StartedPlugins {
  readonly #events: Emitter
  readonly #started: Plugin[] = []

  constructor(plugins: readonly Plugin[], { namespace, events, work }: PluginPlace) {
    this.#events = events
    for (const plugin of plugins) {
      const starting: unknown = plugin.start?.({
        namespace,
        on: (event, listener) => events.on(event, listener),
      })
      // Not awaited, but one that fails later must not end the process.
      if (isThenable(starting)) work.run(`start ${plugin.name}`, Promise.resolve(starting))
      this.#started.push(plugin)
    }
  }

  /** Never rejects: a failure of a plugin is reported. */
  async stop(): Promise<void> {
    for (const plugin of this.#started.reverse()) {
      await Promise.resolve(plugin.stop?.()).catch((error: unknown) => {
        this.#events.emit('background-error', { task: `stop ${plugin.name}`, error })
      })
    }
  }
}
