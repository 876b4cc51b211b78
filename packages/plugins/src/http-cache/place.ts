/**
 * What may have chosen an application, a tenant or a handler before the cache was reached. The handler sees none of it, and its response
 * depends on it all the same. So it is part of the key.
 */

export interface Place {
  /** `Host`, as the client sent it. */
  readonly host: string
  /** How the client has asked, as the framework knows it: behind a proxy that it trusts, that one says so. */
  readonly protocol: string
  /** The host as the framework knows it. */
  readonly hostname: string
  /** The version of a route, or what else tells handlers of one path apart. */
  readonly route: string
  /** How many caches stand around this one: what they keep is not what this one keeps. */
  readonly depth: number
  /** A field of the request as its client sent it. */
  field(name: string): string | undefined
}

/** What frameworks say of a request. */
interface SaysPlace {
  readonly protocol?: unknown
  readonly hostname?: unknown
}

/** On a request whose handler runs for a cache, which hides its fields from all that is behind. Of other copies of this package, too. */
const OUTSIDE = Symbol.for('@larder/plugins place before the cache')

/** Tells of a request whose fields a cache further out hides. `holders`: objects of the request, any of which may know. */
function outsideOf(holders: readonly unknown[]): Place | undefined {
  for (const holder of holders) {
    const found: unknown =
      typeof holder === 'object' && holder !== null ? Reflect.get(holder, OUTSIDE) : undefined
    if (found !== undefined) return found as Place
  }
  return undefined
}

/** Returns the place of a cache: its own, or the one that was seen before the cache around it hid the fields. */
export function placeIn(holders: readonly unknown[], own: Omit<Place, 'depth'>): Place {
  const outside = outsideOf(holders)
  if (outside === undefined) return { ...own, depth: 0 }
  return { ...outside, route: own.route, depth: outside.depth + 1 }
}

/** Leaves the place on a request; returns a function that takes it away. */
export function leavePlace(holder: object, place: Place): () => void {
  const before = Object.getOwnPropertyDescriptor(holder, OUTSIDE)
  Object.defineProperty(holder, OUTSIDE, { value: place, configurable: true })
  return () => {
    if (before === undefined) Reflect.deleteProperty(holder, OUTSIDE)
    else Object.defineProperty(holder, OUTSIDE, before)
  }
}

/** What a framework says of where a request went. Reading it may throw, where it has no application yet. */
export function saidBy(
  framework: unknown,
  isEncrypted: boolean,
): Pick<Place, 'protocol' | 'hostname'> {
  const usual = { protocol: isEncrypted ? 'https' : 'http', hostname: '' }
  if (typeof framework !== 'object' || framework === null) return usual
  try {
    const { protocol, hostname } = framework as SaysPlace
    return {
      protocol: typeof protocol === 'string' ? protocol : usual.protocol,
      hostname: typeof hostname === 'string' ? hostname.toLowerCase() : '',
    }
  } catch {
    return usual
  }
}

/** The place as a part of keys, beside the host. */
export function placeText({ protocol, hostname, route, depth }: Place): string {
  return JSON.stringify([protocol, hostname, route, depth])
}
