/** The callers that wait for a load that another caller of this process began. */

/** They get the flight's outcome, or that of the load that replaces it, whichever comes first. */
export class Joiners {
  readonly promise: Promise<unknown>
  /** They look whether what they get is meant for them, and load for themselves where it is not. */
  readonly mayLoadApart: boolean
  readonly #end: () => void
  #resolve: (value: unknown) => void = nothing
  #reject: (error: unknown) => void = nothing

  /** `end`: called when there is nothing to wait for any more. */
  constructor(end: () => void, mayLoadApart: boolean) {
    this.#end = end
    this.mayLoadApart = mayLoadApart
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  resolve(value: unknown): void {
    this.#end()
    this.#resolve(value)
  }

  reject(error: unknown): void {
    this.#end()
    this.#reject(error)
  }
}

function nothing(): void {}
