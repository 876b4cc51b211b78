import type { Source } from './sources.mjs'

export interface Lengths {
  readonly files: number
  readonly lines: number
  readonly median: number
  readonly p90: number
  readonly longest: number
}

export interface House {
  readonly packages: readonly (Lengths & { readonly name: string })[]
  readonly whole: Lengths
  /** What tests are made with: conformance suites, test kit, support. */
  readonly support: readonly (Lengths & { readonly name: string })[]
  /** Files above the bound, the longest first. */
  readonly long: readonly { readonly file: string; readonly lines: number }[]
  readonly cycles: readonly string[]
  readonly upward: readonly string[]
}

export function measure(): House
export function upwardImports(sources: readonly Source[]): readonly string[]
