export const MOST_LINES: number
export const LONGEST_WALKS: { readonly cold: number; readonly hit: number }
export const LONGER: Readonly<Record<string, number>>
export const FLOORS: readonly string[]
export const UPWARD: readonly string[]
