/** Keys in the order they were asked for. */
export interface Trace {
  readonly name: string
  readonly keys: Int32Array
}
