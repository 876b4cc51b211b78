/** Finds the manager a decorated method belongs to, for decorators that need more of it than a cache. */

import { ClosedError } from '../../errors/closed-error.ts'
import { NotConfiguredError } from '../../errors/not-configured-error.ts'
import { isManagerElsewhere } from '../../lifecycle/shared-state.ts'
import { defaultManager } from './default-manager.ts'
import type { MethodCacheProvider } from './method-cache.ts'
import type { MethodSite } from './method-site.ts'
import { ByReceiver, type Receiver, receiverOf } from './receiver.ts'

/** A class that a decorated method is called on, and what a decorator keeps for it. */
export interface Called<Held> {
  readonly receiver: Receiver
  readonly manager: MethodCacheProvider
  readonly held: Held
}

/**
 * Makes a finder for one method: what is kept for the class that it is called on, made once a manager. Asks the class's
 * `manager` if it has one, else the default manager, at every call.
 *
 * The finder throws NotConfiguredError without a manager, and ClosedError after it was closed.
 */
export function callFinder<Held>(
  site: MethodSite,
  make: (receiver: Receiver, manager: MethodCacheProvider) => Held,
): (self: unknown) => Called<Held> {
  const known = new ByReceiver(site, (self) => {
    const last: { called: Called<Held> | undefined } = { called: undefined }
    return { receiver: receiverOf(site, self), last }
  })
  return (self) => {
    const { receiver, last } = known.of(self)
    const manager = (receiver.config.manager ?? defaultManager)()
    if (manager === undefined) {
      throw last.called?.manager.isClosed === true
        ? new ClosedError(undefined, receiver.label)
        : new NotConfiguredError(receiver.label, isManagerElsewhere())
    }
    if (manager.isClosed) throw new ClosedError(undefined, receiver.label)
    if (last.called?.manager !== manager) {
      last.called = { receiver, manager, held: make(receiver, manager) }
    }
    return last.called
  }
}
