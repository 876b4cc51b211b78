export interface Section {
  readonly title: string
  readonly about: string
  readonly of: readonly (readonly [file: string, name: string])[]
  readonly without?: readonly string[]
}
export const SECTIONS: readonly Section[]
export function optionsPage(root: string): string
