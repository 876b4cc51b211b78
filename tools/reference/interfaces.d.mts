export interface Field {
  readonly name: string
  readonly isOptional: boolean
  readonly type: string
  readonly meaning: string
  readonly standard: string | undefined
}
export function fieldsOf(source: string, name: string): readonly Field[]
