/**
 * The managers behind one set of metrics, read together.
 *
 * A scraper asks for each metric by itself, all in one turn of the event loop. They are read once for all of them, so that
 * what they say is of one moment, and a scrape costs one `stats()` for each manager.
 *
 * Managers of one namespace are one series. When one of them is closed and another one stays, its counts stay too: scrapers take a sum that
 * shrinks for a restart, and would count what is left a second time.
 */

import { InvalidOptionError } from '@larder/core'
import type { ManagerSource } from './manager-source.ts'
import { countsOf, merged, type Reading } from './points.ts'

export class MetricSources {
  readonly #sources = new Set<ManagerSource>()
  /** Counts of managers that are gone, by namespace. */
  readonly #gone = new Map<string, Reading>()
  #reading: Reading | undefined

  get isEmpty(): boolean {
    return this.#sources.size === 0
  }

  /** @throws InvalidOptionError where the manager is read already: each of its numbers would count twice */
  add(source: ManagerSource, option: string): void {
    if ([...this.#sources].some((other) => other.isLike(source))) {
      throw new InvalidOptionError({
        option,
        expected: 'one for each manager: this manager has one with the same target already',
        received: source.namespace,
      })
    }
    this.#sources.add(source)
    this.#reading = undefined
  }

  remove(source: ManagerSource): void {
    if (!this.#sources.delete(source)) return
    this.#reading = undefined
    const { namespace } = source
    if ([...this.#sources].some((other) => other.namespace === namespace)) {
      const before = this.#gone.get(namespace)
      const last = countsOf(source.read())
      this.#gone.set(namespace, before === undefined ? last : merged([before, last]))
    } else this.#gone.delete(namespace)
  }

  /** The numbers of all of them; the same for all calls in one turn of the event loop. */
  read(): Reading {
    if (this.#reading !== undefined) return this.#reading
    const now = Array.from(this.#sources, (source) => source.read())
    const reading = merged([...now, ...this.#gone.values()])
    this.#reading = reading
    queueMicrotask(() => {
      this.#reading = undefined
    })
    return reading
  }
}
