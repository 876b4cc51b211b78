/** The option `fleet` of a manager. */

import { hostname } from 'node:os'
import { InvalidOptionError } from '../errors/option-error.ts'
import { assertBoolean, assertKnownOptions, assertText } from '../options/assert-option.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { optionNames } from '../options/option-names.ts'
import { orDefault } from '../options/or-default.ts'

export interface FleetOptions {
  /** What people call this node, such as `api`; several may have the same name. At most 64 characters. @default none */
  readonly name?: string | undefined
  /** Tell the name of the machine. False where it says more than others may know. @default true */
  readonly host?: boolean | undefined
  /** How often the node reports, with some jitter. It is kept for three times as long. 1 s to 1 min. @default '5s' */
  readonly every?: Duration | undefined
}

/** The defaults. */
export const FLEET_DEFAULTS = { host: true, every: '5s' } as const satisfies FleetOptions

const NAMES = optionNames<FleetOptions>({ name: true, host: true, every: true })
const LONGEST_NAME = 64

export interface ResolvedFleetOptions {
  readonly name: string | null
  readonly host: string | null
  readonly everyMs: number
}

/** `undefined` for a node that does not report. @throws InvalidOptionError */
export function resolveFleetOptions(
  fleet: boolean | FleetOptions | undefined,
  where: string,
): ResolvedFleetOptions | undefined {
  if (fleet === undefined || fleet === false) return undefined
  if (fleet !== true && typeof fleet !== 'object') {
    const expected = 'true, false or an options object'
    throw new InvalidOptionError({ option: where, expected, received: fleet })
  }
  const options = fleet === true ? {} : fleet
  assertKnownOptions(options, NAMES, where)
  const { name, host, every } = options
  if (name !== undefined) assertText(name, `${where}.name`, LONGEST_NAME)
  if (host !== undefined) assertBoolean(host, `${where}.host`)
  const everyMs = parseDuration(orDefault(every, FLEET_DEFAULTS.every), `${where}.every`, {
    min: 1_000,
    max: 60_000,
  })
  const tellsHost = orDefault(host, FLEET_DEFAULTS.host)
  return { name: name ?? null, host: tellsHost ? hostname() : null, everyMs }
}
