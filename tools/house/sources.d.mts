export interface Source {
  /** From the root of the repository, with `/`. */
  readonly file: string
  readonly text: string
  readonly imports: readonly string[]
}

export function sourcesOf(folder: string): readonly Source[]
export function importsOf(text: string): readonly string[]
export function neighboursOf(source: Source): readonly string[]
export function cyclesOf(sources: readonly Source[]): readonly string[]
