/**
 * What the engine does not bear yet: faults, themes and checks that are left out of every run until it does.
 *
 * Each name here is a defect that is known, with its shortest history among the tests in `found`; the list is meant to be
 * empty. `--with NAME` takes one in again.
 */

/** Names of themes, of faults, and of checks. */
export const OPEN: readonly string[] = []

const takenIn = new Set<string>()

/**
 * Takes parts of the list in, for this process.
 *
 * @throws RangeError for a name that is not on it
 */
export function takeIn(names: readonly string[]): void {
  for (const name of names) {
    if (!OPEN.includes(name)) throw new RangeError(`Nothing is left out under the name '${name}'`)
    takenIn.add(name)
  }
}

/** Whether something takes part in runs. */
export function isBorne(name: string): boolean {
  return takenIn.has(name) || !OPEN.includes(name)
}
