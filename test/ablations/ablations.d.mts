/** A piece of text that is replaced in a file. */
export interface Edit {
  /** From the root of the project. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Ablation extends Edit {
  readonly name: string
  /** The invariant that is broken without it; or `authenticity`: what did not go through a required codec step is not read; or `delivery`: what streams promise about messages. */
  readonly protects: string
  /** Further edits that belong to it. */
  readonly also?: readonly Edit[]
  /** What must turn red. */
  readonly tests: string | readonly string[]
  /** Nothing must turn red: it only makes things faster. */
  readonly buys?: 'latency'
}

export const ABLATIONS: readonly Ablation[]
