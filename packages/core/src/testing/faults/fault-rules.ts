/** A list of faults to come: which operations they hit, and how many times. */

export interface FaultScope<Operation extends string> {
  /** Which operations are hit. @default all */
  readonly on?: Operation | readonly Operation[] | undefined
  /** How many calls are hit before the fault is used up. @default all until healed */
  readonly times?: number | undefined
}

interface Rule<Operation extends string, Fault> {
  readonly fault: Fault
  readonly operations: readonly Operation[] | undefined
  timesLeft: number
}

/** Faults in the order they were added; the first that fits a call hits it. */
export class FaultRules<Operation extends string, Fault> {
  #rules: Rule<Operation, Fault>[] = []

  add(fault: Fault, { on, times = Number.POSITIVE_INFINITY }: FaultScope<Operation> = {}): void {
    const operations = on === undefined || Array.isArray(on) ? on : [on as Operation]
    this.#rules.push({ fault, operations, timesLeft: times })
  }

  /** Returns the fault that hits this call, using it up once; `undefined` when none does. */
  take(operation: Operation): Fault | undefined {
    const rule = this.#rules.find(
      ({ operations, timesLeft }) => timesLeft > 0 && (operations?.includes(operation) ?? true),
    )
    if (rule === undefined) return undefined
    rule.timesLeft -= 1
    if (rule.timesLeft <= 0) this.#rules = this.#rules.filter((other) => other !== rule)
    return rule.fault
  }

  clear(): void {
    this.#rules = []
  }
}
