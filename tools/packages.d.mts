export const PACKAGES: readonly string[]
export const BUNDLED: readonly string[]
export function build(): Promise<void>
export function pack(folder: string): Promise<Readonly<Record<string, string>>>
export function manifestOf(name: string): {
  readonly name: string
  readonly version: string
  readonly exports: object
}
