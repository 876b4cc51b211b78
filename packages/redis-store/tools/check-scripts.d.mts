export function faultsOf(keyCount: number | 'n', lua: string): readonly string[]
